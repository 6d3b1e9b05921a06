import assert from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { checkFormat } from './checks.mjs';
import { isCpp, readTree, refuse, root } from './tree.mjs';

/// Without clang-format: a skipped test, but a failure under CI.
async function formatOrSkip(t, dir, paths) {
  try {
    return await checkFormat(dir, paths);
  } catch (error) {
    if (error.code !== 'ENOENT' || process.env.CI === 'true') throw error;
    t.skip('clang-format is not installed; scripts/setup installs it');
    return undefined;
  }
}

test('all C++ is as clang-format has it', async (t) => {
  const paths = readTree().filter((file) => isCpp(file) && !file.path.endsWith('.in')).map(({ path }) => path);
  refuse((await formatOrSkip(t, root, paths)) ?? []);
});

test('the check of the format refuses what is wrong, and only that', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'cafmcp-lint-'));
  t.after(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, '.clang-format'), 'BasedOnStyle: Google\n');
  writeFileSync(join(dir, 'good.cpp'), 'int good = 1;\n');
  writeFileSync(join(dir, 'bad.cpp'), 'int good = 1;\nint   bad=1;\n');
  const findings = await formatOrSkip(t, dir, ['good.cpp', 'bad.cpp']);
  if (findings) assert.deepStrictEqual(findings.map((line) => line.split(': ')[0]), ['bad.cpp:2']);
  await assert.rejects(checkFormat(dir, ['good.cpp'], 'no-such-clang-format'), { code: 'ENOENT' });
});
