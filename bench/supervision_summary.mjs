// The table of bench/supervision.sh: reads a JSON document a line from the files `ours` and `theirs` of a folder.
// Exit code 1 when there is nothing of ours.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, killed] = [process.argv[2], process.argv[3]];
const rounds = (name) => {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) : [];
};
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const rows = [
  ['start of a child, us', 'start_us'],
  ['stop of a child, us', 'stop_us'],
  ['bytes a child', 'memory_bytes'],
  ['start of an instance, us', 'simple_start_us'],
  ['stop of an instance, us', 'simple_stop_us'],
  ['bytes an instance', 'simple_memory_bytes'],
  ['kill to restarted, p50 us', 'restart_p50_us'],
  ['kill to restarted, p99 us', 'restart_p99_us'],
  [`${killed} killed at once, s`, 'recovery_s'],
];
const [ours, theirs] = [rounds('ours'), rounds('theirs')];
if (ours.length === 0) process.exit(1);
const peer = theirs[0]?.version ?? 'OTP';
console.log(`${'median of the rounds'.padEnd(30)}${'cafmcp'.padStart(12)}${peer.padStart(12)}${'times'.padStart(9)}`);
for (const [title, key] of rows) {
  const of = (list) => list.map((round) => round[key]).filter((value) => value > 0);
  const [a, b] = [of(ours), of(theirs)];
  const cell = (values) => (values.length > 0 ? median(values).toFixed(median(values) < 10 ? 2 : 1) : '-').padStart(12);
  const ratio = a.length > 0 && b.length > 0 ? (median(b) / median(a)).toFixed(1) : '-';
  console.log(title.padEnd(30) + cell(a) + cell(b) + ratio.padStart(9));
}
