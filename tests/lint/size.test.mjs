import test from 'node:test';
import { checkFileSizes, checkFunctionSizes, medianLines } from './checks.mjs';
import { readTree, refuse } from './tree.mjs';

test('no source file is over 600 lines', (t) => {
  const files = readTree();
  t.diagnostic(`median source file: ${medianLines(files)} lines (target: 150 or less)`);
  refuse(checkFileSizes(files));
});

test('no function is over 70 lines', () => refuse(checkFunctionSizes(readTree())));
