// What every official client must be able to do with a node, whatever its version and transport.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node, until } from './node.mjs';
import { megabyte, text, tool, wire } from './clients.mjs';

const tools = ['add', 'blob', 'crash', 'echo', 'node_info', 'progress', 'sleep', 'state_get', 'state_incr', 'state_keys', 'state_set'];
const rejected = (code) => (error) => {
  assert.equal(error.code, code, String(error));
  return true;
};
const names = (list) => list.map((x) => x.name).sort();

async function lists(client) {
  const { tools: listed } = await client.listTools();
  assert.deepEqual(names(listed).filter((name) => tools.includes(name)), tools);
  for (const t of listed) assert.ok(t.description && t.inputSchema.type === 'object', t.name);
  const { resources } = await client.listResources();
  assert.deepEqual(resources.map((r) => r.uri).sort(), ['demo://pixel', 'demo://planets', 'demo://readme']);
  const { resourceTemplates } = await client.listResourceTemplates();
  assert.deepEqual(resourceTemplates.map((t) => t.uriTemplate), ['demo://greeting/{name}']);
  const { prompts } = await client.listPrompts();
  assert.deepEqual(prompts.map((p) => [p.name, p.arguments[0].name, p.arguments[0].required]), [['greet', 'name', true]]);
}

async function calls(client) {
  assert.equal(await tool(client, 'echo', { message: 'ä "quoted" \u{1f600}\n' }), 'ä "quoted" \u{1f600}\n');
  const sum = await client.callTool({ name: 'add', arguments: { a: 2, b: 40 } });
  assert.deepEqual([text(sum), sum.structuredContent], ['42', { sum: 42 }]);
  const bad = await client.callTool({ name: 'add', arguments: { a: 'two', b: 1 } });
  assert.equal(bad.isError, true);
  assert.match(text(bad), /arguments/);
  await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), rejected(-32602));
  const crash = await client.callTool({ name: 'crash', arguments: {} });
  assert.equal(crash.isError, true);
  assert.match(text(crash), /always throws/);
  assert.equal(await tool(client, 'echo', { message: 'still here' }), 'still here');
}

