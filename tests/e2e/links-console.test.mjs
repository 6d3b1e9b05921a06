// What a node tells of its links: in the status, drawn, and as metrics.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { alone, Node, source, until } from './node.mjs';

const command = promisify(execFile);

/** A node with a cluster port, which asks the nodes in `seeds` first. */
async function member(name, seeds = [], flags = []) {
  const asked = seeds.length > 0 ? ['--seeds', seeds.map((node) => node.cluster).join()] : [];
  const node = await Node.start(['--name', name, '--cluster-listen', '127.0.0.1:0', ...asked, ...flags]);
  assert.ok(node.admin, node.err);
  node.cluster = (await node.api('status')).body.cluster_address;
  return node;
}

const status = async (node) => (await node.api('status')).body;
const linkTo = async (node, name) => (await status(node)).links.find((link) => link.node === name);

/** Waits until `node` has a link to the node of that name, and has heard from it. */
const linked = (node, name) => until(`a link to ${name}`, async () => {
  const link = await linkTo(node, name);
  return link?.state === 'up' && link.rtt_ms !== undefined && link;
});
const lost = (node, name) => until(`the link to ${name} to be gone`, async () => {
  const link = await linkTo(node, name);
  return link.state === 'down' && link;
});

test('a node alone says nothing of links', async () => {
  const node = await Node.start();
  const told = await status(node);
  for (const key of ['links', 'strangers', 'cluster_address']) assert.ok(!(key in told), key);
  assert.doesNotMatch((await node.ctl('status')).out, /links|strangers|NODE/);
  assert.doesNotMatch(await (await fetch(`${node.url}/metrics`, alone)).text(), /cafmcp_(link|cluster)_/);
});

test('links are told, drawn and measured, and counted on when the other node starts anew', async () => {
  const a = await member('a');
  assert.match(a.cluster, /^127\.0\.0\.1:\d+$/);
  assert.deepEqual((await status(a)).links, []);
  assert.match((await a.ctl('status')).out, /\n\nno other node is known yet\n$/);
  const b = await member('b', [a], ['--region', 'eu', '--zone', 'z1']);
  const c = await member('c', [a]);
  const up = await linked(a, 'b');
  await linked(a, 'c');
  assert.deepEqual((await status(a)).links.map((link) => link.node), ['b', 'c']);
  assert.deepEqual([up.address, up.secure, up.region, up.zone, up.reconnects], [b.cluster, false, 'eu', 'z1', 0]);
  assert.match(up.incarnation, /^\d+$/);
  for (const key of ['since_seconds', 'last_heard_ms', 'rtt_ms', 'slowest_rtt_ms', 'bytes_in', 'bytes_out', 'messages_in', 'messages_out', 'dropped',
    'refused', 'pending', 'exports', 'imports', 'backlog_bytes', 'window_free_bytes', 'failed_dials']) assert.equal(typeof up[key], 'number', key);
  assert.ok(up.rtt_ms > 0 && up.rtt_ms < 1000 && up.last_heard_ms < 5000 && up.since_seconds < 60 && up.bytes_in > 0 && up.window_free_bytes > 0);
  assert.ok(!('trouble' in up));
  const { accepted, refused, evicted, waiting } = (await status(a)).strangers;
  assert.ok(accepted >= 2 && refused === 0 && evicted === 0 && waiting >= 0);
  assert.match((await b.ctl('status')).out, new RegExp(`\n\nNODE +STATE +SINCE +ADDRESS .*\na +up +\\d+ s +${a.cluster} +no +[\\d.]+ ms +\\d.*  0  -\n`));

  assert.equal(await a.metric('cafmcp_link_up{peer="b"}'), 1);
  assert.ok(await a.metric('cafmcp_link_rtt_seconds{peer="b"}') > 0);
  assert.ok(await a.metric('cafmcp_link_strangers_total{outcome="accepted"}') >= accepted);
  const received = () => a.metric('cafmcp_link_bytes_total{peer="b",direction="in"}');
  const before = await received();
  assert.ok(before > 0);

  await b.stop('SIGKILL');
  const down = await lost(a, 'b');
  assert.ok(down.trouble.length > 0 && !('rtt_ms' in down) && !('secure' in down));
  await until('attempts to fail', async () => (await linkTo(a, 'b')).failed_dials > 0);
  assert.ok(await a.metric('cafmcp_link_failed_dials{peer="b"}') > 0);
  assert.equal(await a.metric('cafmcp_link_up{peer="b"}'), 0);
  assert.equal(await a.metric('cafmcp_link_rtt_seconds{peer="b"}'), undefined);
  const drawn = (await a.ctl('status')).out;
  assert.match(drawn, /\nb +down +\d+ s +\S+ +- +- .*cannot connect: /);
  assert.ok(!drawn.includes('\x1b'), 'no colours into a pipe');
  const kept = await received();
  assert.ok(kept >= before);

  const again = await member('b', [a], ['--data-dir', b.data]);
  const anew = await linked(a, 'b');
  assert.notEqual(anew.incarnation, up.incarnation);
  assert.equal(anew.address, again.cluster);
  assert.equal(anew.reconnects, 1);
  assert.equal((await linkTo(a, 'c')).reconnects, 0);
  assert.equal(anew.failed_dials, 0);
  assert.equal(await a.metric('cafmcp_link_reconnects_total{peer="b"}'), 1);
  assert.ok(await received() > kept, 'what the old link has counted is not forgotten');
  for (const node of [a, again, c]) assert.equal(await node.stop(), 0);
});

test('a certificate is shown by its end, also when it is a new one', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const certs = (...args) => command(source('scripts/certs'), [...args, dir, 'a', 'b']);
  const files = (name) => Object.entries({ ca: 'ca.pem', cert: `${name}.pem`, key: `${name}.key` })
    .flatMap(([key, file]) => ['--set', `cluster.tls.${key}=${join(dir, file)}`]);
  const end = async () => Date.parse(new X509Certificate(await readFile(join(dir, 'a.pem'))).validTo) / 1000;
  const shown = () => a.metric('cafmcp_cluster_certificate_expires_seconds');
  await certs('--days', '10');
  const a = await member('a', [], files('a'));
  const b = await member('b', [a], files('b'));
  const link = await linked(a, 'b');
  assert.equal(link.secure, true);
  assert.match((await a.ctl('status')).out, /\nb +up .* yes /);
  assert.equal(await shown(), await end());
  assert.match(a.err, /the certificate expires soon/);
  await certs('--renew', '--days', '100');
  a.child.kill('SIGHUP');
  await until('the new certificate', async () => await shown() === await end());
  assert.equal((await linkTo(a, 'b')).incarnation, link.incarnation, 'the link goes on');
  assert.equal((await linkTo(a, 'b')).reconnects, 0);
  assert.equal(await b.stop(), 0);
});
