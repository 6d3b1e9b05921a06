// The data directory in trouble: said by name, and over when the trouble is.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
