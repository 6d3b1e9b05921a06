// Whatever happens to nodes and to the network between them: when it is over, all are linked, once each. Kills, stops, cuts,
// resets and slowness come in an order that a seed decides (CAFMCP_SEED repeats one), for CAFMCP_SECONDS (8).
import test from 'node:test';
import assert from 'node:assert/strict';
import { Member, allLinked } from './members.mjs';
import { flatten, until } from './node.mjs';

const seconds = Number(process.env.CAFMCP_SECONDS ?? 8);
const seed = Number(process.env.CAFMCP_SEED ?? Math.floor(Math.random() * 1e9));

/** A number from 0 to n - 1, the same ones for the same seed. */
let state = seed >>> 0;
function draw(n) {
  state = (state + 0x6d2b79f5) >>> 0;
  let x = Math.imul(state ^ (state >>> 15), state | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return ((x ^ (x >>> 14)) >>> 0) % n;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What can happen to a member; each takes its time, and ends with all as it was. */
const faults = {
  async kill(member, ms) {
    await member.stop('SIGKILL');
    await pause(ms % 1000);
    assert.ok(await member.start(), member.node.err);
  },
  async leave(member) {
    assert.equal(await member.stop(), 0);
    assert.ok(await member.start(), member.node.err);
  },
  async stop(member, ms) {
    member.signal('SIGSTOP');
    await pause(ms);
    member.signal('SIGCONT');
  },
  async cut({ proxy }, ms) {
    proxy.cut([undefined, 'up', 'down'][ms % 3]);
    await pause(ms);
    proxy.heal();
  },
  async reset({ proxy }) { proxy.reset(); },
  async refuse({ proxy }, ms) {
    proxy.refuse();
    proxy.reset();
    await pause(ms);
    proxy.heal();
  },
  async slow({ proxy }, ms) {
    if (ms % 2) proxy.delay(ms % 400);
    else proxy.throttle(500 + ms);
    await pause(ms);
    proxy.heal();
  },
};

test(`${seconds} seconds of faults, and all are linked again`, { timeout: seconds * 1000 + 120_000 }, async (t) => {
  console.error(`seed ${seed}`);
  const env = { CAFMCP_CLUSTER_SECRET: 'drill' };
  const all = [];
  for (const name of ['a', 'b', 'c']) all.push(await new Member(name, { seeds: [...all], env }).behindProxy());
  for (const member of all) assert.ok(await member.start(), member.node.err);
  await allLinked(all);

  const end = Date.now() + seconds * 1000;
  const count = Object.fromEntries(Object.keys(faults).map((name) => [name, 0]));
  // One after the other for each member, at once for all of them.
  await Promise.all(all.map(async (member) => {
    while (Date.now() < end) {
      const name = Object.keys(faults)[draw(Object.keys(count).length)];
      ++count[name];
      await faults[name](member, 50 + draw(4000));
      await pause(draw(1500));
    }
  }));

  // Linked, and still so when longer has passed than a link lives without heartbeats.
  const begin = Date.now();
  const sum = (of) => all.reduce((total, member) => total + of(member), 0);
  const linked = () => all.every((one) => all.every((other) => one === other || one.linked(other))) && sum(({ proxy }) => proxy.connections) === 3;
  const downs = () => sum((member) => member.find({ msg: 'link is down' }).length);
  const passed = () => sum(({ proxy }) => proxy.up.passed + proxy.down.passed);
  await until('all pairs to be linked for good', async () => {
    await until('one link for each pair', linked, 60);
    const before = downs();
    const enough = passed() + 900;
    await until('heartbeats', () => passed() >= enough || !linked());
    return linked() && downs() === before;
  }, 60);
  const linked_ms = Date.now() - begin;
  for (const member of all) {
    assert.deepEqual(member.find({ level: 'error' }), []);
    const tree = flatten(JSON.parse((await member.node.ctl('--json', 'tree')).out));
    assert.deepEqual(tree.filter(({ status, restarts }) => status !== 'running' || restarts > 0), []);
  }
  const ups = sum((member) => member.find({ msg: 'link is up' }).length);
  assert.ok(ups > 6, 'the faults hit nobody');
  for (const member of all) assert.equal(await member.stop(), 0);
  t.diagnostic(JSON.stringify({ drill: 'links', seed, seconds, faults: count, ups, linked_ms }));
});
