// Clients that lose their connection and come back: what they missed is delivered, what they had is still there.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node, until } from './node.mjs';
import { Poster, Socket, call, initialize, latest, send, text, wire } from './clients.mjs';

const hour = 3_600_000;
const show = async (node, session) => (await node.api(`sessions/show?id=${session}`)).body;
const idle = (node, session) => until('the calls to end', async () => (await show(node, session)).running === 0);
const away = (node, session) => until('the node to notice', async () => (await show(node, session)).connected === false);
// Messages are taken in order: when one is answered, those before it are under way.
const begun = (client) => client.ask({ jsonrpc: '2.0', id: 'begun', method: 'ping' });
const known = (node, session) => Socket.open(node, { session }).then((s) => s.terminate(), (error) => error);
const gone = (status) => (error) => {
  assert.equal(error.status, status, String(error));
  return true;
};

test('WebSocket: the session is named at the upgrade and in the initialize result', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  const info = client.greeting.result._meta['io.cafmcp/session'];
  assert.equal(info.id, client.session);
  assert.ok(Number.isInteger(info.ttlMs) && info.ttlMs > 0);
  await client.terminate();
  const url = new URL(info.resumeUrl);
  assert.equal(url.searchParams.get('mcp-session-id'), client.session);
  assert.equal(Number(url.port), node.port);
  const again = await Socket.open(node, { session: url.searchParams.get('mcp-session-id') });
  assert.equal(again.session, client.session);
});

test('WebSocket: a call goes on while its client is away, and its answer is delivered', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  await client.ask(call(1, 'state_set', { key: 'k', value: 'kept' }));
  client.send(call(2, 'sleep', { ms: 1000 }));
  client.send(call(3, 'sleep', { ms: 3000 }));
  await begun(client);
  await client.terminate();
  await until('one to end', async () => (await show(node, client.session)).running === 1);
  const back = await Socket.open(node, { headers: { 'mcp-session-id': client.session } });
  assert.equal(text((await back.answer(2)).result), 'slept for 1000 ms', 'what ended before the resume');
  assert.equal(text((await back.answer(3)).result), 'slept for 3000 ms', 'what ended after it');
  assert.equal(text((await back.ask(call(4, 'state_get', { key: 'k' }))).result), 'kept');
  const poster = Object.assign(new Poster(), { node, session: client.session, version: latest });
  assert.equal(await poster.tool('state_get', { key: 'k' }), 'kept', 'the session is the same over HTTP');
});

test('WebSocket: progress and answer of a call that ended meanwhile are replayed, once and in order', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  client.send(call(1, 'progress', { steps: 30, delay_ms: 10 }, { progressToken: 'p' }));
  const seen = [];
  while (seen.length < 3) seen.push((await client.next('progress', (m) => m.params?.progressToken === 'p')).params.progress);
  await client.terminate();
  await away(node, client.session);
  await idle(node, client.session);
  const back = await Socket.open(node, { session: client.session });
  const answer = await until('the answer', () => back.messages.find((m) => m.id === 1));
  assert.equal(text(answer.result), 'took 30 steps');
  assert.equal(back.messages.at(-1), answer, 'the answer comes last');
  const rest = back.messages.slice(0, -1).map((m) => m.params.progress);
  assert.equal(rest.at(-1), 30);
  assert.ok(rest[0] > seen.at(-1), `${rest[0]} was delivered before`);
  assert.deepEqual(rest, rest.map((_, i) => rest[0] + i), 'without gaps');
  await back.terminate();
  await away(node, client.session);
  const third = await Socket.open(node, { session: client.session });
  await third.ask(call(2, 'sleep', { ms: 300 }));
  assert.deepEqual(third.messages, [], 'what was delivered is not sent again');
});

test('WebSocket: a client that counts from 0 again does not get old answers for new questions', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  // Three calls whose answers nobody was there to take.
  for (const id of [0, '0', 7]) client.send(call(id, 'sleep', { ms: 1000 }));
  await begun(client);
  await client.terminate();
  await idle(node, client.session);
  const back = await Socket.open(node, { session: client.session });
  assert.equal(text((await back.ask(call(0, 'echo', { message: 'new' }))).result), 'new');
  assert.equal(text((await back.answer(7)).result), 'slept for 1000 ms');
  assert.equal(text((await back.answer('0')).result), 'slept for 1000 ms', 'an id of another type is another id');
  assert.deepEqual(back.messages, []);
});

test('WebSocket: an id of a call that still runs from a former life can be used again', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  client.send(call(1, 'sleep', { ms: hour }));
  await begun(client);
  await client.terminate();
  const back = await Socket.open(node, { session: client.session });
  assert.equal(text((await back.ask(call(1, 'echo', { message: 'new' }))).result), 'new');
});

test('WebSocket: a resume closes the older socket with 1000, and running calls answer to the new one', async () => {
  const node = await Node.start();
  const older = await Socket.start(node);
  older.send(call(1, 'sleep', { ms: 1000 }));
  await begun(older);
  const newer = await Socket.open(node, { session: older.session });
  assert.equal((await older.closed).code, 1000);
  assert.equal(text((await newer.answer(1)).result), 'slept for 1000 ms');
  assert.equal(newer.code, undefined);
});

