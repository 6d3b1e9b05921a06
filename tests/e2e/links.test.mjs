// Links between real nodes: what they do when processes die, stop and come back, and when the network between them breaks.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Member, Wire, allLinked } from './members.mjs';
import { flatten, run, until } from './node.mjs';

/** Started one after the other. */
async function started(...all) {
  for (const member of all) assert.ok(await member.start(), member.node.err);
  return all;
}

/** Two behind proxies and one beside, all linked: the third tells whether a fault hits more than it should. */
async function pairAndBystander() {
  const c = new Member('c');
  const a = await new Member('a', { seeds: [c] }).behindProxy();
  const b = await new Member('b', { seeds: [a, c] }).behindProxy();
  await allLinked(await started(c, a, b));
  return { a, b, c, wire: new Wire(a, b) };
}

const quiet = (one, others) => others.reduce((sum, other) => sum + one.downs(other) + other.downs(one), 0);
const passed = (member) => Math.min(member.proxy.up.passed, member.proxy.down.passed);

test('seeds in a chain: each links to whom it knows, whatever the order of starts', async () => {
  const a = new Member('a');
  const b = new Member('b', { seeds: [a] });
  const c = new Member('c', { seeds: [b] });
  await started(c, b);
  await b.says({ msg: 'a seed does not answer yet', reason: /refused/ });
  await started(a);
  await Promise.all([allLinked([a, b]), allLinked([b, c])]);
  const tree = flatten(JSON.parse((await b.node.ctl('--json', 'tree')).out));
  assert.deepEqual(tree.filter(({ path }) => path.startsWith('cafmcp/cluster/links/peers/')).map(({ id, status }) => `${id} ${status}`).sort(), ['a running', 'c running']);
  assert.equal(c.find({ msg: 'a seed does not answer yet' }).length + b.find({ msg: 'a seed does not answer yet' }).length, 2, 'said once, not at each attempt');
});

test('a node that is killed is missed at once, and linked again when it is back', async () => {
  const a = new Member('a');
  const b = new Member('b', { seeds: [a] });
  const c = new Member('c', { seeds: [a, b] });
  await started(a, b, c);
  await allLinked([a, b, c]);
  const before = [a.mark(), c.mark()];
  const begin = Date.now();
  await b.stop('SIGKILL');
  const downs = await Promise.all([a.down(b, { from: before[0] }), c.down(b, { from: before[1] })]);
  for (const { reason, ts } of downs) {
    assert.match(reason, /closed/);
    assert.ok(Date.parse(ts) - begin < 1500, `${Date.parse(ts) - begin} ms`);
  }
  await started(b);
  await allLinked([a, b, c]);
  const [first, second] = a.find({ msg: 'link is up', node: 'b' });
  assert.notEqual(first.incarnation, second.incarnation);
  assert.equal(quiet(a, [c]), 0);
  // In order, too.
  assert.equal(await b.stop(), 0);
  await until('b to be gone', () => !a.linked(b) && !c.linked(b));
});

test('a node that stands still is silent, and linked again when it goes on', async () => {
  const a = new Member('a');
  const b = new Member('b', { seeds: [a] });
  const c = new Member('c', { seeds: [a, b] });
  await started(a, b, c);
  await allLinked([a, b, c]);
  const before = [a, b, c].map((member) => member.mark());
  const begin = Date.now();
  b.signal('SIGSTOP');
  const downs = await Promise.all([a.down(b, { from: before[0] }), c.down(b, { from: before[2] })]);
  for (const { reason, ts } of downs) {
    assert.match(reason, /silent/);
    const after = Date.parse(ts) - begin;
    assert.ok(after > 1200 && after < 6000, `${after} ms`);
  }
  b.signal('SIGCONT');
  await b.up(a, { from: before[1] });
  await b.up(c, { from: before[1] });
  await allLinked([a, b, c]);
  assert.equal(quiet(a, [c]), 0);
});

test('another node of the same name is refused as long as the first one lives', async () => {
  const a = new Member('a');
  const b = new Member('b', { seeds: [a] });
  await started(a, b);
  await allLinked([a, b]);
  // Of the two ends of a link one decides, by name: both keep the name for whom they know.
  for (const [name, at] of [['a', b], ['b', a]]) {
    const thief = new Member(name, { seeds: [at] });
    await started(thief);
    const why = new RegExp(`another node is called ${name}: give each a name of its own`);
    await thief.says({ msg: 'a seed does not answer yet', reason: why });
    await at.says({ msg: 'a connection to the cluster port was refused', reason: why });
    assert.equal(thief.ups(at), 0);
    await thief.stop();
  }
  const twin = new Member('a', { seeds: [a] });
  await started(twin);
  await twin.says({ msg: 'a seed does not answer yet', reason: /two nodes are called a: give each a name/ });
  await twin.stop();
  assert.deepEqual([a.ups(b), b.ups(a), quiet(a, [b])], [1, 1, 0]);
  // Not for ever: when the first one is gone, another one may have its name.
  await b.stop('SIGKILL');
  const heir = new Member('b', { seeds: [a] });
  await started(heir);
  await allLinked([a, heir]);
});