async function contents(client) {
  const [readme] = (await client.readResource({ uri: 'demo://readme' })).contents;
  assert.deepEqual([readme.uri, readme.mimeType], ['demo://readme', 'text/markdown']);
  assert.match(readme.text, /demo server/);
  const [pixel] = (await client.readResource({ uri: 'demo://pixel' })).contents;
  assert.deepEqual([...Buffer.from(pixel.blob, 'base64').subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  const [greeting] = (await client.readResource({ uri: 'demo://greeting/Ada%20L' })).contents;
  assert.equal(greeting.text, 'Hello, Ada L!');
  // Version 2 gives -32002 the code of the modern era.
  await assert.rejects(client.readResource({ uri: 'demo://nothing' }), (error) =>
    [-32002, -32602].includes(error.code) && error.data.uri === 'demo://nothing');
  const prompt = await client.getPrompt({ name: 'greet', arguments: { name: 'Ada' } });
  assert.match(prompt.messages[0].content.text, /greet Ada/);
  await assert.rejects(client.getPrompt({ name: 'greet', arguments: {} }), rejected(-32602));
  await assert.rejects(client.getPrompt({ name: 'no_such_prompt' }), rejected(-32602));
  for (const ref of [{ type: 'ref/prompt', name: 'greet' }, { type: 'ref/resource', uri: 'demo://greeting/{name}' }]) {
    const { completion } = await client.complete({ ref, argument: { name: 'name', value: 'a' } });
    assert.deepEqual(completion.values, ['Ada', 'Agnes', 'Alan'], ref.type);
  }
}

async function settings(client) {
  assert.deepEqual(await client.setLoggingLevel('warning'), {});
  await assert.rejects(client.request({ method: 'logging/setLevel', params: { level: 'loud' } }, anything), rejected(-32602));
  assert.deepEqual(await client.subscribeResource({ uri: 'demo://readme' }), {});
  assert.deepEqual(await client.unsubscribeResource({ uri: 'demo://readme' }), {});
  assert.deepEqual(await client.ping(), {});
  await assert.rejects(client.request({ method: 'no/such' }, anything), rejected(-32601));
}

// A schema that takes what comes, in both clients' ways.
const anything = {
  parse: (x) => x,
  safeParse: (data) => ({ success: true, data }),
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
};

// Starts a call that runs until it is cancelled, and resolves when it has begun; `answer` is what comes of it.
async function endless(client, signal) {
  let begun;
  const answer = tool(client, 'progress', { steps: 1000, delay_ms: 20 }, { signal, onprogress: () => (begun = true) });
  answer.catch(() => {});
  await until('the call to run', () => begun);
  return { answer };
}

/** Registers the tests. `connect(port)` gives a client with the id of its `session`. */
export function suite(name, connect) {
  test(`${name}: initialize, lists, calls, contents, settings`, async () => {
    const node = await Node.start();
    const client = await connect(node.port);
    assert.ok(client.session);
    const server = client.getServerVersion();
    assert.ok(server.name && server.version, JSON.stringify(server));
    const offered = client.getServerCapabilities();
    for (const what of ['tools', 'resources', 'prompts', 'completions', 'logging']) assert.ok(offered[what], what);
    const notices = [];
    client.fallbackNotificationHandler = async (notice) => notices.push(notice.method);
    for (const check of [lists, calls, contents, settings]) await check(client);
    assert.deepEqual(client.errors, [], 'nothing that it did not understand');
    assert.deepEqual(notices, [], 'nobody told it anything that is not so');
  });

  test(`${name}: progress is told step by step, and in order`, async () => {
    const node = await Node.start();
    const client = await connect(node.port);
    const seen = [];
    const onprogress = ({ progress, total, message }) => seen.push([progress, total, message]);
    assert.equal(await tool(client, 'progress', { steps: 3, delay_ms: 1 }, { onprogress }), 'took 3 steps');
    assert.deepEqual(seen, [[1, 3, 'step 1 of 3'], [2, 3, 'step 2 of 3'], [3, 3, 'step 3 of 3']]);
    assert.deepEqual(client.errors, []);
  });

  test(`${name}: a cancelled call ends, and the next one works`, async () => {
    const node = await Node.start();
    const client = await connect(node.port);
    const running = async () => (await node.api(`sessions/show?id=${client.session}`)).body.running;
    const abort = new AbortController();
    const { answer } = await endless(client, abort.signal);
    assert.equal(await running(), 1);
    abort.abort('enough');
    await assert.rejects(answer);
    await until('the call to be forgotten', async () => (await running()) === 0);
    assert.equal(await tool(client, 'echo', { message: 'next' }), 'next');
  });

  test(`${name}: state stays with its session, and is nobody else's`, async () => {
    const node = await Node.start();
    const [a, b] = [await connect(node.port), await connect(node.port)];
    assert.notEqual(a.session, b.session);
    await tool(a, 'state_set', { key: 'k', value: { deep: [1, null] } });
    assert.equal(await tool(a, 'state_get', { key: 'k' }), '{"deep":[1,null]}');
    assert.equal(await tool(b, 'state_get', { key: 'k' }), 'null');
    const counted = await Promise.all(Array.from({ length: 20 }, () => tool(a, 'state_incr', { key: 'n' })));
    assert.deepEqual(counted.map(Number).sort((x, y) => x - y), Array.from({ length: 20 }, (_, i) => i + 1));
    assert.equal(await tool(a, 'state_keys'), '["k","n"]');
  });

  test(`${name}: results of 8 MiB`, async () => {
    const node = await Node.start();
    const client = await connect(node.port);
    for (const sizes of [[8 * megabyte], [8 * megabyte + 1, 1, megabyte - 1]]) {
      const blobs = await Promise.all(sizes.map((bytes) => tool(client, 'blob', { bytes })));
      assert.deepEqual(blobs.map((b) => b.length), sizes);
      assert.ok(!/[^x]/.test(blobs[0]));
    }
    assert.deepEqual(client.errors, []);
  });

  test(`${name}: 64 clients at once`, async () => {
    const node = await Node.start();
    const clients = await Promise.all(Array.from({ length: 64 }, () => connect(node.port)));
    assert.equal(new Set(clients.map((c) => c.session)).size, 64);
    const answers = await Promise.all(clients.map(async (client, i) => {
      await tool(client, 'state_set', { key: 'me', value: i });
      const echoed = await Promise.all(Array.from({ length: 5 }, (_, k) => tool(client, 'echo', { message: `${i}/${k}` })));
      assert.deepEqual(echoed, Array.from({ length: 5 }, (_, k) => `${i}/${k}`));
      return Number(await tool(client, 'state_get', { key: 'me' }));
    }));
    assert.deepEqual(answers, clients.map((_, i) => i));
  });

  test(`${name}: 200 calls in flight, each gets its own answer`, async () => {
    const node = await Node.start();
    const client = await connect(node.port);
    const ways = [
      (i) => tool(client, 'echo', { message: `m${i}` }).then((got) => assert.equal(got, `m${i}`)),
      (i) => tool(client, 'sleep', { ms: i }).then((got) => assert.equal(got, `slept for ${i} ms`)),
      (i) => tool(client, 'add', { a: i, b: i }).then((got) => assert.equal(got, `${2 * i}`)),
      (i) => tool(client, 'blob', { bytes: i * 100 }).then((got) => assert.equal(got.length, i * 100)),
    ];
    await Promise.all(Array.from({ length: 200 }, (_, i) => ways[i % ways.length](i)));
    assert.deepEqual(client.errors, []);
  });
}

/** The same for clients over Streamable HTTP, which come back to a stream that broke. */
export function resumingSuite(name, connect) {
  test(`${name}: a call whose stream is cut goes on, and its client comes back for the rest by itself`, async () => {
    const node = await Node.start();
    const cable = await wire(node);
    const client = await connect(cable.port);
    const seen = [];
    const tokens = [];
    const answer = tool(client, 'progress', { steps: 20, delay_ms: 20 }, {
      onprogress: ({ progress }) => {
        seen.push(progress);
        if (progress === 3 || progress === 9) cable.cut();
      },
      onresumptiontoken: (token) => tokens.push(token),
    });
    assert.equal(await answer, 'took 20 steps');
    assert.deepEqual(seen, Array.from({ length: 20 }, (_, i) => i + 1), 'each step once, in order');
    assert.ok(tokens.length >= 20);
    assert.equal(new Set(tokens).size, tokens.length, 'ids are unique');
  });
}
