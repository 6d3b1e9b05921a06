// Real nodes that agree by a real etcd: who is a member, who owns which bucket, what happens when nodes and etcd die, stop and
// come back, and what operators see and do.
import test, { afterEach } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Etcd } from './etcd.mjs';
import { Member } from './members.mjs';
import { alone, bin, Node, until } from './node.mjs';

// What goes on beside a test ends with it, also when it fails.
const beside = new Set();
afterEach(() => beside.forEach((one) => one.stop()));

/** Members that agree by `etcd`; each has the ones before it as seeds, so a start order is no matter of theirs. */
function members(etcd, names, flags = () => []) {
  const all = [];
  for (const name of names)
    all.push(new Member(name, { seeds: [...all], flags: ['--set', `cluster.coordinator.endpoints=${etcd.url}`, ...flags(name)] }));
  return all;
}
const start = (all) => Promise.all(all.map(async (one) => assert.ok(await one.start(), one.node.err)));

/** An answer of the admin API; nothing while there is none in time. */
async function ask(member, path) {
  try {
    const answer = await fetch(`${member.node.admin}/admin/api/v1/${path}`,
      { headers: { ...alone.headers, authorization: `Bearer ${member.node.token}` }, signal: AbortSignal.timeout(1000) });
    return await answer.json();
  } catch {
    return undefined;
  }
}
const rows = (member) => ask(member, 'cluster/buckets');
async function health(member, path = '') {
  const answer = await fetch(`${member.node.url}/health${path}`, alone);
  return { code: answer.status, ...(await answer.json()) };
}

// What all nodes see in the same way.
function common({ epoch, leader, nodes, buckets: { total, unowned, degraded, moving } }) {
  const same = nodes.map(({ sessions, connections, last_heartbeat_ms, ...node }) => node);
  return { epoch, leader, nodes: same, total, unowned, degraded, moving };
}
const sameRows = (all) => all.map(({ mine, ...row }) => row);
const owned = (picture) => Object.fromEntries(picture.nodes.map(({ name, buckets }) => [name, buckets]));

// Whether the picture is that of a cluster at rest, of these and nobody else; `down`: members without a lease.
function atRest(picture, up, down) {
  const { leader, isolated, in_contact, nodes, buckets } = picture;
  const names = (list) => list.map(({ name }) => name).sort().join();
  const alive = nodes.filter(({ status }) => status === 'up');
  const share = alive.length > 0 && alive.find(({ name }) => name === picture.self)?.buckets;
  return !isolated && in_contact && names(alive) === names(up) && names(nodes.filter(({ status }) => status === 'down')) === names(down)
    && nodes.length === up.length + down.length && alive.some(({ name }) => name === leader) && nodes.every(({ learning }) => learning === 0)
    && buckets.unowned + buckets.degraded + buckets.moving === 0 && buckets.own === share && balanced(alive);
}

// Whether each owns its share by weight, rounded down or up.
function balanced(alive) {
  const weights = alive.reduce((sum, { weight }) => sum + weight, 0);
  return alive.every(({ weight, buckets }) => Math.abs(buckets - (256 * weight) / weights) < 1);
}

/** Waits until they are at rest and all see the same; gives picture and rows. `down`: other members, that have no lease. */
async function rested(up, down = [], seconds = 25) {
  let seen;
  try {
    return await until('rest', async () => {
      seen = await Promise.all(up.map((one) => ask(one, 'cluster')));
      if (!seen.every((picture) => picture && atRest(picture, up, down))) return undefined;
      const [first, ...others] = seen.map((picture) => JSON.stringify(common(picture)));
      if (others.some((other) => other !== first)) return undefined;
      const all = await Promise.all(up.map(rows));
      if (all.some((one) => JSON.stringify(sameRows(one)) !== JSON.stringify(sameRows(all[0])))) return undefined;
      return { picture: seen[0], rows: sameRows(all[0]), claims: all };
    }, seconds);
  } catch (error) {
    const said = up.map((one) => `${one.name}: ${one.lines.slice(-12).map((line) => JSON.stringify(line)).join('\n  ')}`).join('\n');
    throw new Error(`${error.message}\n${JSON.stringify(seen)}\n${said}`);
  }
}

