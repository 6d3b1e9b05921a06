// The official SDK, second generation, in the session era.
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { serve } from './serve.mjs';

const inputSchema = z.object({ message: z.string() });

serve('sdk-v2', {
  createServer() {
    const server = new McpServer({ name: 'sdk-v2', version: '1.0.0' });
    server.registerTool('echo', { description: 'Returns the message', inputSchema },
      async ({ message }) => ({ content: [{ type: 'text', text: message }] }));
    return server;
  },
  createHttp: (options) => new NodeStreamableHTTPServerTransport(options),
});
