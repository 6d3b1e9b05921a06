// The official SDK, first generation.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';
import { serve } from './serve.mjs';

const inputSchema = { message: z.string() };

serve('sdk-v1', {
  createServer() {
    const server = new McpServer({ name: 'sdk-v1', version: '1.0.0' });
    server.registerTool('echo', { description: 'Returns the message', inputSchema },
      async ({ message }) => ({ content: [{ type: 'text', text: message }] }));
    return server;
  },
  createHttp: (options) => new StreamableHTTPServerTransport(options),
});
