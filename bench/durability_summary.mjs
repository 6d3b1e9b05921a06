// The table of bench/durability.sh, and the ratios: durability_summary.mjs FOLDER ROUNDS STORE.
// Exit code 1 when something was not measured, in any of the rounds, or had errors.
import { readFileSync } from 'node:fs';
import { columns, median, ratio, readReports, summary, table } from './rounds.mjs';

const [folder, rounds] = [process.argv[2], Number(process.argv[3])];
const rows = ['mcp-ws', 'mcp-http'].flatMap((mode) =>
  ['1', '16', '64', '256'].map((connections) => [mode, connections]));
const reportsOf = readReports(folder, rounds);
const counted = readFileSync(process.argv[4], 'utf8').trim().split('\n').map((line) => line.split(' '));

/// fsyncs a second and operations for each of them, as the store of `program` counted them.
function storeOf(mode, connections, program, report) {
  const seconds = (report?.duration_seconds ?? NaN) + (report?.warmup_seconds ?? NaN);
  const deltas = counted.filter((line) => line[0] === mode && line[1] === connections && line[2] === program)
    .map((line) => line.slice(3).map(Number)).map(([g, o, g2, o2]) => [g2 - g, o2 - o]);
  const of = (pick, digits) => (deltas.length > 0 ? median(deltas.map(pick)).toFixed(digits) : 'none');
  return [of(([groups]) => groups / seconds, 0), of(([groups, operations]) => operations / Math.max(groups, 1), 1)];
}

const print = table([...columns, ['fsyncs/s', 11], ['ops/fsync', 11]]);
for (const [mode, connections] of rows) {
  for (const program of ['memory', 'disk']) {
    const reports = reportsOf(mode, connections, program);
    const { cells, first, good } = summary(mode, connections, program, reports);
    print([...cells, ...storeOf(mode, connections, program, reports.find(Boolean))]);
    if (first) console.log(`  the first error: ${first}`);
    if (!good) process.exitCode = 1;
  }
}
console.log('\ncalls/s from disk as a part of those from memory in the same round: median (lowest–highest)');
for (const mode of ['mcp-ws', 'mcp-http']) {
  const ratios = rows.filter(([of]) => of === mode).map(([, connections]) =>
    `${connections}: ${ratio(reportsOf(mode, connections, 'disk'), reportsOf(mode, connections, 'memory'), 2) ?? 'none'}`);
  console.log(`${mode.padEnd(10)}${ratios.join('   ')}`);
}
