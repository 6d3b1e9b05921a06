// Whoever reaches the cluster port and is no node of the cluster is refused, and that is all: bounded time, memory, descriptors
// and lines, and real nodes link up meanwhile.
import test, { afterEach } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import tls from 'node:tls';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Member, allLinked, certs, folder, tlsFlags } from './members.mjs';
import { until } from './node.mjs';

const megabyte = 1024 * 1024;
const sockets = new Set();
afterEach(() => sockets.forEach((socket) => socket.destroy()));

const kinds = { hello: 17, proof: 18, ready: 19, refusal: 20 };

// Always the same noise.
function noise(bytes, seed) {
  let x = seed * 2654435761 + 1;
  return Buffer.from(Array.from({ length: bytes }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x >>> 24;
  }));
}

const frame = (kind, body = Buffer.alloc(0), length = body.length) => Buffer.concat([Buffer.from([length & 255, length >> 8, kind]), body]);

function varint(value) {
  const out = [];
  let x = BigInt(value);
  for (; x >= 128n; x >>= 7n) out.push(Number(x & 127n) | 128);
  return Buffer.from([...out, Number(x)]);
}

const text = (value) => Buffer.concat([varint(Buffer.byteLength(value)), Buffer.from(value)]);

/** What a node says of itself, as handshake.hpp has it. */
function hello(changes = {}) {
  const said = { magic: 'cafmcp-link', protocol: 1, cluster: '', node: 'x', id: 'mine', incarnation: 5, version: 1, min: 1, window: 1 << 24, actor: 1 << 20,
    message: 1 << 23, address: '127.0.0.1:1', region: '', zone: '', software: '0', nonce: 'n'.repeat(32), ...changes };
  return Buffer.concat(Object.values(said).map((value) => (typeof value === 'string' ? text(value) : varint(value))));
}

/** A connection to the cluster port; `closed` gives what came until the node has ended it. */
function knock(member, bytes, { localAddress } = {}) {
  const socket = net.connect({ host: member.host, port: member.port, localAddress, noDelay: true });
  return collect(socket, bytes, 'connect');
}

function collect(socket, bytes, ready) {
  const raw = { socket, data: Buffer.alloc(0), isClosed: false };
  sockets.add(socket);
  socket.on('error', () => {});
  socket.on('data', (data) => (raw.data = Buffer.concat([raw.data, data])));
  raw.opened = new Promise((resolve) => socket.on(ready, resolve));
  raw.closed = new Promise((resolve) => socket.on('close', () => {
    raw.isClosed = true;
    sockets.delete(socket);
    resolve(raw.data);
  }));
  if (bytes) socket.write(bytes);
  return raw;
}

/** The same through TLS. */
const knockTls = (member, bytes, options) =>
  collect(tls.connect({ host: member.host, port: member.port, rejectUnauthorized: false, ...options }), bytes, 'secureConnect');

const within = (seconds, raw, what) => until(`the end of ${what}`, () => raw.isClosed, seconds).then(() => raw.data);

/** What a node says to somebody whom it refuses: its name, if the other one said one, and why. Nothing else. */
function checkAnswer(data, what) {
  let rest = data;
  while (rest.length > 0) {
    const [length, kind] = [rest.readUInt16LE(0), rest[2]];
    assert.ok([kinds.hello, kinds.refusal].includes(kind), `${what}: frame ${kind}`);
    if (kind === kinds.refusal) assert.match(rest.subarray(3, 3 + length).toString(), /^[ -~]{1,200}$/, what);
    rest = rest.subarray(3 + length);
  }
}

/** At most two lines in ten seconds about all of them. */
function checkLines(member, begin) {
  const lines = member.find({ msg: /cluster port (was|were) refused/ });
  const most = 2 + Math.ceil((Date.now() - begin) / 10_000) * 2;
  assert.ok(lines.length >= 1 && lines.length <= most, `${lines.length} lines:\n${lines.map((line) => JSON.stringify(line)).join('\n')}`);
  assert.equal(member.find({ level: 'error' }).length, 0);
  assert.equal(member.find({ msg: 'link is up', node: 'x' }).length, 0);
}

/** A real node is linked, and once more after all of it. */
async function linkAnew(a, b) {
  if (b.node) await b.stop();
  assert.ok(await b.start(), b.node.err);
  await allLinked([a, b]);
}

