// Links between nodes on different hosts, which are namespaces of this one, with certificates: cables are cut, and packets get
// lost without anybody being told.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Member, allLinked, certs, folder, tlsFlags } from './members.mjs';
import { Network, unavailable } from './netns.mjs';

const skip = unavailable();

/** Three nodes, each on its own host. */
async function three() {
  const dir = folder();
  await certs(dir, 'a', 'b', 'c');
  const net = new Network();
  const seeds = [];
  const all = ['a', 'b', 'c'].map((name) => {
    const host = net.host();
    const member = new Member(name, { host: host.address, within: host.within, flags: tlsFlags(dir, name), seeds: [...seeds] });
    seeds.push(member);
    return Object.assign(member, { at: host });
  });
  for (const member of all) assert.ok(await member.start(), member.node.err);
  await allLinked(all);
  return { net, all };
}

/** What each link between two of them does, from a moment on. */
const marks = (all) => new Map(all.map((member) => [member, member.mark()]));

test('a host whose cable is cut is missed by all within seconds, and comes back', { skip }, async () => {
  const { net, all } = await three();
  const [a, b, c] = all;
  assert.equal(a.find({ msg: 'link is up', tls: true }).length, 2);
  const before = marks(all);
  net.cut(c.at);
  for (const [one, other] of [[a, c], [b, c], [c, a], [c, b]]) assert.match((await one.down(other, { from: before.get(one) })).reason, /silent/);
  assert.ok(a.linked(b) && b.linked(a));
  assert.equal(a.downs(b) + b.downs(a), 0, 'the others stay linked');
  net.heal();
  await allLinked(all);
});

test('packets lost in one direction alone end the link on both sides', { skip }, async () => {
  const { net, all } = await three();
  const [a, b, c] = all;
  for (const [from, to] of [[a, b], [b, a]]) {
    const before = marks(all);
    net.cutWay(from.at, to.at);
    // Who is deaf hangs up, and that much gets through to the other.
    assert.match((await to.down(from, { from: before.get(to) })).reason, /silent/);
    await from.down(to, { from: before.get(from) });
    net.heal();
    await allLinked(all);
  }
  assert.equal(a.downs(c) + b.downs(c) + c.downs(a) + c.downs(b), 0, 'the third does not notice');
});
