// The server's end of MCP over WebSocket for the SDKs, which have none: a message a text frame, as their clients do it.

export class WebSocketTransport {
  onmessage;
  onclose;
  onerror;

  constructor(socket) {
    this.socket = socket;
  }

  async start() {
    this.socket.on('message', (data) => {
      try {
        this.onmessage?.(JSON.parse(data));
      } catch (error) {
        this.onerror?.(error);
      }
    });
    this.socket.on('close', () => this.onclose?.());
    this.socket.on('error', (error) => this.onerror?.(error));
  }

  async send(message) {
    this.socket.send(JSON.stringify(message));
  }

  async close() {
    this.socket.close();
  }
}
