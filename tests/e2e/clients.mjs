// The clients of the system tests: the official ones, as they are, and raw ones that can also do what no client should.
import http from 'node:http';
import net from 'node:net';
import { afterEach } from 'node:test';
import ws from 'ws';
import { Client as V1 } from '@modelcontextprotocol/sdk/client/index.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { until } from './node.mjs';

export const latest = '2025-11-25';
export const revisions = ['2024-11-05', '2025-03-26', '2025-06-18', latest];
export const megabyte = 1024 * 1024;

// What a test leaves open is closed before its node is stopped.
const open = new Set();
afterEach(async () => {
  await Promise.all([...open].map((close) => close()));
  open.clear();
});
export const atEnd = (close) => open.add(close);

// Node 20 has no WebSocket of its own, and one that tells the response's headers is wanted. Messages come one a turn, as
// browsers have it: version 1 forgets the progress that comes in the same turn as the answer behind it.
globalThis.WebSocket = class extends ws {
  constructor(url, protocols) {
    super(url, protocols, { allowSynchronousEvents: false });
    this.once('upgrade', (answer) => (this.session = answer.headers['mcp-session-id']));
  }
};

const who = { name: 'system-test', version: '1.0.0' };
const socketUrl = (port, session) => new URL(`ws://127.0.0.1:${port}/mcp${session ? `?mcp-session-id=${session}` : ''}`);

async function connected(client, transport) {
  client.errors = [];
  client.onerror = (error) => client.errors.push(error);
  atEnd(() => client.close().catch(() => {}));
  await client.connect(transport);
  return client;
}

/** An official client of version 1 over a WebSocket; with a session's id it resumes that. */
export async function v1Socket(port, session) {
  const transport = new WebSocketClientTransport(socketUrl(port, session));
  if (session) transport.sessionId = session;
  const client = await connected(new V1(who), transport);
  client.session = transport._socket.session;
  return client;
}

// Who loses a stream comes back soon.
const reconnectionOptions = { initialReconnectionDelay: 10, maxReconnectionDelay: 100, reconnectionDelayGrowFactor: 1, maxRetries: 100 };
const httpUrl = (port) => new URL(`http://127.0.0.1:${port}/mcp`);

/** An official client of version 1 over Streamable HTTP; with a session's id it goes on with that. */
export async function v1Http(port, session) {
  const transport = new StreamableHTTPClientTransport(httpUrl(port), { sessionId: session, reconnectionOptions });
  const client = await connected(new V1(who), transport);
  client.session = transport.sessionId;
  return client;
}

/** An official client of version 2 over Streamable HTTP in the session era. */
export async function v2Http(port) {
  const { Client, StreamableHTTPClientTransport: Transport } = await import('@modelcontextprotocol/client');
  const transport = new Transport(httpUrl(port), { reconnectionOptions });
  const client = await connected(new Client(who, { versionNegotiation: { mode: 'legacy' } }), transport);
  client.session = transport.sessionId;
  return client;
}

/** The text of a tool's result. */
export const text = (result) => result.content[0].text;

/** Calls a tool of an official client and gives the text. */
export const tool = async (client, name, args = {}, options) =>
  text(await (client instanceof V1 ? client.callTool({ name, arguments: args }, undefined, options)
    : client.callTool({ name, arguments: args }, options)));

export const initialize = (version = latest, id = 0) =>
  ({ jsonrpc: '2.0', id, method: 'initialize', params: { protocolVersion: version, capabilities: {}, clientInfo: who } });
export const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
export const call = (id, name, args = {}, meta) =>
  ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, ...(meta && { _meta: meta }) } });

/** A WebSocket that collects messages and how it was closed. */
export class Socket {
  messages = [];

  /** Opens one. `session` goes into the query; refusals end with an error that has the HTTP `status` and `body`. */
  static open(node, { session, headers, protocol = 'mcp', ...options } = {}) {
    const self = new Socket();
    const socket = (self.socket = new ws(socketUrl(node.port, session), protocol ?? undefined, { headers, perMessageDeflate: false, ...options }));
    atEnd(() => socket.terminate());
    socket.on('message', (data) => self.messages.push(JSON.parse(data)));
    self.closed = new Promise((resolve) => socket.on('close', (code, reason) => {
      self.code = code;
      resolve({ code, reason: reason.toString() });
    }));
    return new Promise((resolve, reject) => {
      socket.on('upgrade', (answer) => (self.session = answer.headers['mcp-session-id']));
      socket.on('open', () => resolve(self));
      socket.on('error', reject);
      socket.on('unexpected-response', (request, answer) => {
        let body = '';
        answer.on('data', (data) => (body += data));
        answer.on('end', () => reject(Object.assign(new Error(`HTTP ${answer.statusCode}`), { status: answer.statusCode, body, answer })));
      });
    });
  }

  /** Opens one and makes it a session that is ready. */
  static async start(node, { version = latest, ...options } = {}) {
    const self = await Socket.open(node, options);
    self.greeting = await self.ask(initialize(version, 'init'));
    self.send(initialized);
    return self;
  }