/** Asks all members all the time what they own for sure. An epoch of a bucket is one node's, and nobody claims one after another
 * has claimed a later one. */
class Claims {
  #owner = new Map(); // by bucket and epoch
  #latest = Array.from({ length: 256 }, () => ({ epoch: 0, heard: 0 }));
  #going = true;
  wrong = [];
  heard = 0;

  constructor(all) {
    beside.add(this);
    this.loops = all.map((one) => this.#follow(one));
  }

  async #follow(member) {
    while (this.#going) {
      if (!member.node?.admin) await new Promise((resolve) => setTimeout(resolve, 50));
      else await this.ask(member);
    }
  }

  /** What it claims now. */
  async ask(member) {
    const asked = performance.now();
    const answer = await rows(member);
    if (!Array.isArray(answer)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return [];
    }
    this.heard += 1;
    const mine = answer.filter((row) => row.mine);
    for (const { bucket, epoch } of mine) this.#claim(member.name, bucket, epoch, asked);
    return mine;
  }

  #claim(name, bucket, epoch, asked) {
    const key = `${bucket}/${epoch}`;
    const other = this.#owner.get(key) ?? name;
    if (other !== name) this.wrong.push(`bucket ${bucket}, epoch ${epoch}: ${other} and ${name}`);
    this.#owner.set(key, name);
    const latest = this.#latest[bucket];
    if (epoch < latest.epoch && asked > latest.heard) this.wrong.push(`bucket ${bucket}: ${name} claims epoch ${epoch} after ${latest.epoch}`);
    if (epoch > latest.epoch) this.#latest[bucket] = { epoch, heard: performance.now() };
  }

  stop() {
    beside.delete(this);
    this.#going = false;
  }

  async end() {
    this.stop();
    await Promise.all(this.loops);
    assert.deepEqual(this.wrong, []);
    assert.ok(this.heard > 20, `${this.heard}`);
  }
}

