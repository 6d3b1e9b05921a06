// What a client was told is kept: nodes are killed with SIGKILL in the middle of traffic and started again, and each client keeps
// its own record of what was acknowledged and what is in doubt. CAFMCP_KILLS says how often (8).
import test from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Node, until } from './node.mjs';
import { text, v1Http, v1Socket } from './clients.mjs';

const kills = Number(process.env.CAFMCP_KILLS ?? 8);
const notBegun = -31503; // refused before anything happened: not in doubt

/** Counts in its session as fast as it can, over whatever connections it gets. */
class Counter {
  acknowledged = 0;
  doubtful = 0;
  answers = 0;
  lost = 0;

  constructor(connect, world) {
    this.connect = connect;
    this.world = world;
  }

  async open() {
    this.client = await this.connect(this.world.port);
    this.session = this.client.session;
    assert.ok(this.session);
  }

  async reopen() {
    await this.client.close().catch(() => {});
    await until('a connection', async () => {
      this.client = await this.connect(this.world.port, this.session).catch(() => undefined);
      return this.client;
    });
  }

  /** Checks a value against what this client knows, and knows it then. */
  check(value, added) {
    const least = this.acknowledged + added;
    assert.ok(value >= least && value <= least + this.doubtful, `${value} is not in ${least}..${least + this.doubtful}`);
    this.acknowledged = value;
    this.doubtful = 0;
  }

  async count() {
    try {
      const result = await this.client.callTool({ name: 'state_incr', arguments: { key: 'n' } });
      assert.notEqual(result.isError, true, text(result));
      this.check(Number(text(result)), 1);
      ++this.answers;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert.notEqual(error.code, 404, 'the session is lost');
      if (error.code !== notBegun) ++this.doubtful;
      ++this.lost;
      if (!this.world.over) await this.reopen();
    }
  }

  async run() {
    while (!this.world.over) await this.count();
  }

  async verify() {
    await this.reopen();
    this.check(Number(text(await this.client.callTool({ name: 'state_get', arguments: { key: 'n' } }))), 0);
  }
}

test(`${kills} kills lose nothing that was acknowledged`, { timeout: 60_000 + kills * 5_000 }, async () => {
  const data = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
  const start = (port) => Node.start(['--listen', `127.0.0.1:${port}`, '--data-dir', data, '--set', 'admin.listen=off']);
  try {
    let node = await start(0);
    const world = { port: node.port, over: false };
    const counters = [v1Http, v1Http, v1Socket, v1Socket].map((connect) => new Counter(connect, world));
    for (const counter of counters) await counter.open();
    const running = Promise.all(counters.map((counter) => counter.run()));
    running.catch(() => {}); // looked at below
    for (let i = 1; i <= kills; ++i) {
      const before = counters.map((counter) => counter.answers);
      await Promise.race([running, until('answers to everybody', () => counters.every((counter, at) => counter.answers >= before[at] + 5))]);
      await node.stop('SIGKILL');
      node = await start(world.port);
      assert.ok(node.url, node.err);
      if (kills > 20 && i % 10 === 0) console.error(`${i} of ${kills} kills, ${counters.reduce((sum, c) => sum + c.answers, 0)} answers`);
    }
    world.over = true;
    await running;
    for (const counter of counters) await counter.verify();
    assert.ok(counters.some((counter) => counter.lost > 0), 'the kills hit nobody');
    assert.equal(await node.stop(), 0);
  } finally {
    await rm(data, { recursive: true, force: true });
  }
});
