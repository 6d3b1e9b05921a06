import test from 'node:test';
import { checkFolders } from './checks.mjs';
import { readTree, refuse } from './tree.mjs';

test('README.md has one row for each top-level folder', () => refuse(checkFolders(readTree())));
