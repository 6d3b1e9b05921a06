// What the checks read: the files of the working tree (tracked, and new ones that git doesn't ignore) as `{path, text}`,
// and how they refuse: a list of lines `file:line: what; what to do`.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = process.env.CAFMCP_SOURCE_DIR ?? fileURLToPath(new URL('../..', import.meta.url));

function gitFiles(dir) {
  const args = ['-C', dir, 'ls-files', '-z', '-co', '--exclude-standard'];
  const git = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  return git.status === 0 ? git.stdout.split('\0').filter(Boolean) : [];
}

export function walk(dir, below = '') {
  const skipped = (name) => name === '.git' || name === 'node_modules' || (below === '' && name.startsWith('build'));
  return readdirSync(join(dir, below), { withFileTypes: true }).flatMap((entry) => {
    const path = below + entry.name;
    if (!entry.isDirectory()) return [path];
    return skipped(entry.name) ? [] : walk(dir, `${path}/`);
  });
}

/// All text files below `dir`; those that git lists but that are gone (a removal not yet committed) are left out.
export function readTree(dir = root) {
  const listed = gitFiles(dir);
  const paths = [...new Set(listed.length > 0 ? listed : walk(dir))].sort();
  const present = paths.filter((path) => statSync(join(dir, path), { throwIfNoEntry: false })?.isFile());
  const files = present.map((path) => ({ path, text: readFileSync(join(dir, path), 'utf8') }));
  assert.ok(files.length > 0, `${dir}: no files found; is CAFMCP_SOURCE_DIR right?`);
  return files.filter(({ text }) => !text.includes('\0'));
}

export function refuse(findings) {
  if (findings.length > 0) assert.fail(`${findings.length} to repair:\n${findings.join('\n')}\n`);
}

export const isCpp = ({ path }) => /\.[ch]pp(\.in)?$/.test(path);
export const isHeader = ({ path }) => /\.hpp(\.in)?$/.test(path);

/// C++, scripts with a suffix that says so, and scripts that say it in their first line.
export function isSource(file) {
  const hasSuffix = /[^/]\.[^/]*$/.test(file.path);
  return isCpp(file) || /\.(mjs|js|ts|sh|py)$/.test(file.path) || (!hasSuffix && file.text.startsWith('#!'));
}

export const linesOf = (text) => text.replace(/\n$/, '').split('\n');

/// C++ without comments and without the contents of literals, unless `keepStrings`; lines stay where they are.
export function codeOf(text, { keepStrings = false } = {}) {
  const tokens =
    /\/\/[^\n]*|\/\*[^]*?\*\/|R"([^\s()\\]*)\([^]*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\d)'(?:\\[^'\n]+|\\'|[^'\\\n])'/g;
  return text.replace(tokens, (token) => {
    if (token.startsWith('/')) return token.replace(/[^\n]/g, ' ');
    return keepStrings ? token : token.replace(/[^\n"']/g, ' ');
  });
}
