// What the servers of both SDKs share: Streamable HTTP with sessions on node:http, and WebSocket on the same port, at /mcp.
// An SDK gives `createServer()`, an McpServer with its tools, and `createHttp(options)`, its transport for Streamable HTTP.
// Flags: --listen ADDRESS:PORT (127.0.0.1:0), --sse: answer calls with event streams, as the SDKs do by default, instead of JSON.
import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { WebSocketTransport } from './ws_transport.mjs';

const refuse = (res, status, code, message) =>
  res.writeHead(status, { 'Content-Type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code, message } }));

export function serve(name, { createServer, createHttp }) {
  const { values } = parseArgs({
    options: { listen: { type: 'string', default: '127.0.0.1:0' }, sse: { type: 'boolean', default: false } },
  });
  const [, host, port] = /^(.+):(\d+)$/.exec(values.listen) ?? [];
  if (host === undefined) throw new Error(`--listen '${values.listen}': must be ADDRESS:PORT`);
  const sessions = new Map();

  async function open() {
    const transport = createHttp({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: !values.sse,
      onsessioninitialized: (id) => { sessions.set(id, transport); },
      onsessionclosed: (id) => { sessions.delete(id); },
    });
    await createServer().connect(transport);
    return transport;
  }

  const http = createHttpServer(async (req, res) => {
    try {
      if (new URL(req.url, 'http://localhost').pathname !== '/mcp') return void res.writeHead(404).end();
      const id = req.headers['mcp-session-id'];
      const transport = id === undefined ? await open() : sessions.get(id);
      if (transport) await transport.handleRequest(req, res);
      else refuse(res, 404, -32001, 'Session not found');
    } catch (error) {
      console.error(error);
      if (!res.headersSent) refuse(res, 500, -32603, 'Internal error');
    }
  });
  const ws = new WebSocketServer({
    server: http, path: '/mcp', perMessageDeflate: false, handleProtocols: (offered) => offered.has('mcp') && 'mcp',
  });
  ws.on('connection', (socket) => createServer().connect(new WebSocketTransport(socket)).catch(console.error));
  http.listen(Number(port), host, () => console.log(`${name} ready http://${host}:${http.address().port}/mcp`));
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
}
