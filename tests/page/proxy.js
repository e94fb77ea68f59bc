/** A network between page and server that can be cut: connections in progress break, and new ones are refused. */
import { connect, createServer } from 'node:net';

export class Network {
  #target;
  #server;
  #cut = false;
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();

  /** @param {string} url of the server, over plain HTTP */
  constructor(url) {
    this.#target = new URL(url);
    this.#server = createServer((socket) => this.#forward(socket));
  }

  /** @returns {Promise<string>} the address of the server behind it */
  async open() {
    await new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  cut() {
    this.#cut = true;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#cut = false;
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** @param {import('node:net').Socket} socket */
  #forward(socket) {
    if (this.#cut) return socket.resetAndDestroy();
    const onwards = connect(Number(this.#target.port), this.#target.hostname);
    socket.pipe(onwards).pipe(socket);
    for (const [end, other] of [[socket, onwards], [onwards, socket]]) {
      this.#sockets.add(end);
      end.on('error', () => other.destroy());
      end.on('close', () => this.#sockets.delete(end));
    }
    return undefined;
  }
}
