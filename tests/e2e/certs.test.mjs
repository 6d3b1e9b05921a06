// scripts/certs makes certificates that nodes can know each other by.
import test from 'node:test';
import assert from 'node:assert/strict';
import tls from 'node:tls';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { source } from './node.mjs';

const day = 24 * 3600 * 1000;

function certs(...args) {
  return new Promise((resolve) =>
    execFile(source('scripts/certs'), args, { env: { PATH: process.env.PATH } }, (error, out, err) =>
      resolve({ code: error ? (error.code ?? error.signal) : 0, out, err })));
}

async function folder(t) {
  const dir = await mkdtemp(join(tmpdir(), 'cafmcp-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const certificate = async (dir, name) => new X509Certificate(await readFile(join(dir, `${name}.pem`)));
const files = async (dir, names) => Object.fromEntries(await Promise.all(names.flatMap((name) => ['pem', 'key'].map((end) => `${name}.${end}`))
  .map(async (file) => [file, await readFile(join(dir, file), 'utf8')])));
const mode = async (...path) => (await stat(join(...path))).mode & 0o777;
const about = (time, days) => assert.ok(Math.abs(new Date(time) - Date.now() - days * day) < 3600_000, `${time} is about ${days} days from now`);

test('an authority and certificates of it, for the names of nodes', async (t) => {
  const dir = join(await folder(t), 'a b#$x', 'certs'); // neither is there; nor does a strange name disturb
  const made = await certs(dir, 'n1', 'Node_2.x-y', '.z', '--days', '30', '--', '-n');
  assert.equal(made.err, '');
  assert.equal(made.code, 0);
  assert.equal(made.out.trim().split('\n').length, 5);
  assert.deepEqual((await readdir(dir)).sort(), ['-n', '.z', 'Node_2.x-y', 'ca', 'n1'].flatMap((name) => [`${name}.key`, `${name}.pem`]));
  const ca = await certificate(dir, 'ca');
  assert.equal(ca.ca, true);
  assert.ok(ca.verify(ca.publicKey));
  about(ca.validTo, 3650);
  for (const name of ['n1', 'Node_2.x-y', '.z', '-n']) {
    const node = await certificate(dir, name);
    assert.equal(node.subjectAltName, `DNS:${name}`);
    assert.equal(node.ca, false);
    assert.ok(node.checkIssued(ca) && node.verify(ca.publicKey), 'signed by the authority');
    assert.ok(node.checkPrivateKey(createPrivateKey(await readFile(join(dir, `${name}.key`)))));
    assert.deepEqual(node.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'], 'for both ends of a link');
    assert.equal(node.publicKey.asymmetricKeyDetails.namedCurve, 'prime256v1');
    about(node.validTo, 30);
    assert.ok(Date.now() - new Date(node.validFrom) > 50 * 60_000, 'clocks may differ');
  }
  for (const file of await readdir(dir)) assert.equal(await mode(dir, file), file.endsWith('.key') ? 0o600 : 0o644, file);
  about((await certs(dir, 'n3'), await certificate(dir, 'n3')).validTo, 365);
  assert.notEqual((await certificate(dir, 'n1')).serialNumber, (await certificate(dir, 'n3')).serialNumber);
});

test('two nodes show each other certificates by TLS 1.3', async (t) => {
  const dir = await folder(t);
  assert.equal((await certs(dir, 'n1', 'n2')).code, 0);
  const all = await files(dir, ['ca', 'n1', 'n2']);
  const as = (name) => ({ ca: all['ca.pem'], cert: all[`${name}.pem`], key: all[`${name}.key`], minVersion: 'TLSv1.3' });
  const server = tls.createServer({ ...as('n1'), requestCert: true, rejectUnauthorized: true }, (socket) => socket.end(socket.getPeerCertificate().subjectaltname));
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = tls.connect({ ...as('n2'), port: server.address().port, host: '127.0.0.1', servername: 'n1' });
  t.after(() => socket.destroy());
  let seen = '';
  socket.on('data', (data) => (seen += data));
  await once(socket, 'end');
  assert.equal(socket.authorized, true);
  assert.equal(seen, 'DNS:n2');
});

test('what is there stays, unless it is to be renewed', async (t) => {
  const dir = await folder(t);
  await certs(dir, 'n1', 'n2');
  const before = await files(dir, ['ca', 'n1', 'n2']);
  const again = await certs(dir, 'n1', 'n2', 'n3');
  assert.equal(again.code, 0);
  assert.match(again.out, /n1\.pem is there, until \d{4}-\d\d-\d\d, and stays; --renew replaces it\n/);
  assert.match(again.out, /n3\.pem made/);
  assert.deepEqual(await files(dir, ['ca', 'n1', 'n2']), before);
  assert.equal((await certs('--renew', dir, 'n1')).code, 0);
  const after = await files(dir, ['ca', 'n1', 'n2']);
  for (const file of Object.keys(before)) (file.startsWith('n1') ? assert.notEqual : assert.equal)(after[file], before[file], file);
  assert.ok((await certificate(dir, 'n1')).verify((await certificate(dir, 'ca')).publicKey));
  const longer = await certs('--renew', '--days', '5000', dir, 'n1');
  assert.equal(longer.code, 0);
  assert.match(longer.out, /the authority ends earlier/);
});

test('what does not fit together is refused and left alone', async (t) => {
  const dir = await folder(t);
  await certs(dir, 'n1');
  const before = await files(dir, ['ca', 'n1']);
  const refused = async (say, ...args) => {
    const { code, err } = await certs(...args, dir, 'n1');
    assert.match(err, say);
    assert.equal(err.trim().split('\n').length, 1, err);
    assert.equal(code, 1);
  };
  const without = async (file, say, ...args) => {
    await rename(join(dir, file), join(dir, 'away'));
    await refused(say, ...args);
    await assert.rejects(stat(join(dir, file)));
    await rename(join(dir, 'away'), join(dir, file));
  };
  await without('ca.key', /ca\.key is missing/);
  await without('ca.pem', /ca\.pem is missing/, '--renew');
  await without('n1.key', /n1\.key is missing.*--renew makes both anew/);
  await without('n1.pem', /n1\.pem is missing.*--renew makes both anew/);
  assert.deepEqual(await files(dir, ['ca', 'n1']), before);
  await writeFile(join(dir, 'ca.key'), before['n1.key']);
  await refused(/ca\.key is not the key of ca\.pem/, '--renew');
  await writeFile(join(dir, 'ca.pem'), 'nothing');
  await refused(/ca\.pem is no certificate/);
  await rm(join(dir, 'ca.pem'));
  await rm(join(dir, 'ca.key'));
  await refused(/n1\.pem is not valid under .*ca\.pem.*--renew/); // of the authority that was
  assert.equal((await certs('--renew', dir, 'n1')).code, 0);
  assert.deepEqual((await readdir(dir)).sort(), ['ca.key', 'ca.pem', 'n1.key', 'n1.pem'], 'nothing is left behind');
});

test('wrong usage is exit code 2, and makes nothing', async (t) => {
  const dir = join(await folder(t), 'certs');
  for (const args of [[], [dir], [dir, 'a/b'], [dir, ''], [dir, 'a', 'é'], [dir, 'a b'], [dir, 'a\n'], [dir, '*'], [dir, 'x'.repeat(64)], [dir, 'ca'],
    ['', 'a'], [dir, '--days', '0', 'a'], [dir, '--days', 'x', 'a'], [dir, 'a', '--days'], ['--nonsense', dir, 'a'], [dir, '-n']]) {
    const { code, err, out } = await certs(...args);
    assert.equal(code, 2, `${args}`);
    assert.match(err, /^scripts\/certs: [^]*; see scripts\/certs --help\n$/);
    assert.equal(out, '');
  }
  await assert.rejects(stat(dir));
  const help = await certs('--help');
  assert.equal(help.code, 0);
  assert.match(help.out, /scripts\/certs DIR NAME/);
  assert.match(help.out, /Exit: /);
});

test('a folder that cannot be is one line', async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, 'file'), '');
  const { code, err } = await certs(join(dir, 'file'), 'a');
  assert.equal(code, 1);
  assert.match(err, /^.*file.*\n$/);
  if (process.getuid() !== 0) { // whom no mode stops
    await chmod(dir, 0o500);
    assert.match((await certs(dir, 'a')).err, /^scripts\/certs: cannot write into .*\n$/);
    await chmod(dir, 0o700);
  }
});
