// Ten thousand connections leave no actor, no descriptor and no memory behind.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { Node, connect, until } from './node.mjs';

async function footprint(node) {
  const status = await readFile(`/proc/${node.child.pid}/status`, 'utf8');
  return {
    resident: Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024,
    descriptors: (await readdir(`/proc/${node.child.pid}/fd`)).length,
    actors: (await node.api('status')).body.actors,
  };
}

// Connections of all kinds: with an answer, cut off in the middle, closed at once, refused.
async function connections(node, count) {
  const kinds = [
    'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    'nonsense\r\n\r\n',
    'POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf',
    '',
  ];
  for (let done = 0; done < count; done += 100) {
    const batch = Array.from({ length: 100 }, (_, i) => connect(node.port, kinds[i % kinds.length]));
    await Promise.all(batch.map((raw) => raw.opened));
    batch.forEach((raw, i) => i % kinds.length >= 3 && raw.socket.destroy());
    await Promise.all(batch.map((raw) => raw.closed));
  }
}

test('ten thousand connections', async () => {
  const node = await Node.start();
  const settled = () => until('connections to be gone', async () => (await node.metric('cafmcp_http_connections{port="service"}')) <= 2);
  await connections(node, 2000);
  await settled();
  const before = await footprint(node);
  await connections(node, 10000);
  await settled();
  const after = await footprint(node);
  assert.equal(after.actors, before.actors);
  assert.ok(after.descriptors <= before.descriptors + 2, `${before.descriptors} → ${after.descriptors} descriptors`);
  assert.ok(after.resident - before.resident < 2 * 1024 * 1024, `${after.resident - before.resident} bytes more`);
  assert.equal(await node.stop(), 0);
});
