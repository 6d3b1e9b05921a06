// Every revision of the session era, over both transports, in the shape that clients of that time expect; and the details of
// ids, batches and streams.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node, until } from './node.mjs';
import { Poster, Socket, call, initialize, initialized, latest, revisions, send, text } from './clients.mjs';

const hour = 3_600_000;
const ping = (id) => ({ jsonrpc: '2.0', id, method: 'ping' });
const list = (method) => ({ jsonrpc: '2.0', id: method, method });
const started = async (node, over, version) => over === 'WebSocket'
  ? Socket.start(node, { version }).then((client) => ({ client, greeting: client.greeting, ask: (m) => client.ask(m) }))
  : Poster.start(node, version).then((client) => ({ client, greeting: client.greeting, ask: async (m) => (await client.post(m)).message }));

// Keys of later revisions that clients of the session era don't know; some check strictly.
const modern = ['resultType', 'ttlMs', 'cacheScope', 'requestState', 'inputRequests'];

for (const over of ['WebSocket', 'HTTP'])
  for (const version of revisions)
    test(`${over}: ${version} is negotiated, and everything has its shape`, async () => {
      const node = await Node.start();
      const { greeting, ask } = await started(node, over, version);
      const since = (first) => version >= first;
      const { result } = greeting;
      assert.equal(result.protocolVersion, version);
      assert.equal('completions' in result.capabilities, since('2025-03-26'));
      assert.ok(result.capabilities.tools && result.capabilities.resources && result.capabilities.prompts && result.capabilities.logging);
      assert.ok(!('tasks' in result.capabilities), 'nothing is promised that is not kept');
      const { tools } = (await ask(list('tools/list'))).result;
      const add = tools.find((t) => t.name === 'add');
      assert.equal('annotations' in add, since('2025-03-26'), 'annotations');
      for (const key of ['title', 'outputSchema']) assert.equal(key in add, since('2025-06-18'), key);
      for (const method of ['resources/list', 'resources/templates/list', 'prompts/list']) {
        const [entry] = Object.values((await ask(list(method))).result)[0];
        assert.equal('title' in entry, since('2025-06-18'), `title in ${method}`);
      }
      const sum = (await ask(call(1, 'add', { a: 1, b: 2 }))).result;
      assert.equal('structuredContent' in sum, since('2025-06-18'), 'structuredContent');
      const bad = await ask(call(2, 'add', { a: 'one' }));
      if (since('2025-11-25')) assert.equal(bad.result.isError, true);
      else assert.equal(bad.error.code, -32602);
      assert.equal((await ask({ jsonrpc: '2.0', id: 3, method: 'resources/read', params: { uri: 'demo://nothing' } })).error.code, -32002);
      assert.deepEqual((await ask(ping(4))).result, {});
      assert.deepEqual((await ask({ jsonrpc: '2.0', id: 5, method: 'logging/setLevel', params: { level: 'info' } })).result, {});
      assert.equal((await ask({ jsonrpc: '2.0', id: 6, method: 'tasks/list' })).error.code, -32601);
      for (const key of modern)
        for (const answer of [result, sum, (await ask(list('tools/list'))).result]) assert.ok(!(key in answer), key);
    });

test('progress has a message since 2025-03-26', async () => {
  const node = await Node.start();
  for (const version of revisions) {
    const client = await Socket.start(node, { version });
    for (const token of ['text', 0, 7]) {
      await client.ask(call(1, 'progress', { steps: 1 }, { progressToken: token }));
      const { params } = await client.next('progress', (m) => m.method === 'notifications/progress');
      assert.deepEqual([params.progressToken, params.progress, params.total, params.message],
        [token, 1, 1, version >= '2025-03-26' ? 'step 1 of 1' : undefined]);
    }
    await client.ask(call(1, 'progress', { steps: 1 }));
    assert.deepEqual(client.messages.filter((m) => m.method === 'notifications/progress'), [], 'who does not ask is not told');
  }
});