test('whatever the order of starts: one cluster; who is killed is replaced at once, also as controller, and has its share when it is back', async () => {
  const etcd = await Etcd.start();
  const [a, b, c] = members(etcd, ['a', 'b', 'c']);
  await start([c]);
  await until('c to be alone', async () => (await ask(c, 'cluster'))?.buckets.own === 256);
  await start([b, a]);
  const first = await rested([a, b, c]);
  const claims = new Claims([a, b, c]);
  assert.equal(first.picture.nodes.length, 3);
  for (const { in_sync, owner } of first.rows) assert.deepEqual([in_sync.length, in_sync.includes(owner)], [3, true]);
  for (const [i, one] of [a, b, c].entries())
    assert.deepEqual(first.claims[i].map(({ mine }) => mine), first.rows.map(({ owner }) => owner === one.name));
  for (const one of [a, b, c]) assert.deepEqual([(await health(one)).code, (await health(one, '/ready')).status], [200, 'ok']);
  await until('heartbeats', async () => (await ask(a, 'cluster')).nodes.every(({ last_heartbeat_ms: ms }) => ms !== null && ms < 2000));

  const controller = [a, b, c].find(({ name }) => name === first.picture.leader);
  const dead = [a, b, c].find((one) => one !== controller);
  const rest = [a, b, c].filter((one) => one !== dead);
  let ill = 0;
  let looking = true;
  beside.add({ stop: () => (looking = false) });
  const looks = Promise.all(rest.map(async (one) => {
    while (looking) {
      const told = await health(one).catch(() => ({ code: 200 })); // none at all, if the test has failed
      if (told.code !== 200) ++ill;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }));
  await dead.stop('SIGKILL');
  dead.node.admin = undefined;
  const without = await rested(rest, [dead]);
  looking = false;
  await looks;
  assert.equal(ill, 0, 'the others are well all the time');
  assert.ok(rest.some((one) => one.find({ detail: new RegExp(`the process of node ${dead.name} is gone`) }).length > 0), 'its lease was not waited for');
  for (const [i, { owner, epoch, in_sync }] of without.rows.entries()) {
    const before = first.rows[i];
    assert.deepEqual([epoch, owner === before.owner], before.owner === dead.name ? [before.epoch + 1, false] : [before.epoch, true]);
    assert.deepEqual(in_sync, before.in_sync.filter((name) => name !== dead.name));
  }
  const down = without.picture.nodes.find(({ name }) => name === dead.name);
  assert.deepEqual([down.buckets, down.held, down.last_heartbeat_ms, down.status], [0, 0, null, 'down']);
  assert.equal(await rest[0].node.metric('cafmcp_cluster_members{state="down"}'), 1);
  await start([dead]);
  const back = await rested([a, b, c]);
  assert.equal(back.picture.nodes.find(({ name }) => name === dead.name).id, down.id, 'it is the same one');
  assert.ok(back.picture.epoch > without.picture.epoch);

  await controller.stop('SIGKILL');
  controller.node.admin = undefined;
  const others = [a, b, c].filter((one) => one !== controller);
  const next = await rested(others, [controller]);
  assert.notEqual(next.picture.leader, controller.name);
  for (const one of others) assert.equal(await one.node.metric('cafmcp_cluster_controller'), one.name === next.picture.leader ? 1 : 0);
  await start([controller]);
  await rested([a, b, c]);
  await claims.end();
});

test('a node that stands still is replaced when its lease has ended, owns nothing when it goes on, and has its share again', async () => {
  const etcd = await Etcd.start();
  const [a, b, c] = members(etcd, ['a', 'b', 'c']);
  await start([a, b, c]);
  await rested([a, b, c]);
  const claims = new Claims([a, b, c]);
  await until('claims', () => claims.heard > 6);
  const mark = b.mark();
  const begin = Date.now();
  b.signal('SIGSTOP');
  await until('others to own all', async () => owned(await ask(a, 'cluster')).b === 0);
  const took = Date.now() - begin;
  assert.ok(took > 1200, `its lease can't have ended after ${took} ms`);
  await rested([a, c], [b]);
  await until('others to claim all', async () => (await claims.ask(a)).length + (await claims.ask(c)).length === 256);
  // It has the question when it goes on, and answers it before it can have heard anything.
  const early = claims.ask(b);
  b.signal('SIGCONT');
  assert.deepEqual(await early, []);
  await b.says({ msg: /lease is not sure: it owns nothing/ }, { from: mark });
  await b.says({ msg: /lease is sure/ }, { from: mark });
  await rested([a, b, c]);
  assert.equal((await health(b)).code, 200);
  await claims.end();
});

test('without etcd nodes are isolated and own nothing, and go on when it is back', async () => {
  const etcd = await Etcd.start();
  const all = members(etcd, ['a', 'b', 'c']);
  await start(all);
  const before = await rested(all);
  const claims = new Claims(all);
  const isolated = (text) => Promise.all(all.map(async (one) => {
    const told = await until(`${one.name} to be isolated`, async () => {
      const now = await health(one, '/ready');
      return now.status === 'isolated' && text.test(now.reason) && now;
    });
    assert.equal(told.code, 503);
    assert.deepEqual([(await health(one)).code, (await health(one, '/live')).code], [503, 200]);
    const { in_contact, isolated: cut, buckets } = await ask(one, 'cluster');
    assert.deepEqual([in_contact, cut, buckets.own], [false, true, 0]);
    assert.ok((await rows(one)).every(({ mine }) => !mine));
    assert.equal(await one.node.metric('cafmcp_cluster_isolated'), 1);
    assert.equal(await one.node.metric('cafmcp_cluster_in_contact'), 0);
  }));
  etcd.signal('SIGSTOP');
  await isolated(/lease is not sure: the coordinator does not answer/);
  assert.match((await all[0].node.ctl('cluster')).out, /this node +a, isolated: .*, the coordinator does not answer\n/);
  etcd.signal('SIGCONT');
  await rested(all);
  const begin = Date.now();
  await etcd.kill();
  await isolated(/does not answer/);
  await until('ten seconds without etcd', () => Date.now() - begin > 10_000);
  await isolated(/does not answer/);
  await etcd.again();
  const after = await rested(all);
  assert.deepEqual(after.picture.nodes.map(({ id }) => id), before.picture.nodes.map(({ id }) => id));
  for (const one of all) assert.equal((await health(one)).code, 200);
  await claims.end();
  // One that starts before etcd does waits.
  await etcd.kill();
  const [early] = members(etcd, ['d']);
  await start([early]);
  const waits = await health(early);
  assert.deepEqual([waits.code, waits.status], [503, 'isolated']);
  assert.match(waits.reason, /no lease yet/);
  assert.deepEqual(await rows(early), []);
});

test('two more have their share, from the others alone', async () => {
  const etcd = await Etcd.start();
  const all = members(etcd, ['a', 'b', 'c', 'd', 'e']);
  await start(all.slice(0, 3));
  const three = await rested(all.slice(0, 3));
  const claims = new Claims(all);
  await start(all.slice(3));
  const five = await rested(all);
  assert.deepEqual(Object.values(owned(five.picture)).sort(), [51, 51, 51, 51, 52]);
  for (const [i, { owner, epoch }] of five.rows.entries()) {
    const before = three.rows[i];
    if (owner !== before.owner) assert.ok(['d', 'e'].includes(owner) && epoch > before.epoch, `bucket ${i}: ${before.owner} -> ${owner}`);
  }
  for (const { in_sync, owner } of five.rows) assert.deepEqual([in_sync.length, in_sync.includes(owner)], [3, true]);
  await claims.end();
});

test('shares are by weight, and what is told of nodes is what they were given', async () => {
  const etcd = await Etcd.start();
  const weights = { a: 40, b: 35, c: 25 };
  const all = members(etcd, ['a', 'b', 'c'], (name) => ['--set', `weight=${weights[name]}`, '--region', 'eu', '--zone', `z-${name}`]);
  await start(all);
  const { picture } = await rested(all);
  const { a, b, c } = owned(picture);
  assert.ok(a >= 102 && a <= 103 && b >= 89 && b <= 90 && c === 64, JSON.stringify({ a, b, c }));
  for (const [i, one] of all.entries()) {
    const { name, region, zone, weight, address, held } = picture.nodes[i];
    assert.deepEqual([name, region, zone, weight, address, held], [one.name, 'eu', `z-${one.name}`, weights[one.name], one.address, 256]);
    const mine = await ask(one, 'cluster');
    assert.deepEqual([mine.self, mine.id, mine.known], [one.name, picture.nodes[i].id, true]);
    for (const node of mine.nodes) assert.deepEqual([typeof node.sessions, typeof node.connections], node.name === one.name ? ['number', 'number'] : ['object', 'object']);
    assert.equal(await one.node.metric('cafmcp_cluster_buckets{state="own"}'), picture.nodes[i].buckets);
    assert.equal(await one.node.metric('cafmcp_cluster_members{state="up"}'), 3);
  }
  const drawn = (await all[0].node.ctl('cluster')).out;
  assert.match(drawn, new RegExp(`^this node +a, ok\ncontroller +${picture.leader}\nepoch +\\d+, revision .*\nbuckets +256: ${a} own, 0 unowned, 0 degraded, 0 moving\n\nNODE `));
  assert.match(drawn, new RegExp(`\na +up +${a} +256 +0 +40 +eu +z-a +0 +\\d+ +0 ms +${all[0].address} +this node`));
  assert.match(drawn, /\nc +up +64 +256 +0 +25 +eu +z-c +- +- +\d+ ms +/);
  const table = (await all[0].node.ctl('cluster', '--buckets')).out.split('\n');
  assert.equal(table.length, 258);
  assert.match(table[0], /^BUCKET +OWNER +EPOCH +IN SYNC +LEARNERS +NEXT +MINE/);
  assert.match((await all[0].node.ctl('status')).out, new RegExp(`\ncluster +3 of 3 nodes up, controller ${picture.leader}\n`));

  // Whoever watches sees each change once.
  const watching = spawn(bin('cafmcpctl'), ['--node', all[0].node.admin, '--data-dir', all[0].data, 'cluster', '--watch'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = '';
  watching.stdout.on('data', (data) => (seen += data));
  await until('a picture', () => /\nc +up /.test(seen));
  await all[2].stop('SIGKILL');
  await until('another', () => /\nc +down +0 +0 /.test(seen), 20);
  watching.kill('SIGKILL');
  assert.ok(!seen.includes('\x1b'));
});

test('a node leaves when others have what it had, and is forgotten; one that is down can be removed', async () => {
  const etcd = await Etcd.start();
  const [a, b, c] = members(etcd, ['a', 'b', 'c']);
  await start([a, b, c]);
  await rested([a, b, c]);
  const claims = new Claims([a, b, c]);
  assert.equal((await b.node.api('cluster/leave', {})).body.state, 'draining');
  await until('b to have given all away', async () => (await ask(a, 'cluster'))?.nodes.some(({ name, status, held }) => name === 'b' && status === 'draining' && held === 0));
  assert.equal((await health(b)).code, 200);
  assert.deepEqual(await b.node.ctl('leave', '--cancel'), { code: 0, out: 'the node takes part again\n', err: '' });
  await rested([a, b, c]);
  const left = await b.node.ctl('leave');
  assert.deepEqual([left.code, left.err], [0, '']);
  assert.match(left.out, /^draining: owns \d+ buckets and holds \d+\n(.*\n)*the node has left the cluster; it can be stopped\n$/);
  const two = await rested([a, c]);
  assert.deepEqual(Object.values(owned(two.picture)), [128, 128]);
  const cut = await health(b);
  assert.deepEqual([cut.code, cut.status, cut.reason], [503, 'isolated', 'this node has left the cluster']);
  assert.equal((await b.node.ctl('leave')).code, 0, 'it has left already');
  assert.equal(await b.stop(), 0);
  await start([b]);
  await rested([a, b, c]);

  const refused = async (member, why, ...words) => {
    const { code, err } = await member.node.ctl(...words);
    assert.equal(code, 1);
    assert.match(err, why);
  };
  await refused(a, /'b' is up/, 'node', 'remove', 'b');
  await refused(a, /no node is called 'x'/, 'node', 'remove', 'x');
  await b.stop('SIGKILL');
  b.node.admin = undefined;
  const { picture } = await rested([a, c], [b]);
  const removed = await c.node.ctl('node', 'remove', 'b');
  assert.deepEqual([removed.code, removed.out], [0, `node b (${picture.nodes[1].id}) is no member any more\n`]);
  await rested([a, c]);
  await start([b]);
  await rested([a, b, c]);
  await claims.end();

  // The last one has nobody to leave to, and who alone has something can't be removed.
  await c.node.ctl('leave');
  await b.node.ctl('leave');
  await rested([a]);
  await refused(a, /no other node is up/, 'leave');
  await c.stop();
  await a.stop('SIGKILL');
  await start([c]);
  await until('c to be up and a down', async () => {
    const told = await ask(c, 'cluster');
    return told?.nodes.some(({ name, status }) => name === 'a' && status === 'down') && !told.isolated;
  });
  await refused(c, /nobody else who is up has some of its buckets/, 'node', 'remove', 'a');
  await start([a]);
  await rested([a, c]);
});

test('a node without a coordinator is in no cluster, and says so', async () => {
  const node = await Node.start(['--cluster-listen', '127.0.0.1:0']);
  for (const path of ['cluster', 'cluster/buckets']) {
    const { status, body } = await node.api(path);
    assert.deepEqual([status, body.error.code], [404, 'not_found']);
    assert.match(body.error.message, /cluster\.coordinator\.endpoints is not set/);
  }
  const { code, err } = await node.ctl('cluster');
  assert.equal(code, 1);
  assert.match(err, /in no cluster that agrees/);
  assert.equal((await node.ctl('leave')).code, 1);
  assert.ok(!('cluster' in (await node.api('status')).body));
  assert.equal((await fetch(`${node.url}/health`, alone)).status, 200);
  assert.equal(await node.metric('cafmcp_cluster_epoch'), undefined);
});
