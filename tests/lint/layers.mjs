// Which folder may include which. Arrows run one way (docs/ARCHITECTURE.md); an include against them is refused, and so is
// one that doesn't name its folder, and a folder that has no row here.
import { codeOf, isCpp, linesOf } from './tree.mjs';

const low = ['supervisors', 'mcp', 'config', 'base'];
const middle = ['transport', 'cluster', 'cluster/core', 'persistence', ...low];
const anything = null;

/// What each part may include beside itself.
const mayInclude = {
  base: [],
  config: ['base'],
  supervisors: ['base'],
  mcp: ['base'],
  transport: low,
  cluster: ['cluster/core', ...low],
  'cluster/core': ['base'],
  persistence: low,
  actors: middle,
  admin: ['actors', ...middle],
  sdk: ['actors', ...middle],
  'sdk/examples': ['sdk'],
  node: ['sdk', 'admin', 'actors', ...middle],
  bench: anything,
  tests: anything,
};
const testHarness = 'tests/unit/caf_test.hpp';

/// What the protocol must not know: actors, sockets, and what time it is.
const impure = /#\s*include\s*<(caf\/|boost\/asio|boost\/beast)|_clock::now\b/;

const partOf = (path) => /^(cluster\/core|sdk\/examples)(?=\/)/.exec(path)?.[0] ?? path.replace(/\/.*/, '');

function refusal(path, included, quoted) {
  const from = partOf(path);
  const to = partOf(included);
  const known = to in mayInclude;
  if (!quoted) return known && 'the repository\'s own; include it in quotes';
  if (/(^|\/)\.\.?\//.test(included)) return 'a relative path; name the folder, as in "base/result.hpp"';
  if (!included.includes('/')) return 'no folder; name it, as in "base/result.hpp"';
  if (mayInclude[from] === anything || to === from) return false;
  if (included === testHarness && path.endsWith('.test.cpp')) return false;
  if (!known) return 'no folder of the repository; include a library with <>';
  if (mayInclude[from].includes(to)) return false;
  return `against the arrows: ${from} may include ${[from, ...mayInclude[from]].join(', ')}; turn the dependency round, ` +
    'or move what is needed down';
}

export function checkLayers(files) {
  return files.filter(isCpp).flatMap(({ path, text }) => {
    if (!(partOf(path) in mayInclude)) return [`${path}:1: its folder has no layer; give it one in tests/lint/layers.mjs`];
    return linesOf(codeOf(text, { keepStrings: true })).flatMap((line, i) => {
      const [, open, included] = /^\s*#\s*include\s*(["<])([^">]+)/.exec(line) ?? [];
      const why = included && refusal(path, included, open === '"');
      if (why) return [`${path}:${i + 1}: includes ${included}: ${why}`];
      if (partOf(path) !== 'mcp' || !impure.test(line)) return [];
      return [`${path}:${i + 1}: \`${line.trim()}\`: mcp is pure; take time as a parameter, leave CAF and Asio out`];
    });
  });
}
