// mcp-time: a native server, in Go with mcp-go, over Streamable HTTP. It has no echo: its tool `current_time` is the nearest. It
// can't take a free port by itself and says nothing when it is ready, so this finds a port, starts it and tries until it answers.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const host = '127.0.0.1';

const freePort = () => new Promise((resolve, reject) => {
  const probe = createServer().on('error', reject).listen(0, host, () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});

const accepts = (port) => new Promise((resolve) => {
  const socket = connect(port, host, () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false));
});

const folder = dirname(createRequire(import.meta.url).resolve('mcp-time-linux-x64/package.json'));
const port = await freePort();
const url = `http://${host}:${port}/mcp`;
const child = spawn(join(folder, 'bin', 'mcp-time'), ['--transport', 'stream', '--address', url], { stdio: 'ignore' });
child.on('error', (error) => { console.error(`mcp-time: ${error.message}`); process.exit(1); });
let stopping = false;
child.on('exit', (code) => process.exit(stopping ? 0 : code || 1));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => { stopping = true; child.kill(); });

for (let tries = 0; tries < 800; tries += 1) {
  if (await accepts(port)) {
    console.log(`mcp-time ready ${url}`);
    break;
  }
  await wait(10);
}
