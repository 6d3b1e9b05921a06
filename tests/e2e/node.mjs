// Starts real nodes for the tests, each in a temporary folder of its own on free ports, and stops them by process id.
import { spawn, execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import net from 'node:net';
import { afterEach } from 'node:test';

export const bin = (name) => join(process.env.CAFMCP_BIN_DIR ?? 'build/bin', name);
export const source = (path) => join(process.env.CAFMCP_SOURCE_DIR ?? '.', path);

const running = new Set();
const nodes = new Set();
const sockets = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// Whatever a test leaves behind, also when it fails, is gone before the next one.
afterEach(async () => {
  sockets.forEach((socket) => socket.destroy());
  sockets.clear();
  await Promise.all([...nodes].map((node) => node.clean()));
});

/** Waits until `check` returns something, at most `seconds`; then throws what `what` says. */
export async function until(what, check, seconds = 30) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** For `fetch`: a connection of its own. A kept one may be closed for being idle just when it is used again. */
export const alone = { headers: { connection: 'close' } };

/** A node under test. */
export class Node {
  /** Starts one; `flags` come behind those that isolate it. Resolves when it is ready, or has ended. `within`: a program with
   * flags that runs it in its own process, as `ip netns exec` does. */
  static async start(flags = [], { env = {}, within = [] } = {}) {
    const node = new Node();
    nodes.add(node);
    node.dir = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
    const all = ['--listen', '127.0.0.1:0', '--set', 'admin.listen=127.0.0.1:0', '--data-dir', join(node.dir, 'data'), ...flags];
    node.data = all[all.lastIndexOf('--data-dir') + 1];
    const [program, ...args] = [...within, bin('cafmcpd'), ...all];
    node.child = spawn(program, args, { cwd: node.dir, env: { PATH: process.env.PATH, HOME: node.dir, ...env } });
    running.add(node.child);
    node.out = '';
    node.err = '';
    node.child.stdout.on('data', (data) => (node.out += data));
    node.child.stderr.on('data', (data) => (node.err += data));
    node.ended = new Promise((resolve) =>
      node.child.on('close', (code, signal) => {
        running.delete(node.child);
        node.exit = signal ?? code;
        resolve(node.exit);
      }),
    );
    await until('ready line', () => node.exit !== undefined || /ready http\S+\n(.*console.*\n|$)/.test(node.out));
    const url = /ready (http:\/\/\S+)\/mcp/.exec(node.out);
    const console_ = /console (http:\/\/\S+)\/admin\//.exec(node.out);
    if (url) node.url = url[1];
    if (console_) node.admin = console_[1];
    if (node.admin) node.token = (await readFile(join(node.data, 'admin.token'), 'utf8')).trim();
    return node;
  }

  /** Sends a signal and waits for the end. */
  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.ended;
  }

  /** Ends it whatever it does, and removes its folder. */
  async clean() {
    nodes.delete(this);
    if (this.exit === undefined) await this.stop('SIGKILL');
    await rm(this.dir, { recursive: true, force: true });
  }

  /** Asks the admin API. */
  async api(path, body) {
    const answer = await fetch(`${this.admin}/admin/api/v1/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { ...alone.headers, authorization: `Bearer ${this.token}` },
      body: body && JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.json() };
  }

  /** The value of a metric, by its name with labels as the page writes them. */
  async metric(name) {
    const page = await (await fetch(`${this.url}/metrics`, alone)).text();
    const line = page.split('\n').find((l) => l.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  }

  /** Runs cafmcpctl against it. */
  ctl(...args) {
    return run('cafmcpctl', ['--node', this.admin, '--data-dir', this.data, ...args]);
  }

  get port() { return Number(new URL(this.url).port); }
  get adminPort() { return Number(new URL(this.admin).port); }
}

/** Runs a program to its end. */
export function run(name, args, options = {}) {
  return new Promise((resolve) => {
    const child = execFile(bin(name), args, { env: { PATH: process.env.PATH, HOME: '/nonexistent' }, ...options }, (error, out, err) =>
      resolve({ code: error ? (error.code ?? error.signal) : 0, out, err }),
    );
    child.stdin.on('error', () => {}); // it may not want to be told anything
    child.stdin.end(options.input ?? '');
  });
}

/** A raw connection that collects what comes until the other side closes. */
export function connect(port, bytes) {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  sockets.add(socket);
  const raw = { socket, data: Buffer.alloc(0) };
  socket.on('data', (data) => (raw.data = Buffer.concat([raw.data, data])));
  raw.closed = new Promise((resolve) => socket.on('close', () => resolve(raw.data.toString('latin1'))));
  raw.opened = new Promise((resolve) => socket.on('connect', resolve));
  socket.on('error', () => {});
  if (bytes !== undefined) socket.write(bytes);
  return raw;
}

/** All nodes of a tree answer with their paths. */
export function flatten(tree, path = tree.id, out = []) {
  out.push({ ...tree, path });
  for (const child of tree.children ?? []) flatten(child, `${path}/${child.id}`, out);
  return out;
}
