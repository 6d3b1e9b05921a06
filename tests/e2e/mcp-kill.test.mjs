// Actors die while clients work: each death costs what it must, and not more.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node, flatten, until } from './node.mjs';
import { Poster, Socket, call, text } from './clients.mjs';

const hour = 3_600_000;
const hooks = ['--set', 'admin.test_hooks=true'];
const show = async (node, session) => (await node.api(`sessions/show?id=${session}`)).body;
const tree = async (node) => flatten((await node.api('tree')).body);
const isSession = (actor) => /\/members\/#\d+$/.test(actor.path);
const isInDoubt = (error) => error?.code === -31500 && error.data.reason === 'in_doubt' && error.data.retryable === false;
const isRetryable = (error) => error?.code === -31503 && error.data.retryable === true;
const running = (node, client, count) =>
  until(`${count} running calls`, async () => (await show(node, client.session)).running === count);

async function kill(node, id, how = 'kill') {
  assert.equal((await node.api('test/kill', { id, how })).status, 200, id);
}

// Where in the tree the actor of a session is.
function actorOf(node, session) {
  return until('the actor of the session', async () => {
    const { pid } = (await node.api(`sessions/why?id=${session}`)).body.actor;
    return pid && (await tree(node)).find((a) => isSession(a) && a.pid === pid)?.path;
  });
}

test('crash costs one error answer: what else runs in the session goes on', async () => {
  const node = await Node.start();
  const client = await Socket.start(node);
  const actor = await actorOf(node, client.session);
  client.send(call(1, 'sleep', { ms: 300 }));
  const crashes = await Promise.all(Array.from({ length: 30 }, (_, i) => client.ask(call(`c${i}`, 'crash'))));
  for (const answer of crashes) assert.equal(answer.result.isError, true);
  assert.equal(text((await client.answer(1)).result), 'slept for 300 ms');
  assert.equal(await actorOf(node, client.session), actor, 'it is the same actor');
});

test('a killed session costs a WebSocket its running calls, and nothing else', async () => {
  const node = await Node.start(hooks);
  const other = await Socket.start(node);
  const client = await Socket.start(node);
  other.send(call(1, 'sleep', { ms: 1500 }));
  for (let round = 0; round < 3; ++round) {
    await client.ask(call('set', 'state_set', { key: 'round', value: round }));
    const ids = [0, 'text', 17];
    for (const id of ids) client.send(call(id, 'sleep', { ms: hour }));
    await running(node, client, 3);
    await kill(node, await actorOf(node, client.session));
    for (const id of ids) {
      const { error } = await client.answer(id);
      assert.ok(isInDoubt(error), JSON.stringify(error));
    }
    assert.equal(text((await client.ask(call('get', 'state_get', { key: 'round' }))).result), String(round));
  }
  assert.equal(client.code, undefined, 'the socket stayed open');
  assert.deepEqual(client.messages.filter((m) => m.id !== undefined), [], 'and nothing was answered twice');
  assert.equal(text((await other.answer(1)).result), 'slept for 1500 ms', 'other sessions do not notice');
});

test('a killed session costs HTTP its running calls, and nothing else', async () => {
  const node = await Node.start(hooks);
  const client = await Poster.start(node);
  const listening = await client.get();
  await client.tool('state_set', { key: 'k', value: 'kept' });
  const stream = await client.begin(call(1, 'progress', { steps: 1000, delay_ms: 50 }, { progressToken: 1 }));
  const late = client.post(call(2, 'sleep', { ms: hour }));
  await running(node, client, 2);
  await until('some progress', () => stream.events.length > 2);
  await kill(node, await actorOf(node, client.session));
  await stream.ended;
  assert.ok(isInDoubt(stream.events.at(-1).message.error), JSON.stringify(stream.events.at(-1)));
  assert.ok(isInDoubt((await late).message.error));
  assert.equal(await client.tool('state_get', { key: 'k' }), 'kept', 'the same id is good for the next call');
  assert.ok(!listening.over, 'the stream of the GET stays');
});

