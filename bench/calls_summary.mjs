// The table of bench/calls.sh, and the ratios: reads the reports MODE.CONNECTIONS.PROGRAM.ROUND.json of a folder.
// Exit code 1 when cafmcpd was not measured, in any of the rounds, or had errors.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, rounds] = [process.argv[2], Number(process.argv[3])];
const programs = ['ceiling', 'cafmcpd', 'sdk-v1', 'sdk-v2', 'mcp-time'];
const rows = ['mcp-ws', 'mcp-http'].flatMap((mode) => ['1', '16', '64'].map((connections) => [mode, connections]));
const columns = [['mode', -10], ['program', -10], ['connections', 13], ['calls/s', 10], ['p50 us', 10], ['p99 us', 10],
  ['client %', 10], ['errors', 8]];

const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));

/// The reports of a program, one a round; undefined for a round without one. Empty when it was not to be measured.
function reportsOf(mode, connections, program) {
  const names = Array.from({ length: rounds }, (_, round) => `${mode}.${connections}.${program}.${round}.json`);
  if (!names.some((name) => files.has(name))) return [];
  return names.map((name) => (files.get(name) ? JSON.parse(files.get(name)) : undefined));
}

const rateOf = (report) => (report?.requests > 0 ? report.requests_per_second : undefined);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const print = (cells) => console.log(cells.map((cell, i) => {
  const width = columns[i][1];
  return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
}).join(''));

function printRow(mode, connections, program, reports) {
  const good = reports.filter((report) => rateOf(report) !== undefined);
  const of = (pick, digits) => (good.length > 0 ? median(good.map(pick)).toFixed(digits) : 'none');
  const errors = reports.reduce((sum, report) => sum + (report?.errors.total ?? 0), 0);
  print([mode, program, connections, of(rateOf, 0), of((r) => r.latency_us.p50, 1), of((r) => r.latency_us.p99, 1),
    of((r) => 100 * r.cpu_seconds / (r.duration_seconds + r.warmup_seconds), 0), String(errors)]);
  const first = reports.find((report) => report?.errors.first)?.errors.first;
  if (first) console.log(`  the first error: ${first}`);
  return good.length === rounds && errors === 0;
}

/// `cafmcpd ÷ PROGRAM median (lowest–highest)`, or nothing when there is no round with both.
function ratio(ours, theirs, program) {
  const ratios = ours.map((report, i) => rateOf(report) / rateOf(theirs[i])).filter((value) => !Number.isNaN(value));
  if (ratios.length === 0) return [];
  const digits = program === 'ceiling' ? 2 : 1;
  const [low, middle, high] = [Math.min(...ratios), median(ratios), Math.max(...ratios)].map((value) => value.toFixed(digits));
  return [`÷ ${program} ${middle} (${low}–${high})`];
}

print(columns.map(([name]) => name));
for (const [mode, connections] of rows) {
  for (const program of programs) {
    const reports = reportsOf(mode, connections, program);
    const good = reports.length > 0 && printRow(mode, connections, program, reports);
    if (program === 'cafmcpd' && !good) process.exitCode = 1;
  }
}
console.log('\ncafmcpd\'s calls/s as multiples of the others\' in the same round: median (lowest–highest)');
for (const [mode, connections] of rows) {
  const ours = reportsOf(mode, connections, 'cafmcpd');
  const ratios = programs.filter((program) => program !== 'cafmcpd')
    .flatMap((program) => ratio(ours, reportsOf(mode, connections, program), program));
  console.log(`${mode.padEnd(9)}${connections.padStart(3)}   ${ratios.join('   ') || 'cafmcpd was not measured'}`);
}
