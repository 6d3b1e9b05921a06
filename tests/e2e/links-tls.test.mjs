// Who may link and who may not: secrets and certificates of real nodes, also when they change.
import test from 'node:test';
import assert from 'node:assert/strict';
import tls from 'node:tls';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { Member, Wire, allLinked, certs, folder, tlsFlags } from './members.mjs';
import { until } from './node.mjs';

const knock = 'a connection to the cluster port was refused';
const seed = 'a seed does not answer yet';

/** Two that dial each other and don't fit; until each has tried a few times. */
async function refused(of_a, of_b, why) {
  const a = await new Member('a', of_a).behindProxy();
  const b = await new Member('b', { ...of_b, seeds: [a] }).behindProxy();
  a.seeds = [b];
  for (const member of [a, b]) assert.ok(await member.start(), member.node.err);
  await until('some attempts', () => a.proxy.accepted >= 5 && b.proxy.accepted >= 5);
  for (const member of [a, b]) {
    await member.says({ msg: knock, reason: why });
    await member.says({ msg: seed, reason: why });
    assert.equal(member.find({ msg: 'link is up' }).length, 0);
    const lines = member.find({ logger: 'cluster', level: 'warn' });
    assert.ok(lines.length <= 6, lines.map((line) => JSON.stringify(line)).join('\n'));
  }
}

test('whoever does not fit is refused, and both sides say why, now and then', async () => {
  const ours = folder();
  const theirs = folder();
  await Promise.all([certs(ours, 'a', 'b'), certs(theirs, 'b')]);
  const a = { flags: tlsFlags(ours, 'a') };
  const secret = (text) => ({ env: { CAFMCP_CLUSTER_SECRET: text } });
  await Promise.all([
    refused(secret('one'), secret('two'), /the secrets differ: cluster\.secret must be the same on all nodes/),
    refused(a, {}, /one side has TLS and the other has none/),
    refused({}, { flags: tlsFlags(ours, 'b') }, /one side has TLS and the other has none/),
    refused(a, { flags: tlsFlags(theirs, 'b') }, /TLS: .*(unknown ca|certificate verify failed)/),
    refused({ ...a, ...secret('one') }, { flags: tlsFlags(ours, 'b'), ...secret('two') }, /the secrets differ/),
  ]);
});

test('a node does not start with a certificate for another name', async () => {
  const dir = folder();
  await certs(dir, 'x');
  const a = new Member('a', { flags: tlsFlags(dir, 'x') });
  assert.equal(await a.start(), false);
  assert.equal(a.node.exit, 1);
  assert.match(a.node.err, /^cafmcpd: cluster\.tls\.cert .*x\.pem: is for "x", but this node's name is "a"; .*\n$/);
});

/** The certificate that a node shows, to one with certificates from `dir`. */
async function shown(member, dir, name) {
  const [ca, cert, key] = await Promise.all(['ca.pem', `${name}.pem`, `${name}.key`].map((file) => readFile(join(dir, file))));
  const socket = tls.connect({ host: member.host, port: member.port, ca, cert, key, servername: member.name, minVersion: 'TLSv1.3' });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test('a renewed certificate is taken over at SIGHUP, a broken one is not', async () => {
  const dir = folder();
  await certs(dir, 'a', 'b', 'probe');
  const serial = async () => new X509Certificate(await readFile(join(dir, 'b.pem'))).serialNumber;
  const a = await new Member('a', { flags: tlsFlags(dir, 'a') }).behindProxy();
  const b = await new Member('b', { flags: tlsFlags(dir, 'b'), seeds: [a] }).behindProxy();
  const wire = new Wire(a, b);
  for (const member of [a, b]) assert.ok(await member.start(), member.node.err);
  await allLinked([a, b]);
  const first = await serial();
  assert.equal(await shown(b, dir, 'probe'), first);

  await certs('--renew', '--days', '30', dir, 'b');
  assert.notEqual(await serial(), first);
  assert.equal(await shown(b, dir, 'probe'), first, 'not by itself');
  b.signal('SIGHUP');
  await b.says({ msg: 'reload', key: /changed cluster\.tls: new links have the new certificate/ });
  assert.equal(await shown(b, dir, 'probe'), await serial());
  assert.equal(a.downs(b) + b.downs(a), 0, 'links that are there stay');
  await a.stop();
  await a.start();
  await allLinked([a, b]);

  const good = await serial();
  await copyFile(join(dir, 'b.pem'), join(dir, 'kept'));
  const downs = b.downs(a);
  await writeFile(join(dir, 'b.pem'), 'nothing');
  b.signal('SIGHUP');
  await b.says({ msg: 'reload', key: /the old certificate stays: cluster\.tls\.cert .*b\.pem: / });
  assert.equal(await shown(b, dir, 'probe'), good);
  assert.equal(b.downs(a), downs);
  wire.reset();
  await until('the end of the link', () => b.downs(a) > downs);
  await allLinked([a, b]);

  await copyFile(join(dir, 'kept'), join(dir, 'b.pem'));
  const before = b.mark();
  b.signal('SIGHUP');
  await b.says({ msg: /reload/ }, { from: before });
  assert.equal(b.find({ key: /stays/ }, before).length, 0, 'nothing to complain of any more');
});
