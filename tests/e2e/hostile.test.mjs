// Clients that mean no good, or know no better, on both ports: a clear answer or a close, bounded memory, and everybody else
// is served meanwhile.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Node, alone, connect, until } from './node.mjs';

const megabyte = 1024 * 1024;
const ports = (node) => [['service', node.port], ['admin', node.adminPort]];

// Resident memory, from the kernel.
async function resident(node) {
  const status = await readFile(`/proc/${node.child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024;
}

const open = (node, port = 'service') => node.metric(`cafmcp_http_connections{port="${port}"}`);
const well = async (node) => assert.equal((await fetch(`${node.url}/health`, alone)).status, 200);

// The answer up to the end of the connection; the node must end it.
async function exchange(port, bytes) {
  const raw = connect(port, bytes);
  return raw.closed;
}

test('what is not HTTP gets 400 or a close', async () => {
  const node = await Node.start(['--set', 'limits.header_timeout=500ms', '--set', 'limits.idle_timeout=500ms']);
  const garbage = [
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', // a TLS hello
    'SSH-2.0-OpenSSH_9.2\r\n',
    '*1\r\n$4\r\nPING\r\n',
    '\0'.repeat(4096),
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'GET / HTTP/1.1\r\nHost : a\r\n\r\n',
    ' GET / HTTP/1.1\r\n\r\n',
    `G${'E'.repeat(100)}T / HTTP/1.1\r\nHost: a\r\n\r\n`,
  ];
  for (const [name, port] of ports(node)) {
    for (const bytes of garbage) {
      const answer = await exchange(port, Buffer.from(bytes, 'latin1'));
      if (answer !== '') assert.match(answer, /^HTTP\/1\.1 (4\d\d|50[15]) [\s\S]*\r\n\r\n\{"error":\{"code":"/, `${name}: ${JSON.stringify(bytes.slice(0, 60))}`);
    }
  }
  await well(node);
  await until('all to be closed', async () => (await open(node)) <= 2 && (await open(node, 'admin')) === 0);
});

test('half requests and slow-loris are ended by the header timeout, and others are served meanwhile', async () => {
  const node = await Node.start(['--set', 'limits.header_timeout=1s', '--set', 'limits.idle_timeout=1s', '--set', 'limits.request_timeout=1s']);
  const slow = [];
  for (const [, port] of ports(node)) {
    for (let i = 0; i < 200; ++i) {
      const raw = connect(port, ['', 'G', 'GET / HT', 'GET / HTTP/1.1\r\nHost: x\r\n', 'POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{'][i % 5]);
      // One byte now and then does not buy more time.
      if (i % 5 === 3) {
        raw.drip = setInterval(() => raw.socket.write('x'), 100);
        raw.closed.then(() => clearInterval(raw.drip));
      }
      slow.push(raw);
    }
  }
  await Promise.all(slow.map((raw) => raw.opened));
  await well(node);
  const answers = await Promise.all(slow.map((raw) => raw.closed));
  // A path without a POST is refused without waiting for the body.
  answers.forEach((answer, i) => {
    if (answer !== '') assert.match(answer, i % 5 === 4 ? /^HTTP\/1\.1 40[458] / : /^HTTP\/1\.1 408 /);
  });
  assert.ok(answers.filter((answer) => answer.startsWith('HTTP/1.1 408')).length >= 200, 'those who began a request are told why');
  await well(node);
  assert.ok((await node.metric('cafmcp_http_timeouts_total{port="service",kind="header"}')) >= 80);
});

test('ten megabytes of headers, and a body over the limit, are refused with bounded memory', async () => {
  const node = await Node.start(['--set', 'limits.body_bytes=1MiB', '--set', 'admin.test_hooks=true']);
  const before = await resident(node);
  for (const [, port] of ports(node)) {
    const floods = [
      `GET /${'a'.repeat(10 * megabyte)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(10 * megabyte)}\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(2 * megabyte)}\r\n`,
    ];
    for (const flood of floods) {
      const answer = await exchange(port, flood);
      if (answer !== '') assert.match(answer, /^HTTP\/1\.1 (431|414) /);
    }
    const announced = await exchange(port, `POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: ${200 * megabyte}\r\n\r\n`);
    assert.match(announced, /^HTTP\/1\.1 413 /);
    // Where the body is wanted it is read up to the limit; elsewhere not at all.
    const chunk = `${(64 * 1024).toString(16)}\r\n${'x'.repeat(64 * 1024)}\r\n`;
    const chunked = await exchange(port, `POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(32)}0\r\n\r\n`);
    if (chunked !== '') assert.match(chunked, /^HTTP\/1\.1 (404|405|413) /);
  }
  const wanted = await exchange(node.adminPort, `POST /admin/api/v1/test/kill HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${node.token}\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${'x'.repeat(65536)}\r\n`.repeat(32)}0\r\n\r\n`);
  if (wanted !== '') assert.match(wanted, /^HTTP\/1\.1 413 /);
  await well(node);
  assert.ok((await resident(node)) - before < 16 * megabyte, 'memory stays');
});

