// Nodes that keep links to each other, for the tests of links: each with an address and a data directory of its own that stay
// when it is started anew, behind a proxy that can break its connections if a test wants one. What links do is read from the
// log, whose lines say it in order.
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { FaultProxy } from './fault_proxy.mjs';
import { Node, source, until } from './node.mjs';

const members = new Set();
const folders = new Set();
let hosts = 0;

afterEach(async () => {
  await Promise.all([...members].map((member) => member.clean()));
  await Promise.all([...folders].map((dir) => rm(dir, { recursive: true, force: true })));
  folders.clear();
});

/** A temporary folder, for as long as the test. */
export function folder() {
  const dir = mkdtempSync(join(tmpdir(), 'cafmcp-test-'));
  folders.add(dir);
  return dir;
}

// All of 127/8 is this machine: an address that no other test has, so its ports are free, also after a restart.
function freshHost() {
  const { pid } = process;
  return `127.${1 + ((pid >> 8) % 250)}.${pid & 255}.${1 + (hosts++ % 250)}`;
}

/** Flags for certificates that scripts/certs has made in `dir`. */
export const tlsFlags = (dir, name, ca = dir) =>
  ['--set', `cluster.tls.ca=${ca}/ca.pem`, '--set', `cluster.tls.cert=${dir}/${name}.pem`, '--set', `cluster.tls.key=${dir}/${name}.key`];

/** Runs scripts/certs. */
export function certs(...args) {
  return new Promise((resolve, reject) =>
    execFile(source('scripts/certs'), args, { env: { PATH: process.env.PATH } }, (error, _, err) => (error ? reject(new Error(err)) : resolve())));
}

/** A node of a test. */
export class Member {
  port = 17001;
  proxyPort = 17002;
  past = ''; // the logs of processes before
  #lines = [];
  #read = 0; // so much of the logs is in #lines

  /** `seeds`: members or addresses. `flags`: more flags for cafmcpd, now and at each start. */
  constructor(name, { seeds = [], flags = [], env = {}, within = [], host = freshHost(), data = join(folder(), name) } = {}) {
    Object.assign(this, { name, seeds, flags, env, within, host, data });
    members.add(this);
  }

  /** Puts a proxy before it; before its start. */
  async behindProxy() {
    this.proxy = await FaultProxy.start({ host: this.host, port: this.port }, { host: this.host, port: this.proxyPort });
    return this;
  }

  /** Where other nodes dial. */
  get address() { return `${this.host}:${this.proxy ? this.proxyPort : this.port}`; }
  get pid() { return this.node.child.pid; }

  allFlags() {
    const seeds = this.seeds.map((seed) => seed.address ?? seed).join(',');
    return ['--name', this.name, '--data-dir', this.data, '--cluster-listen', `${this.host}:${this.port}`, '--set', 'log.format=json',
      ...(this.proxy ? ['--set', `cluster.advertise=${this.address}`] : []), ...(seeds ? ['--seeds', seeds] : []), ...this.flags];
  }

  /** Starts it, also anew. Whether it runs then. */
  async start() {
    this.first = this.lines.length; // of this process
    this.past = this.past + (this.node?.err ?? '');
    this.past = this.past.slice(0, this.past.lastIndexOf('\n') + 1); // a kill may leave half a line
    this.node = undefined;
    this.node = await Node.start(this.allFlags(), { env: this.env, within: this.within });
    return this.node.exit === undefined;
  }

  signal(name) { this.node.child.kill(name); }
  stop(name = 'SIGTERM') { return this.node.stop(name); }

  /** What it has logged since its first start: an object for each line, and text where it is none. */
  get lines() {
    const text = this.past + (this.node?.err ?? '');
    const end = text.lastIndexOf('\n') + 1;
    for (const line of text.slice(this.#read, end).split('\n').filter(Boolean)) this.#lines.push(line.startsWith('{') ? JSON.parse(line) : { msg: line });
    this.#read = end;
    return this.#lines;
  }

  /** How many lines there are: what comes later is behind it. */
  mark() { return this.lines.length; }

  /** Lines that have these fields, from a mark on; a regular expression is matched. */
  find(fields, from = 0) {
    const is = (value, wanted) => (wanted instanceof RegExp ? wanted.test(value) : value === wanted);
    return this.lines.slice(from).filter((line) => Object.entries(fields).every(([key, wanted]) => is(line[key], wanted)));
  }

  /** Waits for such a line, and gives it. */
  says(fields, { from = 0, seconds = 20 } = {}) {
    const shown = Object.entries(fields).map(([key, value]) => `${key}=${value}`).join(' ');
    return until(`${this.name} to say ${shown}`, () => this.find(fields, from)[0], seconds).catch((error) => {
      throw new Error(`${error.message}\n${this.name} said:\n${this.lines.slice(-30).map((line) => JSON.stringify(line)).join('\n')}`);
    });
  }
  up(other, options) { return this.says({ msg: 'link is up', node: other.name }, options); }
  down(other, options) { return this.says({ msg: 'link is down', node: other.name }, options); }

  /** How often the link to another one has come and gone. */
  ups(other) { return this.find({ msg: 'link is up', node: other.name }).length; }
  downs(other) { return this.find({ msg: 'link is down', node: other.name }).length; }

  /** Whether there is a link now, as far as this process has said. */
  linked(other) {
    const of = this.lines.slice(this.first).filter(({ msg, node }) => node === other.name && /^link is (up|down)$/.test(msg));
    return of.at(-1)?.msg === 'link is up';
  }

  async descriptors() { return (await readdir(`/proc/${this.pid}/fd`)).length; }
  async resident() {
    return Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${this.pid}/status`, 'utf8'))[1]) * 1024;
  }

  async clean() {
    members.delete(this);
    await this.proxy?.close();
    await this.node?.clean();
  }
}

/** Waits until all of them have links to each other; for those that know or dial each other. */
export const allLinked = (all, seconds = 20) =>
  Promise.all(all.flatMap((one) => all.filter((other) => other !== one).map((other) =>
    until(`a link from ${one.name} to ${other.name}`, () => one.linked(other), seconds))));

/** All faults between two members that both have proxies; whoever has dialled, there is one that the link goes through. */
export class Wire {
  constructor(a, b) { Object.assign(this, { a, b }); }

  get proxies() { return [this.a.proxy, this.b.proxy]; }
  get connections() { return this.a.proxy.connections + this.b.proxy.connections; }
  cut() { this.proxies.forEach((proxy) => proxy.cut()); }
  /** Nothing gets from that member to the other one any more. */
  cutFrom(member) {
    const other = member === this.a ? this.b : this.a;
    other.proxy.cut('up');
    member.proxy.cut('down');
  }
  delay(ms) { this.proxies.forEach((proxy) => proxy.delay(ms)); }
  throttle(rate) { this.proxies.forEach((proxy) => proxy.throttle(rate)); }
  reset() { this.proxies.forEach((proxy) => proxy.reset()); }
  refuse() { this.proxies.forEach((proxy) => proxy.refuse()); }
  heal() { this.proxies.forEach((proxy) => proxy.heal()); }
}
