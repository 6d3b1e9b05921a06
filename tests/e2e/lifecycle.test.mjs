// A node starts, is seen, is told, and stops.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Node, run, connect, until, source } from './node.mjs';

const hooks = ['--set', 'admin.test_hooks=true'];

// A request whose body is missing; the node has said that it waits for it.
function halfRequest(node) {
  return connect(node.adminPort, `POST /admin/api/v1/test/kill HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${node.token}\r\n` +
    'Content-Length: 2\r\nExpect: 100-continue\r\n\r\n');
}

// The ports are drained one after the other; the admin port has begun when it tells newcomers to come back later.
const refusesNewcomers = async (node) => (await connect(node.adminPort, 'GET /admin/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n').closed).startsWith('HTTP/1.1 503 ');

test('ready, healthy, measured, and gone on SIGTERM with exit code 0', async () => {
  const node = await Node.start(['--name', 'n1', '--region', 'eu', '--zone', 'a']);
  assert.match(node.out, /^cafmcpd n1 ready http:\/\/127\.0\.0\.1:\d+\/mcp\ncafmcpd n1 console http:\/\/127\.0\.0\.1:\d+\/admin\/\n$/);
  for (const path of ['/health', '/health/live', '/health/ready']) {
    const answer = await fetch(node.url + path);
    assert.equal(answer.status, 200, path);
    assert.equal((await answer.json()).status, 'ok');
  }
  assert.equal((await fetch(`${node.url}/health`, { method: 'HEAD' })).status, 200);
  assert.equal((await fetch(`${node.url}/nothing`)).status, 404);
  assert.equal((await fetch(`${node.url}/health`, { method: 'DELETE' })).status, 405);
  const page = await (await fetch(`${node.url}/metrics`)).text();
  for (const line of page.trim().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [-+.\de]+)$/, 'Prometheus text format');
  assert.equal(await node.metric('cafmcp_ready'), 1);
  assert.ok((await node.metric('cafmcp_http_responses_total{port="service",status="2xx"}')) >= 4);
  const status = JSON.parse((await node.ctl('--json', 'status')).out);
  assert.deepEqual([status.name, status.region, status.zone, status.status], ['n1', 'eu', 'a', 'ok']);
  assert.equal(await node.stop(), 0);
  assert.equal(node.out.split('\n').length, 3, 'nothing else on standard output');
});

test('a request under way is answered while the node drains, and idle connections are closed', async () => {
  const node = await Node.start(hooks);
  const idle = connect(node.port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('first answer', () => idle.data.includes('"ok"'));
  const busy = halfRequest(node);
  await until('the go-ahead', () => busy.data.includes('100 Continue'));
  node.child.kill('SIGTERM');
  await idle.closed;
  await until('the drain', () => refusesNewcomers(node));
  busy.socket.write('{}');
  assert.match(await busy.closed, /HTTP\/1\.1 400 [\s\S]*Connection: close/);
  assert.equal(await node.ended, 0);
});

test('what can go wrong at start is one clear line and exit code 1', async (t) => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await until('listening', () => taken.listening);
  t.after(() => taken.close());
  const dir = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
  await writeFile(join(dir, 'file'), '');
  const start = (...flags) => run('cafmcpd', ['--listen', '127.0.0.1:0', '--set', 'admin.listen=off', '--data-dir', dir, ...flags]);
  const port = await start('--listen', `127.0.0.1:${taken.address().port}`);
  assert.equal(port.code, 1);
  assert.match(port.err, new RegExp(`^cafmcpd: cannot listen on 127.0.0.1:${taken.address().port}: .*in use.*\n$`));
  const data = await start('--data-dir', join(dir, 'file/data'));
  assert.equal(data.code, 1);
  assert.match(data.err, /^cafmcpd: cannot create the data directory .*file\/data: .*\n$/);
  const log = await start('--set', `log.file=${join(dir, 'no/such/folder/x.log')}`);
  assert.equal(log.code, 1);
  assert.match(log.err, /^cafmcpd: .*x\.log.*\n$/);
  await writeFile(join(dir, 'admin.token'), 'short\n');
  const token = await run('cafmcpd', ['--listen', '127.0.0.1:0', '--set', 'admin.listen=127.0.0.1:0', '--data-dir', dir]);
  assert.equal(token.code, 1);
  assert.match(token.err, /admin\.token holds no token/);
  await rm(dir, { recursive: true });
});

