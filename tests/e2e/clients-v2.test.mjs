// The official TypeScript client, version 2 of the SDK, as it is, in the session era.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Node } from './node.mjs';
import { resumingSuite, suite } from './client_suite.mjs';
import { latest, v2Http } from './clients.mjs';

suite('Streamable HTTP', v2Http);
resumingSuite('Streamable HTTP', v2Http);

test('it settles on a revision of the session era', async () => {
  const node = await Node.start();
  const client = await v2Http(node.port);
  assert.deepEqual([client.getProtocolEra(), client.getNegotiatedProtocolVersion()], ['legacy', latest]);
});
