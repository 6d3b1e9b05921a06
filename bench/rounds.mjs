// Reads and shows the reports of programs measured in rounds (bench/rounds.bash): files MODE.CONNECTIONS.PROGRAM.ROUND.json.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/// The requests a second of a report; undefined when it has none.
export const rateOf = (report) => (report?.requests > 0 ? report.requests_per_second : undefined);

/// The reports of a folder. `of(mode, connections, program)` are those of a program, one a round; undefined for a round
/// without one. Empty when it was not to be measured.
export function readReports(folder, rounds) {
  const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  return (mode, connections, program) => {
    const names = Array.from({ length: rounds }, (_, round) => `${mode}.${connections}.${program}.${round}.json`);
    if (!names.some((name) => files.has(name))) return [];
    return names.map((name) => (files.get(name) ? JSON.parse(files.get(name)) : undefined));
  };
}

/// Prints lines of a table; columns are `[name, width]`, a negative width puts the cell to the left.
export function table(columns) {
  const print = (cells) => console.log(cells.map((cell, i) => {
    const width = columns[i][1];
    return width < 0 ? cell.padEnd(-width) : cell.padStart(width);
  }).join(''));
  print(columns.map(([name]) => name));
  return print;
}

/// The columns of `cells`.
export const columns = [['mode', -10], ['program', -10], ['connections', 13], ['calls/s', 10], ['p50 us', 10], ['p99 us', 10],
  ['client %', 10], ['errors', 8]];

/// One line for a program's reports: `{cells, first, good}`, the first error if there was one, and whether all rounds were
/// measured without any.
export function summary(mode, connections, program, reports) {
  const good = reports.filter((report) => rateOf(report) !== undefined);
  const of = (pick, digits) => (good.length > 0 ? median(good.map(pick)).toFixed(digits) : 'none');
  const errors = reports.reduce((sum, report) => sum + (report?.errors.total ?? 0), 0);
  return {
    cells: [mode, program, connections, of(rateOf, 0), of((r) => r.latency_us.p50, 1), of((r) => r.latency_us.p99, 1),
      of((r) => 100 * r.cpu_seconds / (r.duration_seconds + r.warmup_seconds), 0), String(errors)],
    first: reports.find((report) => report?.errors.first)?.errors.first,
    good: good.length === reports.length && good.length > 0 && errors === 0,
  };
}

/// `median (lowest–highest)` of the rounds' ratios of rates; undefined when there is no round with both.
export function ratio(ours, theirs, digits) {
  const ratios = ours.map((report, i) => rateOf(report) / rateOf(theirs[i])).filter((value) => !Number.isNaN(value));
  if (ratios.length === 0) return undefined;
  const [low, middle, high] = [Math.min(...ratios), median(ratios), Math.max(...ratios)].map((value) => value.toFixed(digits));
  return `${middle} (${low}–${high})`;
}