test('WebSocket: an unknown id is 404 before the upgrade, as is one that was ended', async () => {
  const node = await Node.start();
  for (const session of ['0'.repeat(32), 'x', 'a b', '%00', '../..', 'y'.repeat(4000)])
    await assert.rejects(Socket.open(node, { session: encodeURIComponent(session) }), gone(404), session);
  const client = await Poster.start(node);
  const socket = await Socket.open(node, { session: client.session });
  assert.equal((await client.delete()).status, 204);
  assert.equal((await socket.closed).code, 1000);
  await assert.rejects(Socket.open(node, { session: client.session }), gone(404));
});

test('WebSocket: initialize over a resumed socket negotiates anew and keeps the state; a second one is refused', async () => {
  const node = await Node.start();
  const client = await Socket.start(node, { version: '2024-11-05' });
  await client.ask(call(1, 'state_set', { key: 'k', value: 'kept' }));
  await client.terminate();
  const back = await Socket.open(node, { session: client.session });
  const greeting = await back.ask(initialize('2025-06-18', 0));
  assert.equal(greeting.result.protocolVersion, '2025-06-18');
  assert.equal(greeting.result._meta['io.cafmcp/session'].id, client.session);
  const got = await back.ask(call(1, 'state_get', { key: 'k' }));
  assert.deepEqual([text(got.result), got.result.structuredContent.found], ['kept', true], 'in the shape of the new revision');
  assert.equal((await back.ask(initialize('2025-03-26', 2))).error.code, -32600);
});

test('WebSocket: the log of what was missed is bounded; the newest is kept', async () => {
  const node = await Node.start(['--set', 'limits.outbound_messages=5']);
  const client = await Socket.start(node);
  client.send(call(1, 'progress', { steps: 40, delay_ms: 10 }, { progressToken: 'p' }));
  await client.next('progress', (m) => m.params?.progressToken === 'p');
  await client.terminate();
  await away(node, client.session);
  await idle(node, client.session);
  assert.ok((await show(node, client.session)).outbound <= 5);
  const back = await Socket.open(node, { session: client.session });
  const answer = await until('the answer', () => back.messages.find((m) => m.id === 1));
  assert.deepEqual(back.messages.slice(0, -1).map((m) => m.params.progress), [37, 38, 39, 40]);
  assert.equal(back.messages.at(-1), answer);
});

test('HTTP: the stream of a call that was dropped goes on by Last-Event-ID, without gap or repetition', async () => {
  const node = await Node.start();
  const cable = await wire(node);
  const client = await Poster.start(node);
  const begun = await send({ port: cable.port }, { body: call(1, 'progress', { steps: 20, delay_ms: 20 }, { progressToken: 1 }), headers: client.headers() });
  assert.equal(begun.headers['content-type'], 'text/event-stream');
  await until('some progress', () => begun.events.filter((e) => e.message).length >= 3);
  cable.cut();
  await begun.ended;
  const had = begun.events.filter((e) => e.id);
  assert.equal(new Set(had.map((e) => e.id)).size, had.length);
  const rest = await client.get({ 'last-event-id': had.at(-1).id });
  assert.equal(rest.status, 200);
  await rest.ended;
  const steps = [...had, ...rest.events].filter((e) => e.message?.method).map((e) => e.message.params.progress);
  assert.deepEqual(steps, Array.from({ length: 20 }, (_, i) => i + 1));
  assert.equal(text(rest.events.at(-1).message.result), 'took 20 steps');
  // From any place, as often as one likes, also when all of it is over.
  const whole = await (await client.get({ 'last-event-id': had[0].id })).ended;
  assert.deepEqual(whole.events.map((e) => e.id), [...had.slice(1), ...rest.events].map((e) => e.id).filter(Boolean));
});

test('HTTP: each stream is replayed by itself', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  const streams = await Promise.all([1, 2, 3].map((id) =>
    client.begin(call(id, 'progress', { steps: 3, delay_ms: 20 }, { progressToken: id }))));
  await Promise.all(streams.map((s) => s.ended));
  for (const [i, stream] of streams.entries()) {
    const again = await (await client.get({ 'last-event-id': stream.events[0].id })).ended;
    assert.deepEqual(again.events, stream.events.slice(1));
    assert.equal(again.events.at(-1).message.id, i + 1);
  }
});

test('a session outlives all its connections, until its time to live', async () => {
  const node = await Node.start(['--set', 'session.ttl=1s']);
  const connected = await Socket.start(node);
  await connected.ask(call(1, 'state_set', { key: 'k', value: 'kept' }));
  const left = await Socket.start(node);
  const posted = await Poster.start(node);
  await left.terminate();
  await away(node, left.session);
  assert.equal(await posted.tool('echo', { message: 'alive' }), 'alive');
  // Looking for it by a resume would keep it alive.
  for (const session of [left.session, posted.session])
    await until('the end of its life', async () => (await node.api(`sessions/show?id=${session}`)).status === 404);
  assert.equal((await known(node, left.session)).status, 404);
  assert.equal((await posted.post(call(1, 'echo', { message: 'late' }))).status, 404);
  assert.equal(text((await connected.ask(call(2, 'state_get', { key: 'k' }))).result), 'kept', 'who is connected lives on');
});
