// The table of bench/link.sh: reads a JSON document a line from the files `tcp`, `tls` and `basp` of a folder.
// Exit code 1 when there is nothing of ours.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, table } from './rounds.mjs';

const folder = process.argv[2];
const reports = (name) => {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) : [];
};
const [tcp, tls, basp] = ['tcp', 'tls', 'basp'].map(reports);
if (tcp.length === 0) process.exit(1);

const size = (bytes) => (bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} B`);
const rows = [];
const add = (title, key, of, goals) => rows.push({ title, key, of, goals });
for (const elsewhere of [false, true])
  for (const bytes of [100, 1024])
    for (const many of [1, 64]) {
      const of = { what: 'round-trips', elsewhere, in_flight: many, bytes };
      const name = `${elsewhere ? 'other context, ' : ''}${size(bytes)}, ${many} in flight`;
      const goals = many === 64 ? [8, 5] : [1.5, 1.5];
      add(`round trips/s, ${name}`, 'per_second', of, elsewhere ? undefined : goals);
      add('  p50 us', 'p50_us', of);
      add('  p99 us', 'p99_us', of);
    }
for (const bytes of [100, 1024, 65536]) {
  const of = { what: 'one-way', bytes };
  add(`messages/s one way, ${size(bytes)}`, 'per_second', of);
  add('  MB/s', 'mb_per_second', of);
}
for (const bytes of [100, 1024]) {
  const of = { what: 'flood', bytes };
  add(`flood of ${size(bytes)} messages, MB`, 'sent_mb', of);
  add('  the sender grows by, MB', 'growth_mb', of);
  add('  the link keeps at most, MB', 'backlog_mb', of);
}
const beats = { what: 'heartbeat' };
add('slowest heartbeat under 64 KiB, ms', 'slowest_ms', beats);
add('  messages meanwhile, MB/s', 'mb_per_second', beats);

// A round each; whatever was measured nth of its kind belongs to the nth round.
const values = (list, { key, of }) => list.filter((r) => Object.entries(of).every(([k, v]) => r[k] === v))
  .map((r) => r[key]).filter((value) => value !== undefined);
const ratio = (ours, theirs) => {
  const ratios = ours.map((value, i) => value / theirs[i]).filter(Number.isFinite);
  return ratios.length > 0 ? median(ratios) : undefined;
};
const shown = (value) => (value === undefined ? '-' : value.toFixed(value < 10 ? 2 : value < 1000 ? 1 : 0));
const print = table([['median of the rounds', -46], ['TCP', 11], ['TLS', 11], ['BASP', 11], ['TCP/BASP', 11], ['TLS/BASP', 11]]);
const goals = [];
for (const row of rows) {
  const [a, b, c] = [tcp, tls, basp].map((list) => values(list, row));
  const ratios = row.key === 'sent_mb' ? [] : [ratio(a, c), ratio(b, c)];
  print([row.title, ...[a, b, c].map((v) => shown(v.length > 0 ? median(v) : undefined)), shown(ratios[0]), shown(ratios[1])]);
  row.goals?.forEach((goal, i) => {
    if (ratios[i] !== undefined && ratios[i] < goal)
      goals.push(`${row.title}: ${['TCP', 'TLS'][i]} ${shown(ratios[i])} and not ${goal} times BASP`);
  });
}
if (basp.length === 0) console.log('BASP was left out: there is no libcaf_io.');
else if (goals.length === 0) console.log('All goals are met.');
else for (const line of goals) console.log(`Missed: ${line}`);
