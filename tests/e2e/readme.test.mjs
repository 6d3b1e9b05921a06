// What README tells a newcomer to do works as it stands.
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Node, source } from './node.mjs';

test('the first session of the README', async () => {
  const readme = await readFile(source('README.md'), 'utf8');
  const [, commands, answers] = /<!-- a test runs this block[^]*?```sh\n([^]*?)```\n\n```\n([^]*?)```/.exec(readme);
  const node = await Node.start(['--set', 'admin.test_hooks=true']);
  const script = commands.replaceAll('http://127.0.0.1:8080', node.url).replaceAll('http://127.0.0.1:8081', node.admin);
  const { stdout } = await promisify(execFile)('bash', ['-euc', script], { cwd: node.dir });
  const same = (text) => text.replace(/"pid":\d+/, '"pid":0');
  assert.equal(same(stdout), same(answers));
  assert.equal(await node.stop(), 0);
});
