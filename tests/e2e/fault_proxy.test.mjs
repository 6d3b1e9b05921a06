// The proxy breaks what it is told to break, and nothing else.
import test from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { FaultProxy } from './fault_proxy.mjs';
import { connect, until } from './node.mjs';

// An echo behind a proxy, which remembers what it got and how its connections ended.
async function echo(t) {
  const seen = { sockets: [], text: '', ends: [] };
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    seen.sockets.push(socket);
    socket.on('data', (data) => {
      seen.text += data;
      socket.write(data);
    });
    socket.on('end', () => socket.end());
    socket.on('error', (error) => seen.ends.push(error.code));
    socket.on('close', (failed) => failed || seen.ends.push('end'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port: server.address().port });
  t.after(async () => {
    await proxy.close();
    server.close();
  });
  return { proxy, seen };
}

const got = (raw, text) => until(`the echo of ${text}`, () => raw.data.toString() === text, 5);

// Whether nothing comes while a connection past the fault does a round trip thirty times.
async function nothingComes(raw, before) {
  const beside = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(beside, 'listening');
  const other = connect(beside.address().port);
  for (let i = 1; i <= 30; ++i) {
    other.socket.write('.');
    await until('an echo beside', () => other.data.length === i);
  }
  other.socket.destroy();
  beside.close();
  assert.equal(raw.data.toString(), before);
}

test('without a fault everything passes, and ends are passed on', async (t) => {
  const { proxy, seen } = await echo(t);
  const raw = connect(proxy.port, 'hello');
  await got(raw, 'hello');
  assert.equal(proxy.connections, 1);
  const big = 'x'.repeat(3_000_000);
  raw.socket.end(big);
  assert.equal((await raw.closed).length, big.length + 5);
  await until('no connection', () => proxy.connections === 0);
  assert.deepEqual([proxy.accepted, seen.ends], [1, ['end']]);
});

test('a cut stops both ways and new connections, and the heal lets all of it pass', async (t) => {
  const { proxy, seen } = await echo(t);
  const raw = connect(proxy.port, 'a');
  await got(raw, 'a');
  proxy.cut();
  raw.socket.write('b');
  const late = connect(proxy.port, 'c');
  await late.opened;
  await nothingComes(raw, 'a');
  assert.deepEqual([seen.text, seen.sockets.length, late.data.length], ['a', 1, 0]);
  assert.equal(proxy.connections, 2);
  proxy.heal();
  await got(raw, 'ab');
  await got(late, 'c');
});

test('an end that falls into a cut arrives after the heal', async (t) => {
  const { proxy, seen } = await echo(t);
  const raw = connect(proxy.port, 'a');
  await got(raw, 'a');
  proxy.cut();
  raw.socket.end();
  await nothingComes(raw, 'a');
  assert.deepEqual(seen.ends, []);
  proxy.heal();
  await raw.closed;
  await until('the end', () => seen.ends.length === 1);
});

test('a cut of one way leaves the other', async (t) => {
  const { proxy, seen } = await echo(t);
  const raw = connect(proxy.port, 'a');
  await got(raw, 'a');
  proxy.cut('down');
  raw.socket.write('b');
  await until('b to arrive', () => seen.text === 'ab');
  await nothingComes(raw, 'a');
  proxy.heal();
  await got(raw, 'ab');
  proxy.cut('up');
  raw.socket.write('c');
  seen.sockets[0].write('d');
  await got(raw, 'abd');
  assert.equal(seen.text, 'ab');
  const late = connect(proxy.port, 'e'); // is seen, but not heard
  await until('another connection', () => seen.sockets.length === 2);
  await nothingComes(late, '');
  proxy.heal();
  await got(raw, 'abdc');
  await got(late, 'e');
});

test('a reset is one for both ends, and new connections pass', async (t) => {
  const { proxy, seen } = await echo(t);
  const raw = connect(proxy.port, 'a');
  const failed = once(raw.socket, 'error');
  await got(raw, 'a');
  proxy.reset();
  assert.equal((await failed)[0].code, 'ECONNRESET');
  await until('the reset', () => seen.ends.length === 1);
  assert.deepEqual(seen.ends, ['ECONNRESET']);
  assert.equal(proxy.connections, 0);
  await got(connect(proxy.port, 'b'), 'b');
  seen.sockets[1].resetAndDestroy(); // and one end's reset is the other's
  await until('no connection', () => proxy.connections === 0);
});

test('refused are new connections alone', async (t) => {
  const { proxy, seen } = await echo(t);
  const raw = connect(proxy.port, 'a');
  await got(raw, 'a');
  proxy.refuse();
  assert.equal(await connect(proxy.port, 'b').closed, '');
  raw.socket.write('c');
  await got(raw, 'ac');
  assert.equal(seen.sockets.length, 1);
  proxy.heal();
  await got(connect(proxy.port, 'd'), 'd');
});

test('delays are kept, each way its own, and the order too', async (t) => {
  const { proxy, seen } = await echo(t);
  proxy.delay(200, 100);
  const raw = connect(proxy.port);
  await raw.opened;
  const begin = performance.now();
  raw.socket.write('a');
  await until('a there', () => seen.text === 'a');
  const there = performance.now() - begin;
  await got(raw, 'a');
  const back = performance.now() - begin;
  assert.ok(there >= 195 && back >= there + 90, `${there} ms there, ${back} ms in all`);
  for (const letter of 'bcdefgh') raw.socket.write(letter);
  proxy.delay(0);
  raw.socket.write('i'); // does not overtake
  await got(raw, 'abcdefghi');
});

test('a throttle holds the rate, and feels like a slow path', async (t) => {
  const { proxy, seen } = await echo(t);
  proxy.throttle(100_000, 0);
  const raw = connect(proxy.port);
  const begin = performance.now();
  raw.socket.write('x'.repeat(50_000));
  await until('all of it', () => seen.text.length === 50_000);
  const took = performance.now() - begin;
  assert.ok(took >= 450 && took < 5000, `${took} ms for half a second's worth`);
  raw.socket.write('y'.repeat(16_000_000));
  await until('some', () => seen.text.length > 60_000);
  assert.ok(raw.socket.writableLength > 0, 'the sender waits');
  proxy.throttle(0);
  await until('the rest', () => seen.text.length === 16_050_000);
});

test('a target that is not there closes the connection', async (t) => {
  const nobody = net.createServer().listen(0, '127.0.0.1');
  await once(nobody, 'listening');
  const { port } = nobody.address();
  nobody.close();
  await once(nobody, 'close');
  const proxy = await FaultProxy.start({ host: '127.0.0.1', port });
  t.after(() => proxy.close());
  assert.equal(await connect(proxy.port, 'a').closed, '');
  assert.equal(proxy.connections, 0);
});
