import test from 'node:test';
import { checkLayers } from './layers.mjs';
import { readTree, refuse } from './tree.mjs';

test('includes run with the arrows', () => refuse(checkLayers(readTree())));
