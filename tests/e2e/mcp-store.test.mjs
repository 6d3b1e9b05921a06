// The data directory in trouble: said by name, and over when the trouble is.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { alone, Node, until } from './node.mjs';
import { atEnd, Poster } from './clients.mjs';

const command = promisify(execFile);
const start = (data) => Node.start(['--data-dir', data, '--set', 'admin.listen=off']);
const health = async (node) => (await fetch(`${node.url}/health`, alone)).json();

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
  atEnd(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('a data directory belongs to one process', async () => {
  const data = await folder();
  const first = await start(data);
  const second = await start(data);
  assert.equal(await second.ended, 1);
  assert.match(second.err, /sessions is in use by another process/);
  assert.equal((await health(first)).status, 'ok');
  assert.equal(await first.stop(), 0);
  assert.equal(await (await start(data)).stop(), 0);
});

test('a file that is no store of ours is left alone and named', async () => {
  const data = await folder();
  assert.equal(await (await start(data)).stop(), 0);
  await writeFile(join(data, 'sessions/sessions.db'), 'something else');
  const node = await start(data);
  assert.equal(await node.ended, 1);
  assert.match(node.err, /sessions\.db is damaged/);
});

// A file system of its own that can be filled up.
test('a full disk is an error for clients, and over when there is room', { skip: process.getuid() !== 0 && 'mounting needs root' }, async () => {
  const data = await folder();
  await command('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', data]);
  try {
    const node = await start(data);
    const client = await Poster.start(node);
    const value = async () => Number(await client.tool('state_incr', { key: 'n' }));
    assert.equal(await value(), 1);
    assert.equal(await node.metric('cafmcp_store_up'), 1);
    assert.ok(await node.metric('cafmcp_store_operations_total') >= 2, 'create and state are written');
    const filler = join(data, 'filler');
    await command('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k']).catch(() => {}); // until there is no room
    await until('the store to notice', async () => {
      await value().catch(() => {});
      return (await health(node)).status === 'unhealthy';
    });
    assert.match((await health(node)).reason, /sessions\.db: .*full/);
    assert.equal(await node.metric('cafmcp_store_up'), 0);
    assert.ok(await node.metric('cafmcp_store_failed_groups_total') > 0);
    await rm(filler);
    const after = await until('room to be used', async () => value().catch(() => undefined));
    assert.ok(after > 1, 'what was acknowledged is there');
    await until('health', async () => (await health(node)).status === 'ok');
    assert.equal(await node.stop(), 0);
  } finally {
    await command('umount', ['-l', data]);
  }
});

test('a log that is damaged in its middle stops the start by name, and is left as it was', async () => {
  const data = await folder();
  const node = await start(data);
  const client = await Poster.start(node);
  for (let i = 0; i < 20; ++i) await client.tool('state_incr', { key: 'n' });
  await node.stop('SIGKILL');
  const path = join(data, 'sessions/sessions.db-wal');
  const log = await readFile(path);
  log[Math.floor(log.length / 2)] ^= 1;
  await writeFile(path, log);
  const second = await start(data);
  assert.equal(await second.ended, 1);
  assert.match(second.err, /sessions\.db-wal is damaged: frame \d+/);
  assert.deepEqual(await readFile(path), log);
  log[Math.floor(log.length / 2)] ^= 1;
  await writeFile(path, log);
  const third = await start(data);
  assert.equal(await Poster.resume(third, client.session).tool('state_get', { key: 'n' }), '20');
});

test('cafmcpctl tells of the store, and checks it', async () => {
  const node = await Node.start();
  const client = await Poster.start(node);
  await client.tool('state_incr', { key: 'n' });
  const stats = JSON.parse((await node.ctl('--json', 'store', 'stats')).out);
  assert.equal(stats.sessions, 1);
  assert.equal(stats.status, 'ok');
  assert.ok(stats.groups >= 2 && stats.operations >= 3 && stats.file_bytes + stats.log_bytes > 0);
  assert.match((await node.ctl('store', 'stats')).out, /^sessions +1, and 0 that have ended lately$/m);
  const check = await node.ctl('store', 'check');
  assert.equal(check.code, 0, check.err);
  assert.match(check.out, /^1 records checked in .*: all is well\n$/);
  assert.deepEqual(await node.ctl('store').then((done) => done.code), 2);
});

// Rows are broken under a store that is not running: it serves what is left, says what is lost, and not that it never was.
test('a broken page costs those that are on it', async () => {
  const data = await folder();
  const first = await start(data);
  const clients = [];
  for (let i = 0; i < 60; ++i) clients.push(await Poster.start(first));
  assert.equal(await first.stop(), 0);
  const path = join(data, 'sessions/sessions.db');
  const file = await readFile(path);
  // Its row in the table of sessions: everywhere else an id stands behind its length.
  let at = file.indexOf(clients[20].session);
  while (file.readUInt32LE(at - 4) === 32) at = file.indexOf(clients[20].session, at + 1);
  file.fill(0x7f, Math.floor(at / 4096) * 4096, Math.floor(at / 4096) * 4096 + 1000);
  await writeFile(path, file);
  const node = await Node.start(['--data-dir', data]);
  const codes = await Promise.all(clients.map(async ({ session }) => (await Poster.resume(node, session).post({ jsonrpc: '2.0', id: 1, method: 'ping' })).status));
  assert.equal(codes[20], 503);
  assert.equal(codes[0], 200);
  assert.ok(codes.every((code) => code === 200 || code === 503), String(codes));
  assert.equal((await health(node)).status, 'ok');
  assert.ok(await node.metric('cafmcp_store_gaps') > 0);
  assert.match(node.err, /a part of the sessions file can't be read/);
  const check = await node.ctl('store', 'check');
  assert.equal(check.code, 1);
  assert.match(check.out, /stretches of the file that can't be read/);
});