test('configuration errors name place and key and end with exit code 2', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
  const file = join(dir, 'x.yaml');
  await writeFile(file, 'name: n\nlisten: 127.0.0.1:0\nlog:\n  levle: debug\nshutdown:\n  timeout: soon\n');
  const bad = await run('cafmcpd', ['--config', file]);
  assert.equal(bad.code, 2);
  assert.match(bad.err, /x\.yaml:4:\d+: log\.levle: .*`log\.level`/);
  assert.match(bad.err, /x\.yaml:6:\d+: shutdown\.timeout: /);
  assert.equal((await run('cafmcpd', ['--config', source('config/cafmcpd.yaml'), '--check-config'])).code, 0);
  assert.equal((await run('cafmcpd', ['--config', file, '--check-config'])).code, 2);
  assert.equal((await run('cafmcpd', ['--no-such-flag'])).code, 2);
  assert.equal((await run('cafmcpd', ['--set', 'listen'])).code, 2);
  const env = await run('cafmcpd', ['--check-config'], { env: { PATH: process.env.PATH, CAFMCP_LOG_LEVEL: 'loud' } });
  assert.equal(env.code, 2);
  assert.match(env.err, /CAFMCP_LOG_LEVEL/);
  const help = await run('cafmcpd', ['--help']);
  assert.equal(help.code, 0);
  for (const flag of ['--config', '--name', '--listen', '--cluster-listen', '--seeds', '--data-dir', '--region', '--zone', '--set', '--check-config', '--version'])
    assert.ok(help.out.includes(flag), flag);
  assert.match((await run('cafmcpd', ['--version'])).out, /^cafmcpd \d+\.\d+\.\d+\n$/);
  await rm(dir, { recursive: true });
});

test('a flag overrides the environment, which overrides the file', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
  const file = join(dir, 'x.yaml');
  await writeFile(file, 'name: file\nregion: file\nzone: file\n');
  const node = await Node.start(['--config', file, '--zone', 'flag'], { env: { CAFMCP_REGION: 'env', CAFMCP_ZONE: 'env' } });
  const status = (await node.api('status')).body;
  assert.deepEqual([status.name, status.region, status.zone], ['file', 'env', 'flag']);
  await rm(dir, { recursive: true });
});

test('SIGHUP takes over what can be changed and says what cannot', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
  const file = join(dir, 'x.yaml');
  const write = (body, zone) => writeFile(file, `zone: ${zone}\nlog: {level: info, format: json}\nlimits: {body_bytes: ${body}}\n`);
  await write('4MiB', 'a');
  const node = await Node.start(['--config', file]);
  const post = async () => (await fetch(`${node.url}/health`, { method: 'POST', body: 'x'.repeat(4096) })).status;
  assert.equal(await post(), 405);
  await write('1KiB', 'b');
  node.child.kill('SIGHUP');
  await until('the new limit', async () => (await post()) === 413);
  await until('the refusal', () => node.err.includes('needs a restart: zone'));
  await writeFile(file, 'zone: [\n');
  node.child.kill('SIGHUP');
  await until('the broken file', () => node.err.includes('reload refused'));
  assert.equal((await fetch(`${node.url}/health`)).status, 200);
  for (const line of node.err.trim().split('\n')) {
    const entry = JSON.parse(line);
    assert.ok(entry.ts && entry.level && entry.logger && entry.msg, line);
  }
  assert.equal(await node.stop(), 0);
  await rm(dir, { recursive: true });
});

test('a second signal ends a node that is still draining', async () => {
  const node = await Node.start(hooks);
  const busy = halfRequest(node);
  await until('the go-ahead', () => busy.data.includes('100 Continue'));
  node.child.kill('SIGTERM');
  await until('the drain', () => refusesNewcomers(node));
  assert.equal(await node.stop('SIGTERM'), 'SIGTERM');
});

test('clients that never finish do not keep a node from going in time', async () => {
  const node = await Node.start([...hooks, '--set', 'shutdown.timeout=1s']);
  const busy = [halfRequest(node), halfRequest(node)];
  await until('the go-aheads', () => busy.every((raw) => raw.data.includes('100 Continue')));
  assert.equal(await node.stop(), 0);
  await Promise.all(busy.map((raw) => raw.closed));
});
