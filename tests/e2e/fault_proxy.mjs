// A TCP proxy that stands between two programs and breaks what passes, as a network does. One side dials the proxy and the
// proxy dials the target. `up` is the way from who dials to the target, `down` the way back. Faults hold for connections that
// are there and those to come, until `heal`. What a cut holds back isn't lost: it arrives after the heal, as TCP sends anew.
import net from 'node:net';
import { once } from 'node:events';

// As little as a real path holds; then the sender feels that nothing moves.
const mostHeld = 256 * 1024;

/** One way of one connection: takes from a socket and gives to another one, later, slower, or not at all. */
class Way {
  queue = []; // {due, bytes}; without bytes: the end
  held = 0;
  freeAt = 0; // when a throttled way has sent what it was given

  constructor(from, to, fault) {
    Object.assign(this, { from, to, fault });
    from.on('data', (bytes) => {
      this.held += bytes.length;
      this.queue.push({ due: Date.now() + fault.delay, bytes });
      this.move();
    });
    from.on('end', () => {
      this.queue.push({ due: Date.now() + fault.delay });
      this.move();
    });
    to.on('drain', () => this.move());
  }

  /** Passes on what may pass now, and comes back when more may. */
  move() {
    clearTimeout(this.timer);
    while (!this.fault.cut && this.queue.length > 0 && !this.to.destroyed && !this.to.connecting && !this.to.writableNeedDrain) {
      const wait = Math.max(this.queue[0].due, this.freeAt) - Date.now();
      if (wait > 0) {
        this.timer = setTimeout(() => this.move(), wait);
        break;
      }
      this.pass();
    }
    if (this.fault.cut || this.held > mostHeld || this.to.connecting) this.from.pause();
    else this.from.resume();
  }

  pass() {
    const next = this.queue.shift();
    if (!next.bytes) return this.to.end();
    let { bytes } = next;
    const { rate } = this.fault;
    if (rate) {
      const piece = Math.max(1, Math.floor(rate / 50));
      if (bytes.length > piece) this.queue.unshift({ due: next.due, bytes: bytes.subarray(piece) });
      bytes = bytes.subarray(0, piece);
      this.freeAt = Math.max(this.freeAt, Date.now()) + (bytes.length / rate) * 1000;
    }
    this.held -= bytes.length;
    this.fault.passed += bytes.length;
    this.to.write(bytes);
  }
}

/** The proxy. */
export class FaultProxy {
  accepted = 0; // connections so far
  up = { cut: false, delay: 0, rate: 0, passed: 0 }; // with the bytes that have passed so far
  down = { cut: false, delay: 0, rate: 0, passed: 0 };
  refusing = false;
  pairs = new Set();

  /** Stands before `target` `{host, port}`, at `host` and `port`; 0: a free one. */
  static async start(target, { host = '127.0.0.1', port = 0 } = {}) {
    const proxy = new FaultProxy();
    proxy.target = target;
    proxy.server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => proxy.welcome(socket));
    proxy.server.listen({ port, host });
    await once(proxy.server, 'listening');
    proxy.host = host;
    proxy.port = proxy.server.address().port;
    return proxy;
  }

  /** Connections that are there now. */
  get connections() { return this.pairs.size; }

  /** Milliseconds that everything takes longer, each way. */
  delay(up, down = up) {
    this.up.delay = up;
    this.down.delay = down;
  }

  /** Bytes a second of each connection, each way; 0: as many as there are. */
  throttle(up, down = up) {
    this.up.rate = up;
    this.down.rate = down;
    this.#moveAll();
  }

  /** Nothing passes that way ('up', 'down'), or none; connections stay open, and new ones are taken and left alone. */
  cut(way) {
    if (way !== 'down') this.up.cut = true;
    if (way !== 'up') this.down.cut = true;
    this.#moveAll();
  }

  /** Both ends of all connections see a reset. */
  reset() {
    for (const pair of [...this.pairs]) this.#drop(pair);
  }

  /** New connections are closed at once; those that are there stay. */
  refuse() { this.refusing = true; }

  /** No fault is left. */
  heal() {
    this.refusing = false;
    for (const fault of [this.up, this.down]) Object.assign(fault, { cut: false, delay: 0, rate: 0 });
    for (const pair of [...this.pairs]) this.#open(pair);
    this.#moveAll();
  }

  async close() {
    if (!this.server.listening) return;
    this.server.close();
    this.reset();
    await once(this.server, 'close');
  }

  welcome(client) {
    ++this.accepted;
    client.on('error', () => {});
    if (this.refusing) return client.resetAndDestroy();
    const pair = { client, ways: [] };
    this.pairs.add(pair);
    client.on('close', () => this.#gone(pair, client));
    this.#open(pair);
  }

  // The target hears of a connection when anything can pass.
  #open(pair) {
    if (pair.target || (this.up.cut && this.down.cut)) return;
    const target = net.connect({ ...this.target, allowHalfOpen: true, noDelay: true });
    pair.target = target;
    target.on('error', () => {});
    target.on('close', () => this.#gone(pair, target));
    pair.ways = [new Way(pair.client, target, this.up), new Way(target, pair.client, this.down)];
    target.on('connect', () => pair.ways.forEach((way) => way.move()));
  }

  // One end is closed. After an end in order both ways all has been said; else the other end sees a reset.
  #gone(pair, socket) {
    const other = socket === pair.client ? pair.target : pair.client;
    if (other && other.writableFinished && other.readableEnded) this.pairs.delete(pair);
    else this.#drop(pair);
  }

  #drop(pair) {
    this.pairs.delete(pair);
    for (const way of pair.ways) clearTimeout(way.timer);
    for (const socket of [pair.client, pair.target]) {
      if (socket?.connecting) socket.destroy();
      else if (socket && !socket.destroyed) socket.resetAndDestroy();
    }
  }

  #moveAll() {
    for (const { ways } of this.pairs) for (const way of ways) way.move();
  }
}
