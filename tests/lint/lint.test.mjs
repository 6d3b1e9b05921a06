// The checks themselves, on made-up files: a check that can't fail, or that refuses what is right, is noticed here.
import assert from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import * as checks from './checks.mjs';
import { checkLayers } from './layers.mjs';
import { codeOf, isSource, readTree } from './tree.mjs';

const places = (check, path, text) => check([{ path, text }]).map((line) => /^[^:]+:(\d+): .+/.exec(line)[1]).join();
const refusesLines = (check, lines, path, text) => assert.strictEqual(places(check, path, text), lines, `${path}: ${text}`);
const passes = (check, path, text) => refusesLines(check, '', path, text);
const refuses = (check, path, text) => refusesLines(check, '1', path, text);

test('layers', () => {
  const good = [
    ['base/a.cpp', 'base/b.hpp'], ['mcp/a.cpp', 'base/b.hpp'], ['transport/a.cpp', 'mcp/b.hpp'],
    ['cluster/runtime/a.cpp', 'cluster/core/b.hpp'], ['cluster/runtime/a.cpp', 'supervisors/b.hpp'],
    ['cluster/core/a.cpp', 'cluster/core/b.hpp'], ['cluster/core/a.cpp', 'base/b.hpp'],
    ['actors/a.cpp', 'cluster/core/b.hpp'], ['admin/a.cpp', 'actors/b.hpp'], ['node/main.cpp', 'admin/b.hpp'],
    ['node/main.cpp', 'sdk/b.hpp'], ['sdk/a.hpp', 'actors/b.hpp'], ['sdk/examples/a.cpp', 'sdk/b.hpp'],
    ['tests/unit/a.cpp', 'node/b.hpp'], ['bench/a.cpp', 'admin/b.hpp'], ['base/a.test.cpp', 'tests/unit/caf_test.hpp'],
  ];
  const bad = [
    ['base/a.cpp', 'config/b.hpp'], ['mcp/a.cpp', 'config/b.hpp'], ['supervisors/a.cpp', 'mcp/b.hpp'],
    ['transport/a.cpp', 'cluster/b.hpp'], ['transport/a.cpp', 'actors/b.hpp'], ['persistence/a.cpp', 'cluster/core/b.hpp'],
    ['cluster/core/a.cpp', 'cluster/runtime/b.hpp'], ['cluster/core/a.cpp', 'mcp/b.hpp'], ['actors/a.cpp', 'admin/b.hpp'],
    ['actors/a.cpp', 'sdk/b.hpp'], ['admin/a.cpp', 'node/b.hpp'], ['node/main.cpp', 'tests/unit/caf_test.hpp'],
    ['node/main.cpp', 'sdk/examples/b.hpp'], ['sdk/a.cpp', 'admin/b.hpp'], ['sdk/a.cpp', 'sdk/examples/b.hpp'],
    ['sdk/examples/a.cpp', 'base/b.hpp'], ['base/a.cpp', 'tests/unit/caf_test.hpp'], ['base/a.test.cpp', 'mcp/b.hpp'],
    ['base/a.cpp', 'b.hpp'], ['base/a.cpp', '../base/b.hpp'], ['base/a.cpp', 'base/../mcp/b.hpp'],
    ['base/a.cpp', 'spdlog/spdlog.h'], ['elsewhere/a.cpp', 'base/b.hpp'],
  ];
  for (const [path, included] of good) passes(checkLayers, path, `#include "${included}"\n`);
  for (const [path, included] of bad) refuses(checkLayers, path, `#include "${included}"\n`);
  passes(checkLayers, 'base/a.cpp', '// #include "node/b.hpp"\n#include <caf/actor.hpp>\n');
  refuses(checkLayers, 'base/a.cpp', '#include <mcp/b.hpp>');
  refusesLines(checkLayers, '2,3,5', 'mcp/a.cpp', '#include <chrono>\n#include <caf/actor.hpp>\n' +
    '#include <boost/asio/post.hpp>\n// steady_clock::now()\nauto t = std::chrono::steady_clock::now();\n');
});

test('sizes of files', () => {
  passes(checks.checkFileSizes, 'a.cpp', 'x\n'.repeat(600));
  passes(checks.checkFileSizes, 'a.md', 'x\n'.repeat(601));
  for (const path of ['a.cpp', 'a.py']) refusesLines(checks.checkFileSizes, '601', path, 'x\n'.repeat(601));
  refusesLines(checks.checkFileSizes, '601', 'scripts/run', '#!/bin/sh\n' + 'x\n'.repeat(600));
  assert.ok(isSource({ path: '.ci/run', text: '#!/bin/sh' }) && !isSource({ path: 'LICENSE', text: 'x' }));
  assert.strictEqual(checks.medianLines([9, 1, 3].map((count) => ({ path: 'a.cpp', text: 'x\n'.repeat(count) }))), 3);
});