test('unknown revisions, and those without sessions, are answered with the latest that has them', async () => {
  const node = await Node.start();
  for (const version of ['2026-07-28', '1999-01-01', '2025-11-26', '', 'x'.repeat(500)]) {
    const socket = await Socket.open(node);
    assert.equal((await socket.ask(initialize(version))).result.protocolVersion, latest, version);
    const posted = await (await send(node, { body: initialize(version) })).ended;
    assert.equal(JSON.parse(posted.text).result.protocolVersion, latest, version);
    assert.match(posted.headers['mcp-session-id'], /^[\x21-\x7e]+$/);
  }
});

test('ids come back as they were, with their type', async () => {
  const node = await Node.start();
  const socket = await Socket.start(node);
  const poster = await Poster.start(node);
  const ids = ['0', '-1', '7', '""', '"0"', '"7"', '"ä\u{1f600}"', '"a\\"b\\\\c"', '9007199254740993', '-9223372036854775808', `"${'x'.repeat(200)}"`];
  for (const id of ids)
    for (const method of ['ping', 'tools/list', 'no/such']) {
      const bytes = `{"jsonrpc":"2.0","id":${id},"method":"${method}"}`;
      const answer = await poster.post(bytes);
      assert.ok(answer.text.includes(`"id":${id}`), `${method} ${id}: ${answer.text.slice(-300)}`);
      socket.messages.length = 0;
      socket.send(bytes);
      const got = await socket.next(`the answer to ${id}`, (m) => 'id' in m);
      assert.deepEqual(got.id, JSON.parse(id), method);
    }
});

const mixed = [ping(1), { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'x' } }, call(2, 'echo', { message: 'b' }),
  { jsonrpc: '2.0', id: 3, method: 'no/such' }, call('4', 'sleep', { ms: 20 }), { id: 5, method: 'ping' }];

function checkBatch(answers) {
  assert.ok(Array.isArray(answers));
  const by = new Map(answers.map((a) => [a.id, a]));
  assert.equal(answers.length, 5);
  assert.deepEqual(by.get(1).result, {});
  assert.equal(text(by.get(2).result), 'b');
  assert.equal(by.get(3).error.code, -32601);
  assert.equal(text(by.get('4').result), 'slept for 20 ms');
  assert.equal((by.get(5) ?? by.get(null)).error.code, -32600);
}

test('WebSocket: batches belong to 2025-03-26 alone', async () => {
  const node = await Node.start();
  for (const version of revisions) {
    const client = await Socket.start(node, { version });
    client.send(mixed);
    const answer = await client.next('an answer', (m) => m.error || Array.isArray(m));
    if (version === '2025-03-26') checkBatch(answer);
    else assert.deepEqual([answer.error.code, answer.id], [-32600, null], version);
    assert.equal(text((await client.ask(call(9, 'echo', { message: 'after' }))).result), 'after');
  }
});

test('HTTP: batches belong to 2025-03-26 alone', async () => {
  const node = await Node.start();
  for (const version of revisions.filter((v) => v !== '2025-03-26')) {
    const client = await Poster.start(node, version);
    const answer = await client.post(mixed.slice(0, 5));
    assert.deepEqual([answer.status, answer.message.error.code], [400, -32600], version);
    assert.equal(await client.tool('echo', { message: 'after' }), 'after');
  }
  const client = await Poster.start(node, '2025-03-26');
  const good = mixed.slice(0, 5);
  const { message: answers } = await client.post(good);
  assert.deepEqual(answers.map((a) => a.id).sort(), [1, 2, 3, '4'].sort());
  assert.equal((await client.post([initialized, mixed[1]])).status, 202, 'nothing to answer');
  for (const [what, batch] of Object.entries({
    'an empty one': [], 'initialize in one': [ping(1), initialize()], 'too many': Array.from({ length: 65 }, (_, i) => ping(i)),
    'no messages': [1, 'x', null], 'one in another': [[ping(1)]],
  })) {
    const answer = await client.post(batch);
    assert.equal(answer.status, 400, what);
    assert.equal(answer.message.error.code, -32600, what);
    assert.equal(await client.tool('echo', { message: what }), what);
  }
});