const garbage = [
  ['a long length', Buffer.from([255, 255, 17])],
  ['a length over the bound', frame(17, Buffer.alloc(0), 4097)],
  ['no frame', frame(0)], ['a frame of tomorrow', frame(21)], ['an empty hello', frame(17)],
  ['a proof first', frame(18, noise(32, 1))], ['ready first', frame(19)], ['a refusal first', frame(20, noise(200, 2))],
  ['a hello of noise', frame(17, noise(4096, 3))], ['a hello of zeros', frame(17, Buffer.alloc(300))],
  ['a hello of long texts', frame(17, Buffer.from([...text('cafmcp-link'), 1, 255, 255, 255, 255, 15]))],
  ['another magic', frame(17, hello({ magic: 'cafmcp-lynk' }))], ['another protocol', frame(17, hello({ protocol: 2 }))],
  ['no name', frame(17, hello({ node: '' }))], ['a path as a name', frame(17, hello({ node: '../../x' }))],
  ['a name with control characters', frame(17, hello({ node: 'x\x1b[2J\n' }))], ['a long name', frame(17, hello({ node: 'x'.repeat(64) }))],
  ['no incarnation', frame(17, hello({ incarnation: 0 }))], ['no nonce', frame(17, hello({ nonce: '' }))],
  ['versions of tomorrow', frame(17, hello({ version: 9, min: 9 }))], ['the name of the node itself', frame(17, hello({ node: 'a' }))],
  ['a wrong proof', Buffer.concat([frame(17, hello()), frame(18, noise(32, 4))])],
  ['two hellos', Buffer.concat([frame(17, hello()), frame(17, hello())])],
  ['ready without proof', Buffer.concat([frame(17, hello()), frame(19)])],
  ['HTTP', Buffer.from('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')], ['TLS', Buffer.from('16030100f5010000f10303', 'hex')],
  ['a megabyte of zeros', Buffer.alloc(megabyte)], ['a megabyte of noise', noise(megabyte, 5)],
  ['a hello and a megabyte', Buffer.concat([frame(17, hello()), noise(megabyte, 6)])],
];

test('noise, lengths that lie and hellos that cannot be are refused, and cost nothing', async () => {
  const begin = Date.now();
  const a = new Member('a', { env: { CAFMCP_CLUSTER_SECRET: 'one' } });
  const b = new Member('b', { seeds: [a], env: { CAFMCP_CLUSTER_SECRET: 'one' } });
  await a.start();
  await linkAnew(a, b);
  const round = async () => {
    for (const [what, bytes] of garbage) checkAnswer(await within(4, knock(a, bytes), what), what);
    for (let i = 0; i < 50; ++i) { // may begin as something that is waited for
      const raw = knock(a, noise(1 + i * 40, i + 10));
      await raw.opened;
      raw.socket.end();
      checkAnswer(await within(8, raw, `noise ${i}`), `noise ${i}`);
    }
  };
  await round();
  const [descriptors, resident] = [await a.descriptors(), await a.resident()];
  for (let i = 0; i < 4; ++i) await round();
  await until('descriptors as before', async () => (await a.descriptors()) <= descriptors);
  const more = (await a.resident()) - resident;
  assert.ok(more < 3 * megabyte, `${more} bytes more`);
  assert.deepEqual([a.downs(b), b.downs(a)], [0, 0], 'who is linked does not notice');
  checkLines(a, begin);
  await linkAnew(a, b);
});

test('whoever falls silent is closed within the time of a handshake, however it drips', async () => {
  const dir = folder();
  await certs(dir, 'a', 'x');
  const plain = new Member('a');
  const secure = new Member('a', { flags: tlsFlags(dir, 'a') });
  await Promise.all([plain.start(), secure.start()]);
  const [ca, cert, key] = await Promise.all(['ca.pem', 'x.pem', 'x.key'].map((file) => readFile(join(dir, file))));
  const half = frame(17, hello()).subarray(0, 60);
  const begin = Date.now();
  const silent = [
    ['nothing', knock(plain)], ['one byte', knock(plain, Buffer.from([60]))], ['half a header', knock(plain, half.subarray(0, 2))], ['half a hello', knock(plain, half)],
    ['a hello without a proof', knock(plain, frame(17, hello()))], ['nothing, where TLS is due', knock(secure)],
    ['half of TLS', knock(secure, Buffer.from('16030100f5010000f10303', 'hex'))], ['TLS, and nothing in it', knockTls(secure, undefined, { ca, cert, key })],
    ['half a hello in TLS', knockTls(secure, half, { ca, cert, key })],
  ];
  const drip = knock(plain);
  let at = 0;
  const timer = setInterval(() => drip.socket.write(half.subarray(at, ++at)), 200);
  drip.closed.then(() => clearInterval(timer));
  await Promise.all([...silent, ['drops', drip]].map(async ([what, raw]) => {
    await within(10, raw, what);
    const after = Date.now() - begin;
    assert.ok(after > 4500 && after < 9000, `${what}: closed after ${after} ms`);
  }));
});

