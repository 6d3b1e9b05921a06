// Clients of /mcp that mean no good, or know no better: each gets the error that the protocol has for it, or a close code, and
// a good client is served all the while.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node, connect, until } from './node.mjs';
import { Poster, Socket, call, initialize, initialized, latest, megabyte, send, text } from './clients.mjs';

const hour = 3_600_000;
const ping = (id = 1) => ({ jsonrpc: '2.0', id, method: 'ping' });
const nested = (depth) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`;
const badUtf8 = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"'), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from('"}}')]);

// What is JSON, but no message of JSON-RPC.
const shapes = {
  'a number': '1',
  'a string': '"ping"',
  null: 'null',
  'an empty object': '{}',
  'no version': '{"id":1,"method":"ping"}',
  'version 1.0': '{"jsonrpc":"1.0","id":1,"method":"ping"}',
  'version as a number': '{"jsonrpc":2.0,"id":1,"method":"ping"}',
  'a method that is a number': '{"jsonrpc":"2.0","id":1,"method":5}',
  'a method and a result': '{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}',
  'neither method nor result': '{"jsonrpc":"2.0","id":1}',
  'a result and an error': '{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"x"}}',
  'params that are an array': '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}',
  'an id that is null': '{"jsonrpc":"2.0","id":null,"method":"ping"}',
  'an id that is a fraction': '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
  'an id that is an object': '{"jsonrpc":"2.0","id":{},"method":"ping"}',
  'an id that is too long': `{"jsonrpc":"2.0","id":"${'x'.repeat(1000)}","method":"ping"}`,
  'a member twice': '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
  'a hundred levels': nested(100),
  'ten thousand levels': nested(10_000),
};

// What is no JSON.
const noise = {
  'an empty message': '',
  'no JSON': 'hello',
  'half a message': '{"jsonrpc":"2.0","id":1,"method":"pi',
  'two messages': '{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}',
  'a byte order mark': '\ufeff{"jsonrpc":"2.0","id":1,"method":"ping"}',
  'NaN': '{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
  'a comma too many': '{"jsonrpc":"2.0","id":1,"method":"ping",}',
  'a lone surrogate': '{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
  'a control character': '{"jsonrpc":"2.0","id":1,"method":"pi\nng"}',
};

// Asks a node of which somebody else may have asked too much.
async function well(client, what) {
  const said = client instanceof Poster ? await client.tool('echo', { message: 'well' })
    : text((await client.ask(call('well', 'echo', { message: 'well' }))).result);
  assert.equal(said, 'well', `after ${what}`);
}

const isError = (answer, code, what) => {
  assert.equal(answer?.jsonrpc, '2.0', what);
  assert.equal(answer.error?.code, code, `${what}: ${JSON.stringify(answer)}`);
  assert.ok(answer.error.message, what);
};

test('WebSocket: what is no message is told so, and the connection goes on', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  for (const [cases, code] of [[shapes, -32600], [noise, -32700]])
    for (const [what, bytes] of Object.entries(cases)) {
      client.send(bytes);
      const answer = await client.next(`an error for ${what}`, (m) => m.error !== undefined);
      isError(answer, code, what);
      assert.ok(answer.id === null || answer.id === 1, `${what}: ${JSON.stringify(answer)}`);
      await well(client, what);
    }
});

test('HTTP: what is no message is told so, and the session goes on', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  for (const [cases, code] of [[shapes, -32600], [noise, -32700], [{ 'bad UTF-8': badUtf8 }, -32700]])
    for (const [what, bytes] of Object.entries(cases)) {
      const answer = await client.post(bytes);
      assert.equal(answer.status, 400, `${what}: ${answer.text}`);
      isError(answer.message, code, what);
      await well(client, what);
      const stranger = await (await send(node, { body: bytes })).ended;
      assert.equal(stranger.status, 400, `${what} without a session`);
    }
});

test('WebSocket: frames that break a rule close the connection with a code, and the session can be resumed', async () => {
  const node = await Node.start();
  const good = await Socket.start(node);
  const cases = {
    'a binary frame': [1003, (s) => s.socket.send(JSON.stringify(ping()), { binary: true })],
    'bad UTF-8': [1007, (s) => s.socket.send(badUtf8, { binary: false })],
    'a huge message': [1009, (s) => s.send(`"${'x'.repeat(5 * megabyte)}"`)],
    'a huge frame that is only announced': [1009, (s) => s.socket._socket.write(Buffer.from('81ff7fffffffffffffff00000000', 'hex'))],
    'an unmasked frame': [1002, (s) => s.socket._socket.write(Buffer.from('81027b7d', 'hex'))],
    'a reserved bit': [1002, (s) => s.socket._socket.write(Buffer.from('c182000000007b7d', 'hex'))],
    'an unknown opcode': [1002, (s) => s.socket._socket.write(Buffer.from('8382000000007b7d', 'hex'))],
    'a ping that is too long': [1002, (s) => s.socket._socket.write(Buffer.from('89fe007e00000000', 'hex'))],
    'a continuation of nothing': [1002, (s) => s.socket._socket.write(Buffer.from('8082000000007b7d', 'hex'))],
  };
  for (const [what, [code, act]] of Object.entries(cases)) {
    const client = await Socket.start(node);
    await client.ask(call(1, 'state_set', { key: 'k', value: what }));
    act(client);
    assert.equal((await client.closed).code, code, what);
    await well(good, what);
    const back = await Socket.open(node, { session: client.session });
    assert.equal(text((await back.ask(call(1, 'state_get', { key: 'k' }))).result), what);
    await back.terminate();
  }
});

test('WebSocket: fragments, pings and large messages within the limit are fine', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  const message = JSON.stringify(call(1, 'echo', { message: 'ä'.repeat(megabyte) }));
  for (let at = 0; at < message.length; at += 100_001) {
    const end = Math.min(at + 100_001, message.length);
    client.socket.send(message.slice(at, end), { fin: end === message.length, binary: false });
    client.socket.ping('between');
  }
  assert.equal(text((await client.answer(1)).result).length, megabyte);
});

test('WebSocket: what does not begin a WebSocket is refused before it is one', async () => {
  const node = await Node.start();
  const good = await Socket.start(node);
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'x'.repeat(22) + '==', accept: '*/*' };
  for (const [what, status, headers] of [
    ['no key', 400, { 'sec-websocket-key': undefined }],
    ['a bad key', 400, { 'sec-websocket-key': 'short' }],
    ['an old version', 426, { 'sec-websocket-version': '8' }],
    ['no version', 426, { 'sec-websocket-version': undefined }],
    ['no connection header', 400, { connection: 'close' }],
    ['a foreign origin', 403, { origin: 'https://evil.example' }],
    ['an opaque origin', 403, { origin: 'null' }],
    ['a foreign host', 403, { host: 'evil.example' }],
  ]) {
    const answer = await (await send(node, { method: 'GET', headers: { ...upgrade, ...headers } })).ended;
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    assert.equal(answer.headers['content-type'], 'application/json', what);
    assert.ok(JSON.parse(answer.text).error.code, what);
    await well(good, what);
  }
  await (await Socket.open(node, { headers: { origin: 'http://localhost:3000' } })).terminate();
  assert.equal((await Socket.open(node, { protocol: null })).socket.protocol, '', 'who offers no subprotocol gets none');
  assert.equal((await Socket.open(node)).socket.protocol, 'mcp');
});

test('HTTP: what a request must be before anybody reads it', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  const id = { 'mcp-session-id': client.session };
  const cases = [
    ['no Accept', 406, -32000, { headers: { ...id, accept: undefined } }],
    ['Accept without SSE', 406, -32000, { headers: { ...id, accept: 'application/json' } }],
    ['Accept without JSON', 406, -32000, { headers: { ...id, accept: 'text/event-stream' } }],
    ['no Content-Type', 415, -32000, { headers: { ...id, 'content-type': undefined } }],
    ['a wrong Content-Type', 415, -32000, { headers: { ...id, 'content-type': 'text/plain' } }],
    ['a foreign origin', 403, -32000, { headers: { ...id, origin: 'https://evil.example' } }],
    ['an opaque origin', 403, -32000, { headers: { ...id, origin: 'null' } }],
    ['a foreign host', 403, -32000, { headers: { ...id, host: 'evil.example' } }],
    ['a host that only begins well', 403, -32000, { headers: { ...id, host: '127.0.0.1.evil.example' } }],
    ['an unknown revision', 400, -32000, { headers: { ...id, 'mcp-protocol-version': '1999-01-01' } }],
    ['a revision that is none', 400, -32000, { headers: { ...id, 'mcp-protocol-version': 'x'.repeat(1000) } }],
    ['no session', 400, -32000, {}],
    ['an unknown session', 404, -32001, { headers: { 'mcp-session-id': '0'.repeat(32) } }],
    ['a session that is no id', 404, -32001, { headers: { 'mcp-session-id': '../x y' } }],
    ['a second initialize', 400, -32600, { headers: id, body: initialize() }],
    ['GET without Accept', 406, -32000, { method: 'GET', headers: id }],
    ['GET without a session', 400, -32000, { method: 'GET', headers: { accept: 'text/event-stream' } }],
    ['GET of an unknown session', 404, -32001, { method: 'GET', headers: { accept: 'text/event-stream', 'mcp-session-id': 'x' } }],
    ['DELETE without a session', 400, -32000, { method: 'DELETE' }],
    ['DELETE of an unknown session', 404, -32001, { method: 'DELETE', headers: { 'mcp-session-id': 'x' } }],
    ['PUT', 405, -32000, { method: 'PUT', headers: id }],
    ['PATCH', 405, -32000, { method: 'PATCH', headers: id }],
  ];
  for (const [what, status, code, request] of cases) {
    const body = ['GET', 'DELETE'].includes(request.method) ? undefined : ping();
    const answer = await (await send(node, { body, ...request })).ended;
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    assert.equal(answer.headers['content-type'], 'application/json', what);
    isError(JSON.parse(answer.text), code, what);
    await well(client, what);
  }
  const huge = await client.begin('{"jsonrpc":"2.0","id":1,', { 'content-length': String(5 * megabyte) });
  assert.equal(huge.status, 413, 'as soon as it is announced');
  await well(client, 'a huge body');
});

test('wrong order: before initialize, and a second one', async () => {
  const node = await Node.start();
  const client = await Socket.open(node);
  client.send(initialized);
  isError(await client.ask(call(1, 'echo', { message: 'x' })), -32000, 'a call before initialize');
  isError(await client.ask({ jsonrpc: '2.0', id: 2, method: 'tools/list' }), -32000, 'a list before initialize');
  assert.deepEqual((await client.ask(ping(3))).result, {}, 'a ping is always answered');
  for (const params of [undefined, {}, { protocolVersion: 5, capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    { protocolVersion: latest, capabilities: [], clientInfo: { name: 'x', version: '1' } }, { protocolVersion: latest, capabilities: {} }])
    isError(await client.ask({ jsonrpc: '2.0', id: 4, method: 'initialize', params }), -32602, JSON.stringify(params));
  assert.equal((await client.ask(initialize(latest, 5))).result.protocolVersion, latest);
  isError(await client.ask(initialize(latest, 6)), -32600, 'a second initialize');
  // The reference servers serve who does not say that it is initialized.
  await well(client, 'initialize');
  const bad = await (await send(node, { body: { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} } })).ended;
  isError(JSON.parse(bad.text), -32602, 'initialize over HTTP');
});

test('unknown methods and wrong parameters are errors, unknown notifications and answers are nothing', async () => {
  const node = await Node.start();
  const [socket, poster] = [await Socket.start(node), await Poster.start(node)];
  const ask = [(m) => socket.ask(m), async (m) => {
    const answer = await poster.post(m);
    assert.equal(answer.status, 200, answer.text);
    return answer.message;
  }];
  const cases = [
    [-32601, 'no/such/method'], [-32601, ''], [-32601, 'server/discover'], [-32601, 'sampling/createMessage'], [-32601, 'notifications/initialized'],
    [-32602, 'tools/call'], [-32602, 'tools/call', { name: 5 }], [-32602, 'tools/call', { name: 'no_such_tool' }],
    [-32602, 'tools/call', { name: 'echo', arguments: 'x' }], [-32602, 'tools/call', { name: 'echo', arguments: [] }],
    [-32602, 'tools/call', { name: 'echo', arguments: { message: 'x' }, _meta: { progressToken: {} } }],
    [-32602, 'tools/list', { cursor: 'nonsense' }], [-32602, 'tools/list', { cursor: 5 }], [-32602, 'resources/list', { cursor: '' }],
    [-32602, 'resources/read', {}], [-32002, 'resources/read', { uri: 'no://such' }], [-32602, 'resources/subscribe', {}],
    [-32602, 'prompts/get', { name: 'no_such_prompt' }], [-32602, 'prompts/get', { name: 'greet', arguments: { name: 5 } }],
    [-32602, 'completion/complete', {}], [-32602, 'completion/complete', { ref: { type: 'ref/none' }, argument: { name: 'a', value: '' } }],
    [-32602, 'logging/setLevel', { level: 'loud' }], [-32602, 'logging/setLevel', {}],
  ];
  for (const f of ask)
    for (const [code, method, params] of cases)
      isError(await f({ jsonrpc: '2.0', id: 1, method, params }), code, `${method} ${JSON.stringify(params)}`);
  const ignored = [
    { method: 'notifications/no_such' }, { method: 'notifications/cancelled', params: { requestId: 'nobody' } }, { method: 'notifications/cancelled' },
    { method: 'notifications/cancelled', params: { requestId: {} } }, { method: 'notifications/progress', params: { progressToken: 1, progress: 1 } },
    { method: 'tools/call', params: { name: 'echo' } }, { id: 99, result: {} }, { id: 99, error: { code: 1, message: 'x' } },
  ];
  for (const message of ignored) {
    socket.send({ jsonrpc: '2.0', ...message });
    const answer = await poster.post({ jsonrpc: '2.0', ...message });
    assert.deepEqual([answer.status, answer.text], [202, ''], JSON.stringify(message));
  }
  await well(poster, 'notifications');
  await well(socket, 'notifications');
  assert.deepEqual(socket.messages.filter((m) => !m.method), []);
});

test('two requests with one id: the second is refused, the first gets its answer', async () => {
  const node = await Node.start();
  const socket = await Socket.start(node);
  const steps = (id) => call(id, 'progress', { steps: 40, delay_ms: 25 }, { progressToken: 'p' });
  socket.send(steps('same'));
  await socket.next('the first to run', (m) => m.params?.progressToken === 'p');
  isError(await socket.ask(call('same', 'echo', { message: 'x' })), -32600, 'over a WebSocket');
  assert.equal(text((await socket.answer('same')).result), 'took 40 steps');
  const poster = await Poster.start(node);
  const first = await poster.begin(steps(7));
  await until('the first to run', () => first.events.some((e) => e.message));
  isError((await poster.post(call(7, 'echo', { message: 'x' }))).message, -32600, 'over HTTP');
  await first.ended;
  assert.equal(text(first.events.at(-1).message.result), 'took 40 steps');
  assert.equal((await poster.post(call(7, 'echo', { message: 'again' }))).message.id, 7, 'then it is free');
});

test('a Last-Event-ID that nobody gave out brings a stream with nothing in it, or an end', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  for (const id of ['nonsense', '1-1-1', '1-0-0', '9-9-9', '1-5-18446744073709551615', '99999999999999999999-1-1', '-1-1-1', 'x'.repeat(2000), '1-1']) {
    const stream = await client.get({ 'last-event-id': id });
    assert.equal(stream.status, 200, id);
    stream.drop();
    assert.deepEqual(stream.events, [], id);
    await well(client, id);
  }
});

test('limits of a session and of the node hold, and say so', async () => {
  const node = await Node.start(['--set', 'limits.session_calls=3', '--set', 'limits.sessions=3']);
  const client = await Socket.start(node);
  for (const id of [1, 2, 3]) client.send(call(id, 'sleep', { ms: hour }));
  const { error } = await client.ask(call(4, 'sleep', { ms: hour }));
  assert.deepEqual([error.code, error.data.retryable], [-31503, true]);
  client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 2 } });
  assert.equal(text((await client.ask(call(5, 'echo', { message: 'x' }))).result), 'x', 'there is room again');
  const second = await Poster.start(node);
  await Poster.start(node);
  const refused = await (await send(node, { body: initialize() })).ended;
  assert.deepEqual([refused.status, refused.headers['retry-after'] !== undefined], [503, true]);
  await assert.rejects(Socket.open(node), (e) => e.status === 503 && e.answer.headers['retry-after'] !== undefined);
  await second.delete();
  await until('room for another', async () => (await (await send(node, { body: initialize() })).ended).status === 200);
  assert.deepEqual(client.messages.filter((m) => m.id === 2), [], 'a cancelled request has no answer');
});

test('who does not read is cut, and others are served', async () => {
  const node = await Node.start(['--set', 'limits.backlog_bytes=4MiB']);
  const slow = await Socket.start(node);
  await slow.ask(call('set', 'state_set', { key: 'k', value: 'kept' }));
  slow.socket._socket.pause();
  for (let id = 0; id < 40; ++id) slow.send(call(id, 'blob', { bytes: megabyte }));
  const good = await Socket.start(node);
  await until('the cut', async () => (await node.api(`sessions/show?id=${slow.session}`)).body.connected === false);
  await well(good, 'a slow reader');
  await slow.terminate();
  const back = await Socket.open(node, { session: slow.session });
  assert.equal(text((await back.ask(call('get', 'state_get', { key: 'k' }))).result), 'kept');
});

test('an answer that is larger than any connection may have waiting is an error, and the session lives', async () => {
  const node = await Node.start(['--set', 'limits.backlog_bytes=4MiB']);
  const socket = await Socket.start(node);
  const poster = await Poster.start(node);
  assert.ok((await poster.post(call(1, 'blob', { bytes: 5 * megabyte }))).message?.error, 'over HTTP');
  await well(poster, 'a large answer');
  assert.ok((await socket.ask(call(1, 'blob', { bytes: 5 * megabyte }))).error, 'over a WebSocket');
  await well(socket, 'a large answer');
});

test('connections that end in the middle of anything leave nothing behind', async () => {
  const node = await Node.start();
  const good = await Socket.start(node);
  const body = JSON.stringify(initialize());
  const head = (length) => `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  for (let round = 0; round < 20; ++round) {
    const raw = connect(node.port, head(body.length) + body.slice(0, round * 5));
    await raw.opened;
    raw.socket.destroy();
    const whole = connect(node.port, head(body.length) + body);
    await whole.opened;
    whole.socket.destroy();
    const socket = await Socket.open(node);
    socket.send(initialize());
    await socket.terminate();
  }
  await well(good, 'all of it');
  await until('all connections to end', async () => (await node.metric('cafmcp_http_connections{port="service"}')) <= 2);
});
