// The official TypeScript client, version 1 of the SDK, as it is, over both of its transports.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node, until } from './node.mjs';
import { resumingSuite, suite } from './client_suite.mjs';
import { tool, v1Http, v1Socket, wire } from './clients.mjs';

suite('WebSocket', v1Socket);
suite('Streamable HTTP', v1Http);
resumingSuite('Streamable HTTP', v1Http);

test('WebSocket: a dropped client resumes by its session id and finds its state', async () => {
  const node = await Node.start();
  const cable = await wire(node);
  const first = await v1Socket(cable.port);
  await tool(first, 'state_set', { key: 'k', value: 'kept' });
  const lost = tool(first, 'sleep', { ms: 1 });
  const left = tool(first, 'sleep', { ms: 3_600_000 });
  left.catch(() => {});
  assert.equal(await lost, 'slept for 1 ms');
  cable.cut();
  await assert.rejects(left, /closed/i);
  const second = await v1Socket(cable.port, first.session);
  assert.equal(second.session, first.session);
  assert.equal(await tool(second, 'state_get', { key: 'k' }), 'kept');
  assert.equal((await second.listTools()).tools.length > 0, true);
});

test('Streamable HTTP: another client takes a call over by its resumption token', async () => {
  const node = await Node.start();
  const cable = await wire(node);
  const first = await v1Http(cable.port);
  let token;
  const answer = tool(first, 'progress', { steps: 5, delay_ms: 50 }, { onprogress: () => {}, onresumptiontoken: (t) => (token = t) });
  answer.catch(() => {});
  await until('a token', () => token);
  await first.close();
  cable.cut();
  const second = await v1Http(node.port, first.session);
  assert.equal(await tool(second, 'progress', { steps: 1 }, { resumptionToken: token }), 'took 5 steps');
});

test('Streamable HTTP: a session that its client ends is gone', async () => {
  const node = await Node.start();
  const client = await v1Http(node.port);
  const { session } = client;
  await client.transport.terminateSession();
  const late = await v1Http(node.port, session);
  await assert.rejects(tool(late, 'echo', { message: 'x' }), (error) => error.code === 404);
});
