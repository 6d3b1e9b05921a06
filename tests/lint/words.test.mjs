import test from 'node:test';
import { checkHeaders, checkWords } from './checks.mjs';
import { readTree, refuse } from './tree.mjs';

test('nothing is in the repository that must not be', () => refuse(checkWords(readTree())));

test('headers begin with #pragma once and a paragraph', () => refuse(checkHeaders(readTree())));
