// A real etcd for tests: one process in a temporary folder, on free ports of loopback, ended by its process id.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { until } from './node.mjs';

const running = new Set();
const all = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
afterEach(() => Promise.all([...all].map((etcd) => etcd.clean())));

/** Ports on which nobody listened a moment ago: held together, so that they differ. */
async function freePorts(count) {
  const held = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject).listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = held.map((server) => server.address().port);
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** An etcd of one member. */
export class Etcd {
  static async start() {
    const etcd = new Etcd();
    all.add(etcd);
    etcd.dir = await mkdtemp(join(tmpdir(), 'cafmcp-etcd-'));
    const [client, peer] = await freePorts(2);
    etcd.url = `http://127.0.0.1:${client}`;
    etcd.peer = `http://127.0.0.1:${peer}`;
    await etcd.again();
    return etcd;
  }

  /** Starts it anew, with what it knew. Resolves when it serves. */
  async again() {
    this.log = '';
    // It ends with the test, whatever ends that.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'etcd', '--name=e', `--data-dir=${join(this.dir, 'data')}`, `--listen-client-urls=${this.url}`, `--advertise-client-urls=${this.url}`,
      `--listen-peer-urls=${this.peer}`, `--initial-advertise-peer-urls=${this.peer}`, `--initial-cluster=e=${this.peer}`,
      '--heartbeat-interval=50', '--election-timeout=500', '--logger=zap', '--log-outputs=stderr'], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    running.add(child);
    child.stderr.on('data', (data) => (this.log += data));
    child.on('error', (error) => (this.log += error));
    this.ended = new Promise((resolve) => child.on('close', () => resolve(running.delete(child))));
    await until(`etcd to serve\n${this.log}`, () => fetch(`${this.url}/health`).then((answer) => answer.ok, () => false), 20);
  }

  signal(name) { this.child.kill(name); }
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async clean() {
    all.delete(this);
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }
}