test('clients that were away when their session was killed hear of it when they come back', async () => {
  const node = await Node.start(hooks);
  const socket = await Socket.start(node);
  await socket.ask(call('set', 'state_set', { key: 'k', value: 'kept' }));
  socket.send(call(1, 'sleep', { ms: hour }));
  await running(node, socket, 1);
  await socket.terminate();
  const poster = await Poster.start(node);
  const stream = await poster.begin(call(1, 'progress', { steps: 1000, delay_ms: 50 }, { progressToken: 1 }));
  await until('some progress', () => stream.events.length > 1);
  stream.drop();
  await until('the node to notice', async () => (await show(node, socket.session)).connected === false);
  for (const { session } of [socket, poster]) await kill(node, await actorOf(node, session));
  const back = await Socket.open(node, { session: socket.session });
  const { error } = await back.answer(1);
  assert.ok(isInDoubt(error), JSON.stringify(error));
  assert.equal(text((await back.ask(call(2, 'state_get', { key: 'k' }))).result), 'kept');
  const rest = await (await poster.get({ 'last-event-id': stream.events[0].id })).ended;
  assert.ok(isInDoubt(rest.events.at(-1).message.error), JSON.stringify(rest.events.at(-1)));
});

test('calls that come while the session is dead are answered, or may be sent again', async () => {
  const node = await Node.start(hooks);
  const client = await Socket.start(node);
  const actor = await actorOf(node, client.session);
  const killed = kill(node, actor);
  const answers = await Promise.all(Array.from({ length: 300 }, async (_, i) => {
    const answer = await client.ask(call(i, 'state_incr', { key: 'n' }));
    if (answer.error) assert.ok(isRetryable(answer.error) || isInDoubt(answer.error), JSON.stringify(answer.error));
    return answer;
  }));
  await killed;
  const done = answers.filter((a) => a.result).length;
  const doubtful = answers.filter((a) => isInDoubt(a.error)).length;
  const count = Number(text((await client.ask(call('n', 'state_get', { key: 'n' }))).result));
  assert.ok(count >= done && count <= done + doubtful, `${done} counted, ${doubtful} in doubt, ${count} found`);
});

test('a session that dies with every message is refused for a while, and others are not', async () => {
  const node = await Node.start(hooks);
  const other = await Socket.start(node);
  const client = await Poster.start(node);
  let status = 200;
  for (let i = 0; i < 20 && status === 200; ++i) {
    await kill(node, await actorOf(node, client.session));
    const answer = await client.post(call(i, 'echo', { message: 'x' }));
    status = answer.status;
    if (status !== 200) assert.ok(answer.headers['retry-after'], 'it may come back later');
  }
  assert.equal(status, 503);
  assert.equal(text((await other.ask(call(1, 'echo', { message: 'well' }))).result), 'well');
});

test('a shard that dies costs its own sessions their running calls, and the others nothing', async () => {
  const node = await Node.start([...hooks, '--set', 'runtime.threads=2']);
  const clients = await Promise.all(Array.from({ length: 8 }, () => Socket.start(node)));
  for (const client of clients) {
    client.shard = (await actorOf(node, client.session)).split('/').slice(0, 3).join('/');
    await client.ask(call('set', 'state_set', { key: 'k', value: client.session }));
  }
  assert.equal(new Set(clients.map((c) => c.shard)).size, 2, 'both shards have sessions');
  const shard = clients[0].shard;
  for (const [victim, hits] of [[`${shard}/shard`, () => false], [`${shard}/members`, (c) => c.shard === shard], [shard, (c) => c.shard === shard]]) {
    for (const client of clients) client.send(call(victim, 'sleep', { ms: hour }));
    for (const client of clients) await until('the call to run', async () => (await show(node, client.session)).running > 0);
    await kill(node, victim);
    for (const client of clients.filter(hits)) assert.ok(isInDoubt((await client.answer(victim)).error), victim);
    for (const client of clients) {
      const retried = await until(`${victim} to be back`, async () => {
        const answer = await client.ask(call('get', 'state_get', { key: 'k' }));
        return isRetryable(answer.error) ? undefined : answer;
      });
      assert.equal(text(retried.result), client.session);
      assert.deepEqual(client.messages.filter((m) => m.id === victim), [], `${victim}: no answer twice, nor where none is due`);
      client.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: victim } });
    }
    for (const client of clients) await until('the calls to end', async () => (await show(node, client.session)).running === 0);
  }
});

// Calls without pause, counting, until told to stop; errors that may be repeated are.
class Worker {
  done = 0;
  doubtful = 0;
  retried = 0;
  bad = [];

  constructor(ask) {
    this.ask = ask;
    this.ended = this.work();
  }