  /** Sends an object, or bytes as they are. */
  send(message) {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** The next message that `wanted` likes; it is taken off the list. */
  async next(what, wanted) {
    return until(what, () => {
      const at = this.messages.findIndex(wanted);
      if (at >= 0) return this.messages.splice(at, 1)[0];
      if (this.code !== undefined) throw new Error(`closed with ${this.code} instead of: ${what}`);
      return undefined;
    });
  }

  /** The answer to a request that was sent. */
  answer(id) {
    return this.next(`the answer to ${JSON.stringify(id)}`, (m) => m.id === id && m.method === undefined);
  }

  /** Sends a request and gives the answer. */
  ask(request) {
    this.send(request);
    return this.answer(request.id);
  }

  terminate() {
    this.socket.terminate();
    return this.closed;
  }
}

const both = 'application/json, text/event-stream';

/** Sends an HTTP request on a connection of its own. The answer has status, headers, and what came of the body so far. */
export function send(node, { method = 'POST', headers = {}, body, path = '/mcp' } = {}) {
  const bytes = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const wanted = { connection: 'close', ...(method === 'POST' && { 'content-type': 'application/json', accept: both }), ...headers };
  for (const name of Object.keys(wanted)) if (wanted[name] === undefined) delete wanted[name];
  if (bytes !== undefined) wanted['content-length'] ??= Buffer.byteLength(bytes);
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port: node.port, path, method, headers: wanted, agent: false });
    atEnd(() => request.destroy());
    request.on('error', reject);
    request.on('response', (answer) => {
      const out = { status: answer.statusCode, headers: answer.headers, text: '', events: [], drop: () => request.destroy() };
      answer.setEncoding('utf8');
      let seen = 0;
      answer.on('data', (data) => {
        out.text += data;
        for (let end; answer.headers['content-type'] === 'text/event-stream' && (end = out.text.indexOf('\n\n', seen)) >= 0; seen = end + 2)
          out.events.push(event(out.text.slice(seen, end)));
      });
      answer.on('error', () => {});
      out.ended = new Promise((end) => answer.on('close', () => {
        out.over = true;
        end(out);
      }));
      resolve(out);
    });
    request.end(bytes);
  });
}

// One event of a stream: its id, its message if it has one, and whether it is only a comment.
function event(block) {
  const out = {};
  for (const line of block.split('\n')) {
    const [, name, value] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    if (name === '') out.comment = value;
    else if (name === 'data' && value !== '') out.message = JSON.parse(value);
    else if (name) out[name] = value;
  }
  return out;
}

/** A client over Streamable HTTP, one connection a request. */
export class Poster {
  static async start(node, version = latest) {
    const self = new Poster();
    self.node = node;
    self.version = version;
    const answer = await self.post(initialize(version));
    self.greeting = answer.message;
    self.session = answer.headers['mcp-session-id'];
    await self.post(initialized);
    return self;
  }

  /** One for a session that is there already. */
  static resume(node, session, version = latest) {
    return Object.assign(new Poster(), { node, version, session });
  }

  headers(more = {}) {
    return { 'mcp-session-id': this.session, ...(this.session && { 'mcp-protocol-version': this.version }), ...more };
  }

  /** Posts and resolves with the head of the answer, whose body may still come. */
  begin(body, headers) {
    return send(this.node, { body, headers: this.headers(headers) });
  }

  /** Posts and waits for all of the answer; `message` is the answer itself, be it JSON or the last event. */
  async post(body, headers) {
    const answer = await (await this.begin(body, headers)).ended;
    if (answer.headers['content-type'] === 'application/json') answer.message = JSON.parse(answer.text);
    else if (answer.events.length > 0) answer.message = answer.events.at(-1).message;
    return answer;
  }

  /** Opens the stream of a GET. */
  get(headers) {
    return send(this.node, { method: 'GET', headers: this.headers({ accept: 'text/event-stream', ...headers }) });
  }

  delete() {
    return send(this.node, { method: 'DELETE', headers: this.headers() }).then((answer) => answer.ended);
  }

  /** Calls a tool and gives its text. */
  async tool(name, args = {}) {
    return text((await this.post(call('tool', name, args))).message.result);
  }
}

/** A way to a node that can be cut: what runs through it ends as if the network had. */
export async function wire(node) {
  const pairs = new Set();
  const server = net.createServer((near) => {
    const far = net.connect(node.port, '127.0.0.1');
    const pair = [near, far];
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const end of pair) {
      end.on('error', () => {});
      end.on('close', () => {
        pair.forEach((e) => e.destroy());
        pairs.delete(pair);
      });
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => [...pairs].forEach((pair) => pair.forEach((end) => end.destroy()));
  atEnd(() => {
    cut();
    return new Promise((resolve) => server.close(resolve));
  });
  return { port: server.address().port, cut, get connections() { return pairs.size; } };
}
