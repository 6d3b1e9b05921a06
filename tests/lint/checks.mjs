// The checks of sizes, words, folders and format. Each takes files `{path, text}` and gives a list of findings, one line
// each; `lint.test.mjs` shows that each can fail. What is refused is put together from pieces: this file is checked too.
import { execFile } from 'node:child_process';
import { codeOf, isCpp, isHeader, isSource, linesOf } from './tree.mjs';

const maxFileLines = 600;
const maxFunctionLines = 70;

export function checkFileSizes(files) {
  return files.filter(isSource).flatMap(({ path, text }) => {
    const count = linesOf(text).length;
    if (count <= maxFileLines) return [];
    return [`${path}:${maxFileLines + 1}: ${count} lines, more than ${maxFileLines}; split it by what its parts know`];
  });
}

export function medianLines(files) {
  const counts = files.filter(isSource).map(({ text }) => linesOf(text).length).sort((a, b) => a - b);
  return counts[Math.floor(counts.length / 2)];
}

/// The functions of clang-formatted code as `{first, count}` of lines, the first being 1. A function ends with a lone `}` at no
/// indent or, in a class, at two spaces (classes and initializers end with `};`, namespaces with a comment), and begins
/// at the nearest line above with the same indent; unless that line opens a statement or a namespace.
export function functionsOf(text) {
  const raw = linesOf(text);
  const code = linesOf(codeOf(text));
  const notFunction =
    /^\s*((if|for|while|switch|do|else|try|catch|case|default|namespace|extern|class|struct|union)\b|[{}])/;
  return raw.flatMap((line, last) => {
    const indent = /^((?: {2})?)\}$/.exec(line)?.[1];
    if (indent === undefined || code[last].trimEnd() !== line) return [];
    const opens = new RegExp(`^${indent}[\\w~:[{}]`);
    let first = last - 1;
    while (first >= 0 && (!opens.test(code[first]) || /^\s*:\s/.test(code[first]))) first -= 1;
    return first < 0 || notFunction.test(code[first]) ? [] : [{ first: first + 1, count: last - first + 1 }];
  });
}

export function checkFunctionSizes(files) {
  return files.filter(isCpp).flatMap(({ path, text }) =>
    functionsOf(text).filter(({ count }) => count > maxFunctionLines).map(({ first, count }) =>
      `${path}:${first}: a function of ${count} lines, more than ${maxFunctionLines}; give its steps names of their own`));
}

const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
const machinePaths = new RegExp(`(?<=^|[^\\w.)}~-]|-[IL])/(${['work', 'root', 'home/[\\w.-]+'].join('|')})/`);
const sleeps = new RegExp(`\\b(${['sleep_for', 'sleep_until', 'usleep', 'nanosleep', 'sleep'].join('|')})\\s*\\(`);

const wordRules = [
  { of: () => true, word: machinePaths,
    say: 'a path of one developer\'s machine; use one relative to the repository, or a variable' },
  { of: (file) => isSource(file) || /(CMakeLists\.txt|\.cmake)$/.test(file.path), word: marks,
    say: 'a mark for later; do it now, or file it where work is planned' },
  { of: ({ path }) => path.endsWith('.test.cpp'), code: true, word: sleeps,
    say: 'a test that sleeps; wait for a condition with a deadline, or use the virtual clock' },
  { of: isHeader, code: true, word: /^using namespace\b/,
    say: 'opens a namespace to all who include this header; name what is used' },
];

export function checkWords(files) {
  return wordRules.flatMap(({ of, code, word, say }) =>
    files.filter(of).flatMap(({ path, text }) =>
      linesOf(code ? codeOf(text) : text).flatMap((line, i) => {
        const found = word.exec(line);
        return found ? [`${path}:${i + 1}: \`${found[0]}\`: ${say}`] : [];
      })));
}

const libraries = /^(base|config|supervisors|mcp|transport|cluster|persistence|actors|admin|sdk)\//;

export function checkHeaders(files) {
  return files.filter(isHeader).flatMap(({ path, text }) => {
    const [guard, ...rest] = linesOf(text);
    if (guard !== '#pragma once') return [`${path}:1: not \`#pragma once\`; make that the first line`];
    if (!libraries.test(path) || rest.slice(0, 4).some((line) => /^\/\/.*\w/.test(line))) return [];
    return [`${path}:2: no comment; begin with a paragraph that gives the mental model and the thread-safety`];
  });
}

/// README.md has a table with one row a top-level folder, whose first cell is the folder and nothing else, in backticks
/// and with a slash at its end; the next cell says what it is: | `base/` | what all use |. Rows for deeper folders may be.
export function checkFolders(files) {
  const readme = files.find(({ path }) => path === 'README.md');
  if (!readme) return ['README.md:1: missing; write it, with a table of the top-level folders'];
  const rows = linesOf(readme.text).flatMap((line, i) => {
    const row = /^\s*\|\s*`([^`]+\/)`\s*\|\s*([^|\s][^|]*)/.exec(line);
    return row ? [{ folder: row[1], line: i + 1 }] : [];
  });
  const exists = (folder) => files.some(({ path }) => path.startsWith(folder));
  const topLevel = [...new Set(files.filter(({ path }) => path.includes('/')).map(({ path }) => path.replace(/\/.*/, '/')))];
  return [
    ...topLevel.filter((folder) => rows.every((row) => row.folder !== folder))
      .map((folder) => `README.md:${rows[0]?.line ?? 1}: no row for ${folder}; add | \`${folder}\` | what it is |`),
    ...rows.filter(({ folder }) => !exists(folder))
      .map(({ folder, line }) => `README.md:${line}: no folder ${folder}; take the row out`),
  ];
}

const run = (program, args, cwd) => new Promise((resolve, reject) => {
  execFile(program, args, { cwd, maxBuffer: 1 << 26 }, (error, _, output) =>
    error?.code === 'ENOENT' ? reject(error) : resolve({ error, output }));
});

/// Rejects with ENOENT where there is no clang-format. Takes paths relative to `dir`, in two batches at once.
export async function checkFormat(dir, paths, program = 'clang-format') {
  const batches = [0, 1].map((half) => paths.filter((_, i) => i % 2 === half)).filter((batch) => batch.length > 0);
  const runs = await Promise.all(batches.map((batch) => run(program, ['--dry-run', '-Werror', ...batch], dir)));
  return runs.flatMap(({ error, output }) => {
    const places = [...output.matchAll(/^(.+?):(\d+):\d+: error: /gm)];
    if (error && places.length === 0) return [`${program}: ${error.message.trim()}`];
    const firsts = new Map(places.reverse().map(([, path, line]) => [path, line]));
    return [...firsts].map(([path, line]) => `${path}:${line}: not as clang-format has it; clang-format -i ${path}`).sort();
  });
}