  async work() {
    for (let id = 0; !this.stop; ++id) {
      const answer = await this.ask(call(id, 'state_incr', { key: 'n' })).catch((error) => ({ error }));
      if (answer.result) ++this.done;
      else if (isInDoubt(answer.error)) ++this.doubtful;
      else if (isRetryable(answer.error)) ++this.retried;
      else this.bad.push(answer.error);
    }
  }

  async count() {
    const answer = await this.ask(call('end', 'state_get', { key: 'n' }));
    return Number(text(answer.result));
  }
}

async function socketWorker(node) {
  const client = await Socket.start(node);
  return Object.assign(new Worker((request) => client.ask(request)), { client });
}

async function httpWorker(node) {
  const client = await Poster.start(node);
  return new Worker(async (request) => {
    const answer = await client.post(request);
    if (answer.status !== 503) return answer.message;
    return { error: answer.headers['retry-after'] ? { code: -31503, data: { retryable: true } } : new Error('503 without Retry-After') };
  });
}

test('shards, registry, servers and transport die in turn while clients work', async () => {
  const node = await Node.start(hooks);
  const workers = await Promise.all([socketWorker, socketWorker, socketWorker, httpWorker, httpWorker, httpWorker].map((f) => f(node)));
  const parts = async () => (await tree(node)).filter((a) => !isSession(a));
  const victims = (await parts()).map((a) => a.path).filter((path) =>
    /^cafmcp\/(registry|servers\/demo|transport\/.*|sessions\/shard-\d+(\/.*)?)$/.test(path));
  assert.ok(victims.length >= 6, String(victims));
  for (const victim of victims) {
    const then = new Map((await parts()).map((a) => [a.path, a]));
    const before = workers.map((w) => ({ done: w.done, doubtful: w.doubtful }));
    await kill(node, victim);
    await until(`${victim} to be back`, async () => {
      const now = new Map((await parts()).map((a) => [a.path, a]));
      const whole = now.size === then.size && [...now.values()].every((a) => a.status === 'running');
      return whole && now.get(victim)?.pid !== then.get(victim).pid;
    });
    await until(`everybody to work after the death of ${victim}`, () =>
      workers.every((w, i) => w.bad.length > 0 || w.done > before[i].done + 5));
    for (const [i, worker] of workers.entries()) {
      assert.deepEqual(worker.bad, [], `${victim}: worker ${i}`);
      const lost = worker.doubtful - before[i].doubtful;
      // One call at a time is all that each of them has under way.
      assert.ok(lost <= (/shard-\d+(\/members)?$/.test(victim) ? 1 : 0), `${victim} cost worker ${i} ${lost} calls`);
    }
  }
  for (const worker of workers) {
    worker.stop = true;
    await worker.ended;
    const count = await worker.count();
    assert.ok(count >= worker.done && count <= worker.done + worker.doubtful, `${count}: ${worker.done} and ${worker.doubtful} in doubt`);
    assert.deepEqual(worker.bad, []);
    assert.equal(worker.client?.code, undefined, 'no socket was closed');
  }
});

test('clients are not told of changed lists when a server comes back with the same', async () => {
  const node = await Node.start(hooks);
  const socket = await Socket.start(node);
  const client = await Poster.start(node);
  const listening = await client.get();
  // Longer than the registry waits before it tells.
  await socket.ask(call(0, 'sleep', { ms: 200 }));
  socket.messages.length = listening.events.length = 0;
  const before = (await tree(node)).find((a) => a.path === 'cafmcp/servers/demo').pid;
  await kill(node, 'cafmcp/servers/demo');
  await until('it to be back', async () => {
    const now = (await tree(node)).find((a) => a.path === 'cafmcp/servers/demo');
    return now?.status === 'running' && now.pid !== before;
  });
  await socket.ask(call(1, 'sleep', { ms: 200 }));
  assert.deepEqual(socket.messages, []);
  assert.deepEqual(listening.events, []);
});

test('SIGTERM: what runs is answered, sockets are closed with 1001, streams end, and the node goes', async () => {
  const node = await Node.start();
  const socket = await Socket.start(node);
  const client = await Poster.start(node);
  const listening = await client.get();
  const answer = await client.begin(call(1, 'progress', { steps: 40, delay_ms: 25 }, { progressToken: 1 }));
  await until('it to run', () => answer.events.some((e) => e.message));
  node.child.kill('SIGTERM');
  assert.equal((await socket.closed).code, 1001);
  await listening.ended;
  await answer.ended;
  assert.equal(text(answer.events.at(-1).message.result), 'took 40 steps');
  assert.equal(await node.ended, 0);
});
