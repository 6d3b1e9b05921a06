// What the operator sees of sessions and servers, and how a session is ended: cafmcpctl against a node whose clients speak
// Streamable HTTP.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node, alone, run, until } from './node.mjs';

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const handle = /^s-[a-z0-9]{10}$/;

/** A client with a session of its own. */
class Client {
  static async open(node, name = 'tester') {
    const client = new Client();
    client.node = node;
    client.next = 1;
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name, version: '1.2.3' } };
    const answer = await client.post({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    assert.equal(answer.status, 200);
    client.id = answer.headers.get('mcp-session-id');
    await answer.text();
    const ready = await client.post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    assert.equal(ready.status, 202);
    return client;
  }

  post(message) {
    const headers = { ...alone.headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    if (this.id) Object.assign(headers, { 'mcp-session-id': this.id, 'mcp-protocol-version': '2025-11-25' });
    return fetch(`${this.node.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) });
  }

  /** Calls a tool; resolves to the whole JSON-RPC answer. */
  async call(name, args = {}) {
    const id = this.next++;
    const answer = await this.post({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } });
    assert.equal(answer.status, 200);
    const text = await answer.text();
    if (!answer.headers.get('content-type').startsWith('text/event-stream')) return JSON.parse(text);
    const events = text.split('\n').filter((line) => /^data: ?\{/.test(line)).map((line) => JSON.parse(line.slice(5)));
    return events.find((message) => message.id === id);
  }
}

/** The JSON of a command that must succeed. */
async function json(node, ...words) {
  const done = await node.ctl('--json', ...words);
  assert.equal(done.code, 0, done.err);
  return JSON.parse(done.out);
}

test('a session is listed, shown, explained and killed', async () => {
  const node = await Node.start(['--name', 'n1']);
  assert.deepEqual(await json(node, 'session', 'list'), []);
  assert.equal((await node.ctl('session', 'list')).out, 'no sessions\n');
  const client = await Client.open(node);
  const other = await Client.open(node, 'other');
  await client.call('state_set', { key: 'cart', value: 'not for everybody' });

  const list = await json(node, 'session', 'list');
  assert.equal(list.length, 2);
  const mine = list.find((session) => session.client.name === 'tester');
  assert.match(mine.id, handle);
  for (const time of [mine.created, mine.last_active]) assert.match(time, iso);
  const { node: where, replicas, era, version, client: info, status, connected } = mine;
  assert.deepEqual({ where, replicas, era, version, info, status, connected }, {
    where: 'n1', replicas: [], era: 'session', version: '2025-11-25', info: { name: 'tester', version: '1.2.3' }, status: 'active', connected: false,
  });
  assert.ok(mine.bytes > 100);

  // By the handle or the whole id; neither the id nor values are ever shown.
  const shown = await node.ctl('--json', 'session', 'show', mine.id);
  const [session] = JSON.parse(shown.out);
  assert.equal(session.id, mine.id);
  assert.deepEqual(session.user.map(({ key }) => key), ['cart']);
  assert.ok(session.user[0].bytes >= 'not for everybody'.length);
  assert.deepEqual(session.subscriptions, []);
  assert.equal((await json(node, 'session', 'show', client.id))[0].id, mine.id);
  const why = await node.ctl('--json', 'why', mine.id);
  const { owner, in_sync, epoch, actor, events } = JSON.parse(why.out);
  assert.deepEqual({ owner, in_sync, epoch, status: actor.status }, { owner: 'n1', in_sync: ['n1'], epoch: 1, status: 'active' });
  assert.ok(actor.pid > 0 && actor.restarts === 0);
  assert.equal(events[0].what, 'created');
  assert.equal(events[0].at, mine.created);
  const drawn = [await node.ctl('session', 'list'), await node.ctl('session', 'show', mine.id), await node.ctl('why', mine.id)];
  for (const { code, out } of [...drawn, shown, why]) {
    assert.equal(code, 0);
    assert.ok(out.includes(mine.id));
    for (const secret of [client.id, 'not for everybody', '\x1b']) assert.ok(!out.includes(secret), secret);
  }

  const killed = await json(node, 'session', 'kill', mine.id);
  assert.deepEqual({ ...killed, millis: 0 }, { id: mine.id, from: 'n1', to: null, millis: 0 });
  assert.ok(killed.millis >= 0 && killed.millis < 5000);
  assert.equal((await client.post({ jsonrpc: '2.0', id: 9, method: 'ping' })).status, 404);
  assert.equal((await other.post({ jsonrpc: '2.0', id: 9, method: 'ping' })).status, 200);
  assert.deepEqual((await json(node, 'session', 'list')).map(({ client: { name } }) => name), ['other']);
  for (const words of [['session', 'show', mine.id], ['session', 'kill', mine.id], ['why', client.id]]) {
    const refused = await node.ctl(...words);
    assert.equal(refused.code, 1, words.join(' '));
    assert.match(refused.err, /no session/);
    assert.equal(refused.out, '');
  }
});

test('lists have limits, and commands have usage', async () => {
  const node = await Node.start(['--name', 'n1']);
  await Promise.all(Array.from({ length: 8 }, () => Client.open(node)));
  assert.equal((await json(node, 'session', 'list')).length, 8);
  assert.equal((await json(node, 'session', 'list', '--limit', '3')).length, 3);
  assert.equal((await json(node, 'session', 'list', '--node', 'n1', '--limit=5')).length, 5);
  for (const [code, ...words] of [
    [1, 'session', 'list', '--node', 'n2'], [1, 'session', 'list', '--limit', '0'], [1, 'session', 'show', 'a b/c?d=e&f#g%'],
    [2, 'session'], [2, 'session', 'nonsense'], [2, 'session', 'show'], [2, 'session', 'list', '--bogus'], [2, 'why'], [2, '--bogus', 'status'],
  ]) assert.equal((await node.ctl(...words)).code, code, words.join(' '));
  // Options of the program may stand behind the command.
  const behind = await run('cafmcpctl', ['session', 'list', '--json', '--limit', '2', '--node', node.admin, '--token', node.token]);
  assert.equal(behind.code, 0, behind.err);
  assert.equal(JSON.parse(behind.out).length, 2);
  const help = await run('cafmcpctl', ['--help']);
  for (const command of ['session list', 'session show', 'session kill', 'why', 'server list']) assert.ok(help.out.includes(command));
  assert.match((await run('cafmcpctl', ['session', 'show', '--help', '--token', 'x'.repeat(16)])).out, /session show ID/);
  const script = await run('cafmcpctl', ['--node', node.admin, '--token', node.token], { input: 'help\nsession list --limit 1\nserver list\nexit\n' });
  assert.equal(script.code, 0, script.err);
  assert.match(script.out, /1 session\n/);
});

test('servers are listed with what they offer and how their calls went', async () => {
  const node = await Node.start(['--name', 'n1']);
  const client = await Client.open(node);
  for (let i = 0; i < 5; ++i) await client.call('echo', { message: 'x' });
  await client.call('crash');
  const demo = (await json(node, 'server', 'list')).find(({ name }) => name === 'demo');
  const { kind, node: where, status, calls, errors } = demo;
  assert.deepEqual({ kind, where, status, calls, errors }, { kind: 'native', where: 'n1', status: 'up', calls: 6, errors: 1 });
  assert.ok(demo.tools >= 11 && demo.p99_ms > 0 && demo.restarts === 0);
  assert.match((await node.ctl('server', 'list')).out, /^demo +native +n1 +up /m);
  assert.equal(await node.metric('cafmcp_server_calls_total{server="demo"}'), 6);
  assert.equal(await node.metric('cafmcp_server_errors_total{server="demo"}'), 1);
  assert.equal(await node.metric('cafmcp_server_call_seconds_count{server="demo"}'), 6);
});

test('status and metrics count sessions and messages', async () => {
  const node = await Node.start();
  const clients = await Promise.all(Array.from({ length: 3 }, () => Client.open(node)));
  const status = await json(node, 'status');
  assert.equal(status.sessions, 3);
  assert.equal(status.sessions_active, 3);
  assert.equal(await node.metric('cafmcp_sessions'), 3);
  assert.equal(await node.metric('cafmcp_sessions_stored'), 3);
  assert.ok((await node.metric('cafmcp_messages_total{direction="in"}')) >= 6);
  await json(node, 'session', 'kill', clients[0].id);
  assert.equal((await json(node, 'status')).sessions, 2);
  assert.equal(await node.metric('cafmcp_sessions_stored'), 2);
  await until('the actor to be gone', async () => (await node.metric('cafmcp_sessions')) === 2);
});

test('the tree shows some of many sessions and counts the rest', async () => {
  const node = await Node.start(['--set', 'runtime.threads=1']);
  for (let i = 0; i < 30; ++i) await Client.open(node);
  const instances = (text) => text.split('\n').filter((line) => /#\d+ /.test(line)).length;
  const few = await node.ctl('tree');
  assert.equal(instances(few.out), 10);
  assert.match(few.out, /… and 20 more/);
  const all = await node.ctl('tree', '--all');
  assert.equal(instances(all.out), 30);
  assert.doesNotMatch(all.out, /more/);
  assert.equal(instances((await node.ctl('tree', 'sessions')).out), 30);
});

test('an actor that dies costs nothing, and why tells of it', async () => {
  const node = await Node.start(['--set', 'admin.test_hooks=true', '--set', 'runtime.threads=1']);
  const client = await Client.open(node);
  await client.call('state_set', { key: 'k', value: 'v' });
  const before = await json(node, 'why', client.id);
  assert.equal((await node.api('test/kill', { id: `#${before.actor.pid}` })).status, 200);
  const after = await until('a successor', async () => {
    await client.call('state_get', { key: 'k' });
    const why = await json(node, 'why', client.id);
    return why.actor.status === 'active' && why.actor.pid !== before.actor.pid && why;
  });
  assert.ok(after.events.length > before.events.length);
  assert.deepEqual(after.events.map(({ at }) => at), after.events.map(({ at }) => at).sort());
});