test('five hundred strangers hold 64 places, and real nodes come in', async (t) => {
  const begin = Date.now();
  const a = new Member('a');
  const b = new Member('b', { seeds: [a] });
  await a.start();
  const before = await a.descriptors();
  const bounded = async () => assert.ok((await a.descriptors()) <= before + 64 + 12, `${before} → ${await a.descriptors()} descriptors`);
  // From the address that b has too.
  const idle = Array.from({ length: 500 }, () => knock(a));
  await Promise.all(idle.map((raw) => raw.opened));
  await until('the first ones to make room', () => idle.filter((raw) => raw.isClosed).length >= 436);
  await bounded();
  assert.ok(idle.filter((raw) => !raw.isClosed).length > 40, 'those who came last may still talk');
  await linkAnew(a, b);
  idle.forEach((raw) => raw.socket.destroy());
  // And again and again, from another address.
  let over = false;
  t.after(() => (over = true));
  let knocks = 0;
  const flood = Array.from({ length: 100 }, async () => {
    while (!over) {
      ++knocks;
      await knock(a, undefined, { localAddress: '127.0.0.9' }).closed;
    }
  });
  await until('a flood', () => knocks > 500);
  for (let i = 0; i < 3; ++i) {
    await linkAnew(a, b);
    await bounded();
  }
  assert.equal(a.downs(b), 3, 'at the ends of b alone');
  over = true;
  await a.stop();
  await Promise.all(flood);
  checkLines(a, begin);
});

test('a port with TLS takes nothing but TLS with the right certificates', async () => {
  const begin = Date.now();
  const dir = folder();
  const theirs = folder();
  await Promise.all([certs(dir, 'a', 'b', 'x'), certs(theirs, 'x')]);
  const files = async (from, name) => {
    const [ca, cert, key] = await Promise.all(['ca.pem', `${name}.pem`, `${name}.key`].map((file) => readFile(join(from, file))));
    return { ca, cert, key };
  };
  const [ours, foreign] = [await files(dir, 'x'), await files(theirs, 'x')];
  const a = new Member('a', { flags: tlsFlags(dir, 'a') });
  const b = new Member('b', { flags: tlsFlags(dir, 'b'), seeds: [a] });
  await a.start();
  await linkAnew(a, b);
  const refusal = (data) => data.subarray(data.lastIndexOf('\x14') + 1).toString();
  const round = async () => {
    // 'TLS' is a beginning of it, which is waited for.
    for (const [what, bytes] of garbage.filter(([name]) => name !== 'TLS')) {
      const raw = knock(a, bytes);
      if (bytes.length < 5) raw.opened.then(() => raw.socket.end()); // it might become TLS
      await within(4, raw, what);
    }
    assert.match(refusal(await within(4, knock(a, frame(17, hello())), 'a hello without TLS')), /one side has TLS and the other has none/);
    assert.equal((await within(4, knockTls(a, frame(17, hello()), {}), 'no certificate')).length, 0);
    assert.equal((await within(4, knockTls(a, frame(17, hello()), foreign), 'a certificate of another authority')).length, 0);
    assert.equal((await within(4, knockTls(a, frame(17, hello()), { ...ours, maxVersion: 'TLSv1.2' }), 'TLS 1.2')).length, 0);
    const named = refusal(await within(4, knockTls(a, frame(17, hello({ node: 'b' })), ours), 'a certificate for another name'));
    assert.match(named, /the certificate is for "x" and not for b$/);
    for (const [what, bytes] of garbage.slice(0, 8)) checkAnswer(await within(4, knockTls(a, bytes, ours), what), what);
  };
  await round();
  const [descriptors, resident] = [await a.descriptors(), await a.resident()];
  for (let i = 0; i < 3; ++i) await round();
  await until('descriptors as before', async () => (await a.descriptors()) <= descriptors);
  const more = (await a.resident()) - resident;
  assert.ok(more < 3 * megabyte, `${more} bytes more`);
  assert.deepEqual([a.downs(b), b.downs(a)], [0, 0], 'who is linked does not notice');
  checkLines(a, begin);
  await linkAnew(a, b);
});