test('sizes of functions', () => {
  const free = (count) => `int f(int a,\n      int b)\n    : c_(a) {\n${'  g();\n\n  // }\n'.repeat(count)}}\n`;
  const method = (count) => `class c {\n public:\n  int f() {\n${'    g();\n'.repeat(count)}  }\n};\n`;
  const statement = `void f() {\n${'  if (a) {\n    g();\n  }\n'.repeat(20)}}\n`;
  const text = `auto text = R"(\n${'x\n'.repeat(80)}}\n)";\n`;
  const table = `const row rows[] = {\n${'    {1},\n'.repeat(80)}};\n`;
  const space = `namespace a {\n\n${'int a;\n'.repeat(80)}\n}  // namespace a\n`;
  for (const good of [free(22), method(68), statement, text, table, space]) passes(checks.checkFunctionSizes, 'a.cpp', good);
  refuses(checks.checkFunctionSizes, 'a.cpp', free(23));
  refusesLines(checks.checkFunctionSizes, '3', 'a.hpp', method(69));
  refusesLines(checks.checkFunctionSizes, '63', 'a.cpp', statement + free(23));
  refusesLines(checks.checkFunctionSizes, '4', 'a.cpp', `namespace a {\n\n#if 1\n${free(23)}#endif\n}  // a\n`);
});

test('words', () => {
  const bad = [['a.md', '/wo' + 'rk/main'], ['a.cpp', '"/ro' + 'ot/x"'], ['a.md', '-I/ro' + 'ot/x'], ['a.yaml', 'at /ho' + 'me/me/x'],
    ['a.cpp', '// TO' + 'DO: later'], ['CMakeLists.txt', '# FIX' + 'ME'], ['run.sh', 'X' + 'XX'],
    ['a.test.cpp', 'std::this_thread::sleep' + '_for(1ms);'], ['a.test.cpp', '::sl' + 'eep(1);'],
    ['a.hpp', 'using name' + 'space std;']];
  const good = [['a.md', 'http://x/wo' + 'rk/'], ['a.sh', '$X/ro' + 'ot/'], ['a.sh', '${X}/wo' + 'rk/'],
    ['a.sh', 'mktemp a.XX' + 'XX'], ['a.cpp', 'f("met' + 'hodTO' + 'DO")'], ['a.md', 'TO' + 'DO'],
    ['a.cpp', 'sl' + 'eep(1);'], ['a.test.cpp', '// sl' + 'eep(1)'], ['a.test.cpp', 'asl' + 'eep(1);'],
    ['a.hpp', '  using name' + 'space std;'], ['a.cpp', 'using name' + 'space std;']];
  for (const [path, text] of bad) refuses(checks.checkWords, path, text);
  for (const [path, text] of good) passes(checks.checkWords, path, text);
});

test('headers', () => {
  passes(checks.checkHeaders, 'base/a.hpp', '#pragma once\n// What it is.\n');
  passes(checks.checkHeaders, 'bench/a.hpp', '#pragma once\nint a;\n');
  refuses(checks.checkHeaders, 'base/a.hpp', '// What it is.\n#pragma once\n');
  refuses(checks.checkHeaders, 'tests/a.hpp', '#ifndef A\n');
  refusesLines(checks.checkHeaders, '2', 'base/a.hpp', '#pragma once\n\n#include <a>\n\n\n\n// Late.\n');
});

test('folders', () => {
  const findings = (readme) => checks.checkFolders([{ path: 'README.md', text: readme }, { path: 'base/a.cpp', text: '' },
    { path: 'cluster/core/a.cpp', text: '' }]).map((line) => line.split(';')[0]);
  const base = '| `base/` | for all |\n';
  assert.deepStrictEqual(findings(`# x\n${base}| \`cluster/\` | y |\n| \`cluster/core/\` | z |\n| a | b |\n`), []);
  assert.deepStrictEqual(findings(`${base}| cluster/ | no backticks |\n`), ['README.md:1: no row for cluster/']);
  assert.deepStrictEqual(findings(`${base}| \`cluster/\` | |\n`), ['README.md:1: no row for cluster/']);
  assert.deepStrictEqual(findings(`${base}| \`cluster/\` | y |\n| \`gone/\` | y |\n`), ['README.md:3: no folder gone/']);
  assert.match(checks.checkFolders([{ path: 'base/a.cpp', text: '' }])[0], /README.md:1: missing/);
});

test('reading a tree without git', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'cafmcp-lint-'));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const folder of ['base', 'build-x', 'node_modules']) {
    mkdirSync(join(dir, folder));
    writeFileSync(join(dir, folder, 'a.cpp'), 'x\n');
  }
  assert.deepStrictEqual(readTree(dir), [{ path: 'base/a.cpp', text: 'x\n' }]);
});

test('C++ without comments and literals', () => {
  const code = 'a("x{"); // {\nb(\'{\', 1\'000, R"y({"\n)")y"); /* {\n */ c';
  const blank = 'a("  ");     \nb(\' \', 1\'000,  "   "\n " "); \n    c';
  const squeezed = (text) => text.replace(/[ "]+/g, '');
  assert.strictEqual(squeezed(codeOf(code)), squeezed(blank));
  assert.match(codeOf(code, { keepStrings: true }), /^a\("x\{"\); +\n/);
});
