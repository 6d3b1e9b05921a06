// The supervision tree in the console, and what happens to it when actors die.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node, connect, flatten, run, until } from './node.mjs';

test('the tree is drawn and told as JSON, and exit codes are as documented', async () => {
  const node = await Node.start();
  const tree = JSON.parse((await node.ctl('--json', 'tree')).out);
  assert.equal(tree.id, 'cafmcp');
  const all = flatten(tree);
  for (const actor of all) {
    for (const key of ['id', 'kind', 'module', 'status', 'restarts', 'mailbox', 'restart']) assert.ok(key in actor, `${actor.path} ${key}`);
    assert.equal(actor.status, 'running', actor.path);
    if (actor.kind === 'supervisor') assert.ok(actor.strategy && Array.isArray(actor.children));
  }
  const drawing = await node.ctl('tree');
  assert.equal(drawing.code, 0);
  for (const actor of all) assert.ok(drawing.out.includes(actor.id), actor.id);
  assert.ok(!drawing.out.includes('\x1b'), 'no colours into a pipe');
  assert.equal(JSON.parse((await node.ctl('--json', 'tree', 'cafmcp/transport')).out).id, 'transport');
  assert.equal((await node.ctl('tree', 'nobody')).code, 1);
  assert.equal((await node.ctl('no-such-command')).code, 2);
  assert.equal((await node.ctl('status', 'superfluous')).code, 2);
  assert.equal((await run('cafmcpctl', ['--node', 'http://127.0.0.1:1', '--token', 'x'.repeat(16), 'status'])).code, 3);
  const wrong = await run('cafmcpctl', ['--node', node.admin, '--token', 'x'.repeat(64), 'status']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /admin\.token/);
  const script = await run('cafmcpctl', ['--node', node.admin, '--token', node.token], { input: 'help\nstatus\ntree\nexit\n' });
  assert.equal(script.code, 0);
  assert.match(script.out, /transport/);
});

test('test hooks are off unless asked for', async () => {
  const node = await Node.start();
  assert.equal((await node.api('test/kill', { id: 'cafmcp/watch' })).status, 404);
});

/** Whom a death takes along: those who were started after it, under rest_for_one. */
function goesWith(victim, tree) {
  const parent = tree.get(victim.path.slice(0, victim.path.lastIndexOf('/')));
  if (parent.strategy !== 'rest_for_one') return [victim.path];
  const siblings = parent.children.map((child) => `${parent.path}/${child.id}`);
  return siblings.slice(siblings.indexOf(victim.path));
}

test('any worker and any supervisor comes back after a kill, and the rest does not notice', async () => {
  const node = await Node.start(['--set', 'admin.test_hooks=true', '--set', 'log.format=json']);
  const before = flatten((await node.api('tree')).body);
  const bystander = connect(node.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('the first answer', () => bystander.data.includes('"ok"'));
  let answers = 1;
  for (const victim of before.filter((actor) => actor.path !== 'cafmcp')) {
    const then = new Map(flatten((await node.api('tree')).body).map((actor) => [actor.path, actor]));
    assert.equal((await node.api('test/kill', { id: victim.path })).status, 200, victim.path);
    const now = await until(`${victim.path} to be back`, async () => {
      const tree = new Map(flatten((await node.api('tree')).body).map((actor) => [actor.path, actor]));
      const back = tree.get(victim.path);
      const whole = tree.size === then.size && [...tree.values()].every((actor) => actor.status === 'running');
      return whole && back.pid !== then.get(victim.path).pid && tree;
    });
    assert.equal(now.get(victim.path).restarts, then.get(victim.path).restarts + 1);
    for (const [path, actor] of then) {
      const concerned = goesWith(victim, then).some((gone) => path === gone || path.startsWith(`${gone}/`));
      if (!concerned) assert.equal(now.get(path).pid, actor.pid, `${path} noticed the death of ${victim.path}`);
    }
    // The connection that was there before goes on, and new ones are served.
    bystander.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('the next answer', () => bystander.data.toString().split('"status":"ok"').length - 1 > answers);
    ++answers;
    assert.equal((await fetch(`${node.url}/health`)).status, 200);
    const report = node.err.split('\n').filter(Boolean).map((line) => JSON.parse(line))
      .find((line) => line.msg === 'supervisor report' && `${line.supervisor}/${line.child}` === victim.path);
    assert.equal(report?.context, 'child_terminated');
    assert.equal(report.reason, 'kill');
  }
  bystander.socket.destroy();
  assert.equal(await node.stop(), 0);
});

test('clients that connect while the listener is dead are served by its successor', async () => {
  const node = await Node.start(['--set', 'admin.test_hooks=true']);
  const answers = [];
  for (let round = 0; round < 5; ++round) {
    await node.api('test/kill', { id: 'cafmcp/transport/listener' });
    for (let i = 0; i < 20; ++i) answers.push(fetch(`${node.url}/health`, { headers: { connection: 'close' } }).then((a) => a.status));
    await Promise.all(answers);
  }
  assert.deepEqual([...new Set(await Promise.all(answers))], [200]);
});

test('a shutdown by request is a restart too: permanent means permanent', async () => {
  const node = await Node.start(['--set', 'admin.test_hooks=true']);
  const { pid } = (await node.api('test/kill', { id: 'cafmcp/transport/listener', how: 'shutdown' })).body;
  await until('a new listener', async () => {
    const tree = flatten((await node.api('tree')).body).find((actor) => actor.id === 'listener');
    return tree?.status === 'running' && tree.pid !== pid;
  });
  assert.equal((await fetch(`${node.url}/health`)).status, 200);
});

test('too many deaths escalate to the root, and the process ends with exit code 1', async () => {
  const node = await Node.start(['--set', 'admin.test_hooks=true']);
  assert.equal((await node.api('test/kill', { id: 'cafmcp' })).status, 200);
  assert.equal(await node.ended, 1);
  assert.match(node.err, /the supervision tree has given up/);
});