test('ten thousand idle connections cost little, and everybody else is served', async () => {
  const node = await Node.start();
  await well(node);
  const before = await resident(node);
  const idle = [];
  for (let i = 0; i < 10000; ++i) {
    idle.push(connect(node.port));
    if (i % 100 === 99) await Promise.all(idle.slice(-100).map((raw) => raw.opened));
  }
  await until('all to be open', async () => (await open(node)) >= 10000);
  await well(node);
  const each = ((await resident(node)) - before) / idle.length;
  assert.ok(each < 16 * 1024, `${each} bytes for each idle connection`);
  idle.forEach((raw) => raw.socket.destroy());
  await until('all to be gone', async () => (await open(node)) <= 2);
  assert.equal(await node.stop(), 0);
});

test('one connection over the limit is told to come back later', async () => {
  const node = await Node.start(['--set', 'limits.connections=50']);
  const all = Array.from({ length: 80 }, () => connect(node.port));
  await until('thirty refusals', () => all.filter((raw) => raw.data.length > 0).length === 30);
  for (const raw of all.filter((r) => r.data.length > 0)) assert.match(raw.data.toString(), /^HTTP\/1\.1 503 [\s\S]*Retry-After: \d+/);
  all.forEach((raw) => raw.socket.destroy());
  await until('room again', async () => (await fetch(`${node.url}/health`).catch(() => ({}))).status === 200);
});

test('a wrong token opens nothing', async () => {
  const node = await Node.start(['--set', 'admin.test_hooks=true']);
  const status = async (authorization) => {
    const answer = await fetch(`${node.admin}/admin/api/v1/status`, { headers: authorization === undefined ? {} : { authorization } });
    return answer.status;
  };
  assert.equal(await status(`Bearer ${node.token}`), 200);
  assert.equal(await status(`bearer ${node.token}`), 200);
  const { token } = node;
  const wrong = [undefined, '', 'Bearer', 'Bearer ', token, `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token.slice(1)}`,
    `Bearer ${token.toUpperCase()}!`, `Bearer ${'0'.repeat(64)}`, `Bearer ${'x'.repeat(8000)}`, `Bearer  ${token}`];
  for (const authorization of wrong) assert.equal(await status(authorization), 401, String(authorization));
  for (const path of ['status', 'tree', 'tree?id=cafmcp'])
    assert.equal((await fetch(`${node.admin}/admin/api/v1/${path}`)).status, 401, path);
  const kill = await fetch(`${node.admin}/admin/api/v1/test/kill`, { method: 'POST', body: '{"id":"cafmcp"}' });
  assert.equal(kill.status, 401);
  assert.match(kill.headers.get('www-authenticate'), /^Bearer /);
  // Behind the token, bad input is an error, not an accident.
  for (const body of ['', '[]', '{"id":7}', '{"id":"nobody"}', `{"id":"${'/'.repeat(3000)}"}`, '{"id":"cafmcp/watch","how":"fire"}', '{'.repeat(10000)]) {
    const answer = await fetch(`${node.admin}/admin/api/v1/test/kill`, { method: 'POST', body, headers: { authorization: `Bearer ${token}` } });
    assert.ok([400, 404].includes(answer.status), `${body.slice(0, 40)}: ${answer.status}`);
  }
  assert.equal((await fetch(`${node.url}/admin/api/v1/status`)).status, 404, 'the service port has no admin API');
});