test('HTTP: an answer that takes its time is a stream, primed for those who know what that is', async () => {
  const node = await Node.start();
  for (const version of revisions) {
    const client = await Poster.start(node, version);
    assert.equal((await client.post(call(1, 'echo', { message: 'x' }))).headers['content-type'], 'application/json', 'at once: no stream');
    const slow = await client.post(call(2, 'sleep', { ms: 200 }));
    assert.equal(text(slow.message.result), 'slept for 200 ms');
    const [first] = slow.events;
    if (version >= '2025-11-25') assert.ok(first.id && !first.message, 'a priming event');
    assert.ok(slow.events.slice(version >= '2025-11-25' ? 1 : 0).every((e) => e.message || e.comment), version);
    const told = await client.post(call(3, 'progress', { steps: 3, delay_ms: 1 }, { progressToken: 'p' }));
    assert.match(told.headers['content-type'], /^text\/event-stream/);
    assert.deepEqual(told.events.filter((e) => e.message?.method).map((e) => e.message.params.progress), [1, 2, 3]);
    assert.equal(told.message.id, 3);
  }
});

test('HTTP: notifications and answers are taken with 202 and an empty body', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  for (const message of [initialized, { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }, { jsonrpc: '2.0', id: 's1', result: {} }]) {
    const answer = await client.post(message);
    assert.deepEqual([answer.status, answer.text, answer.headers['content-type']], [202, '', undefined]);
  }
});

test('HTTP: a session that was ended is 404 for everything', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  const listening = await client.get();
  const running = client.post(call(1, 'sleep', { ms: hour }));
  await until('the call', async () => (await node.api(`sessions/show?id=${client.session}`)).body.running === 1);
  const ended = await client.delete();
  assert.ok(ended.status >= 200 && ended.status < 300);
  await listening.ended;
  const answer = await running;
  assert.ok(answer.status !== 200 || answer.message === undefined, 'a call that was running gets no answer');
  for (const request of [{ body: ping(1) }, { method: 'GET' }, { method: 'DELETE' }, { body: initialized }]) {
    const late = await (await send(node, { ...request, headers: client.headers({ accept: 'application/json, text/event-stream' }) })).ended;
    assert.deepEqual([late.status, JSON.parse(late.text).error.code], [404, -32001], JSON.stringify(request));
  }
});

test('HTTP: a second GET replaces the first', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  const first = await client.get();
  const second = await client.get();
  assert.equal(second.status, 200);
  await first.ended;
  assert.equal(await client.tool('echo', { message: 'x' }), 'x');
  assert.ok(!second.over, 'the second one stays');
  const third = await client.get();
  assert.equal(third.status, 200);
  await second.ended;
});

test('HTTP: a dropped connection cancels nothing, a cancellation does', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  const running = async () => (await node.api(`sessions/show?id=${client.session}`)).body.running;
  const stream = await client.begin(call(1, 'sleep', { ms: hour }));
  stream.drop();
  assert.equal(await client.tool('echo', { message: 'x' }), 'x');
  assert.equal(await running(), 1);
  const other = client.post(call('1', 'sleep', { ms: hour }));
  await until('the other', async () => (await running()) === 2);
  await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: '1', reason: 'enough' } });
  assert.equal((await other).message, undefined, 'no answer');
  assert.equal(await running(), 1, 'an id of another type is another id');
  await client.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
  await until('the end of both', async () => (await running()) === 0);
});

test('clients that come with the node are told of no changes', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  await client.ask(call(1, 'sleep', { ms: 200 }));
  assert.deepEqual(client.messages, []);
});