test('a cut in both directions, or in one, ends the link on both sides, and only that', async () => {
  const { a, b, c, wire } = await pairAndBystander();
  const faults = [[() => wire.cut(), [a, b]], [() => wire.cutFrom(a), [b]], [() => wire.cutFrom(b), [a]]];
  for (const [cut, deaf] of faults) {
    const before = new Map([a, b].map((member) => [member, member.mark()]));
    cut();
    const downs = await Promise.all([a.down(b, { from: before.get(a) }), b.down(a, { from: before.get(b) })]);
    // Who hears nothing any more says so; the other one may hear that it has hung up.
    for (const [member, { reason }] of [[a, downs[0]], [b, downs[1]]]) assert.match(reason, deaf.includes(member) ? /silent/ : /silent|closed/);
    wire.heal();
    await allLinked([a, b]);
  }
  assert.equal(quiet(c, [a, b]), 0);
});

test('a slow network keeps a link, and makes one', async () => {
  const a = await new Member('a').behindProxy();
  const b = await new Member('b', { seeds: [a] }).behindProxy();
  const wire = new Wire(a, b);
  wire.delay(200);
  await started(a, b);
  await allLinked([a, b]);
  const through = a.proxy.connections > 0 ? a : b;
  // By heartbeats, longer than a link lives without.
  const beats = (more) => {
    const end = passed(through) + more;
    return until('heartbeats', () => passed(through) >= end);
  };
  await beats(150);
  wire.delay(0);
  wire.throttle(2000);
  await beats(150);
  assert.deepEqual([a.ups(b), b.ups(a), quiet(a, [b])], [1, 1, 0]);
});

test('resets: each time linked again, and no descriptor is left behind', { timeout: 120_000 }, async () => {
  const hub = await new Member('hub').behindProxy();
  const leaves = await Promise.all(Array.from({ length: 8 }, (_, i) => new Member(`leaf${i}`, { seeds: [hub] }).behindProxy()));
  const all = [hub, ...leaves];
  const proxies = all.map((member) => member.proxy);
  const settled = () => until('each link to have one connection', () => proxies.reduce((sum, proxy) => sum + proxy.connections, 0) === leaves.length);
  await Promise.all(all.map((member) => member.start()));
  const linked = () => Promise.all(leaves.map((leaf) => allLinked([hub, leaf])));
  await linked();
  await settled();
  const before = await Promise.all(all.map((member) => member.descriptors()));
  for (let i = 1; i <= 7; ++i) {
    proxies.forEach((proxy) => proxy.reset());
    await Promise.all(leaves.flatMap((leaf) => [until('an end', () => hub.downs(leaf) >= i), until('an end', () => leaf.downs(hub) >= i)]));
    await linked();
    await settled();
  }
  for (const leaf of leaves) assert.deepEqual([leaf.downs(hub), hub.downs(leaf)], [7, 7]);
  await until('descriptors as before', async () => {
    const now = await Promise.all(all.map((member) => member.descriptors()));
    return now.every((n, i) => n <= before[i]);
  });
  for (const member of all) assert.equal(await member.stop(), 0);
});

test('two that dial each other at the same moment have one link', { timeout: 120_000 }, async () => {
  const pairs = await Promise.all(Array.from({ length: 10 }, async (_, i) => {
    const a = await new Member('a').behindProxy();
    const b = await new Member('b', { seeds: [a] }).behindProxy();
    a.seeds = [b];
    const wire = new Wire(a, b);
    wire.delay(i * 4); // the farther they are, the surer both are under way at once
    return { a, b, wire };
  }));
  for (const { a, b, wire } of pairs) {
    await Promise.all([a.start(), b.start()]);
    await allLinked([a, b]);
    await until('one connection', () => wire.connections === 1);
    assert.deepEqual([a.ups(b), b.ups(a), quiet(a, [b])], [1, 1, 0], [...a.lines, ...b.lines].map((line) => JSON.stringify(line)).join('\n'));
    await a.stop('SIGKILL');
    await b.down(a);
    await b.stop();
  }
});

test('a link beyond this machine needs TLS, or somebody who says that it does not', async () => {
  const outside = ['--cluster-listen', '0.0.0.0:0', '--set', 'cluster.advertise=10.1.2.3:7000'];
  const refused = await run('cafmcpd', ['--name', 'a', ...outside, '--check-config']);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /cluster\.listen: 0\.0\.0\.0:0 can be reached from other machines.*cluster\.insecure/);
  const open = new Member('a', { flags: [...outside, '--set', 'cluster.insecure=true'] });
  await started(open);
  assert.equal(open.find({ level: 'warn', msg: /not encrypted.*whoever can listen reads all sessions/ }).length, 1);
  assert.equal(open.find({ level: 'warn', msg: /whoever reaches the cluster port can join; set cluster\.secret/ }).length, 1);
  await open.stop();
  const secret = new Member('a', { flags: [...outside, '--set', 'cluster.insecure=true'], env: { CAFMCP_CLUSTER_SECRET: 'hunter2' } });
  await started(secret);
  assert.equal(secret.find({ level: 'warn', msg: /not encrypted/ }).length, 1);
  assert.equal(secret.find({ msg: /set cluster\.secret/ }).length, 0);
  assert.ok(!secret.node.err.includes('hunter2'));
  const local = new Member('b');
  await started(local);
  assert.equal(local.find({ level: 'warn' }).length, 0);
});

test('a port that is taken is one line and exit code 1', async () => {
  const a = new Member('a');
  await started(a);
  const b = new Member('b', { host: a.host });
  assert.equal(await b.start(), false);
  assert.equal(b.node.exit, 1);
  assert.match(b.node.err, new RegExp(`^cafmcpd: cannot listen on ${a.address}: .*in use.*\n$`));
});
