// The table of bench/calls.sh, and the ratios: calls_summary.mjs FOLDER ROUNDS.
// Exit code 1 when cafmcpd was not measured, in any of the rounds, or had errors.
import { columns, ratio, readReports, summary, table } from './rounds.mjs';

const [folder, rounds] = [process.argv[2], Number(process.argv[3])];
const programs = ['ceiling', 'cafmcpd', 'sdk-v1', 'sdk-v2', 'mcp-time'];
const rows = ['mcp-ws', 'mcp-http'].flatMap((mode) => ['1', '16', '64'].map((connections) => [mode, connections]));
const reportsOf = readReports(folder, rounds);
const print = table(columns);

for (const [mode, connections] of rows) {
  for (const program of programs) {
    const reports = reportsOf(mode, connections, program);
    const { cells, first, good } = summary(mode, connections, program, reports);
    if (reports.length > 0) print(cells);
    if (first) console.log(`  the first error: ${first}`);
    if (program === 'cafmcpd' && !good) process.exitCode = 1;
  }
}
console.log('\ncafmcpd\'s calls/s as multiples of the others\' in the same round: median (lowest–highest)');
for (const [mode, connections] of rows) {
  const ours = reportsOf(mode, connections, 'cafmcpd');
  const ratios = programs.filter((program) => program !== 'cafmcpd').flatMap((program) => {
    const of = ratio(ours, reportsOf(mode, connections, program), program === 'ceiling' ? 2 : 1);
    return of ? [`÷ ${program} ${of}`] : [];
  });
  console.log(`${mode.padEnd(9)}${connections.padStart(3)}   ${ratios.join('   ') || 'cafmcpd was not measured'}`);
}
