// Several hosts on one machine: network namespaces on one bridge, each with an address of its own, whose cables can be cut as
// real ones: nobody is told, packets just don't arrive. Needs root and iproute2; `unavailable()` says why there are none.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterEach } from 'node:test';

const networks = new Set();
let count = 0;

afterEach(() => networks.forEach((network) => network.remove()));
process.on('exit', () => networks.forEach((network) => network.remove()));

function ip(...args) {
  const done = spawnSync('ip', args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`ip ${args.join(' ')}: ${done.error?.message ?? done.stderr.trim()}`);
  return done.stdout;
}

function quietly(...args) {
  try {
    ip(...args);
  } catch { /* gone already */ }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// What tests that were killed have left behind: the names tell whose it was.
function removeLeftovers() {
  for (const [, name, pid] of ip('netns', 'list').matchAll(/^(cafmcp-(\d+)-\S+)/gm)) if (!alive(Number(pid))) quietly('netns', 'del', name);
  for (const name of readdirSync('/sys/class/net')) {
    const pid = /^c[bv](\d+)[nx]\d+$/.exec(name)?.[1];
    if (pid && !alive(Number(pid))) quietly('link', 'del', name);
  }
}

/** Why there can be no namespaces here; undefined if there can. */
export function unavailable() {
  if (process.getuid() !== 0) return 'network namespaces need root';
  const name = `cafmcp-${process.pid}-probe`;
  const bridge = `cb${process.pid}x0`;
  try {
    ip('netns', 'add', name);
    ip('link', 'add', bridge, 'type', 'bridge');
    return undefined;
  } catch (error) {
    return /ENOENT/.test(error.message) ? 'there is no `ip`; scripts/setup installs iproute2' : `no network namespaces here: ${error.message}`;
  } finally {
    quietly('netns', 'del', name);
    quietly('link', 'del', bridge);
  }
}

/** A bridge and its hosts. Removed after the test. */
export class Network {
  hosts = [];

  constructor() {
    removeLeftovers();
    networks.add(this);
    this.number = ++count;
    this.bridge = `cb${process.pid}x${this.number}`;
    ip('link', 'add', this.bridge, 'type', 'bridge');
    ip('link', 'set', this.bridge, 'up');
  }

  /** A new host: its address, and what starts a program there. */
  host() {
    const number = this.hosts.length + 1;
    const ns = `cafmcp-${process.pid}-${this.number}-${number}`;
    const host = { ns, address: `10.77.${this.number}.${number}`, cable: `cv${process.pid}n${this.number * 100 + number}`, within: ['ip', 'netns', 'exec', ns] };
    this.hosts.push(host);
    ip('netns', 'add', ns);
    ip('link', 'add', host.cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
    ip('link', 'set', host.cable, 'master', this.bridge, 'up');
    ip('-n', ns, 'addr', 'add', `${host.address}/24`, 'dev', 'eth0');
    ip('-n', ns, 'link', 'set', 'eth0', 'up');
    ip('-n', ns, 'link', 'set', 'lo', 'up');
    return host;
  }

  /** Takes the host's cable out. */
  cut(host) { ip('link', 'set', host.cable, 'down'); }

  /** Packets from one host don't reach the other any more: they go to a card that nobody has. */
  cutWay(from, to) {
    ip('-n', from.ns, 'neigh', 'replace', to.address, 'lladdr', '02:00:00:00:00:01', 'dev', 'eth0', 'nud', 'permanent');
  }

  /** All is as it was. */
  heal() {
    for (const host of this.hosts) {
      ip('link', 'set', host.cable, 'up');
      for (const other of this.hosts) if (other !== host) quietly('-n', host.ns, 'neigh', 'del', other.address, 'dev', 'eth0');
    }
  }

  remove() {
    networks.delete(this);
    for (const host of this.hosts) {
      quietly('link', 'del', host.cable);
      quietly('netns', 'del', host.ns);
    }
    quietly('link', 'del', this.bridge);
  }
}
