// Installs the npm packages of tests/package-lock.json into tests/node_modules, unless they are there already.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const changed = (path) => statSync(at(path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

// npm writes the second when it has installed all of the first.
if (changed('package-lock.json') > changed('node_modules/.package-lock.json')) {
  // Scripts of packages stay off: none of these needs one.
  const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error',
    '--fetch-retries=3', '--fetch-retry-maxtimeout=10000'];
  const npm = spawnSync('npm', flags, { cwd: at('.'), encoding: 'utf8', timeout: 540_000 });
  if (npm.status !== 0) {
    console.error(`tests: npm ci could not install the MCP clients of tests/package-lock.json (is the npm registry reachable?)`);
    console.error(npm.error?.message ?? `${npm.stdout}${npm.stderr}`.trim());
    process.exit(1);
  }
}
