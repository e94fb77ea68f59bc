/**
 * A stand-in for the server: serves the page, speaks the browser socket, and does what a test asks of it, errors that a
 * healthy server never shows included. It hears by loudness, understands nothing, and answers with a tone (or, in Opus,
 * with the caller's own packets).
 *
 * `node stand-in.js [port]` serves it for work on the page.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { Talk } from './stand-in-talk.js';

const WEB = new URL('../../src/web/', import.meta.url);
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** As strict as the page allows: nothing inline, nothing from elsewhere. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const HEALTH = {
  status: 'ok',
  service: 'ringway',
  version: '0.1.0',
  engines: { vad: 'ready', stt: 'ready', llm: 'ready', tts: 'ready' },
};

const INFO = {
  version: '0.1.0',
  dialogues: ['booking', 'echo'],
  defaultDialogue: 'booking',
  engines: [
    { stage: 'stt', engine: 'deepgram', model: 'nova-3' },
    { stage: 'llm', engine: 'openai_llm', model: 'gpt-4o-mini' },
    { stage: 'tts', engine: 'cartesia', model: 'sonic-3', voice: 'a0e99841' },
  ],
};

/** As the server draws a turn, as far as the page looks at it. @param {string} width */
const waterfall = (width) => `<svg xmlns="http://www.w3.org/2000/svg" class="waterfall" role="img" width="${width}"
  height="140" viewBox="0 0 ${width} 140" font-size="12"><g class="waterfall-turn" data-turn="1">
  <text class="waterfall-head" y="13">Turn 1</text>${['caller', 'stt', 'llm', 'tts', 'playout']
    .map((lane, row) => `<g class="lane-${lane} done"><rect x="${60 + 20 * row}" y="${20 + 20 * row}" width="20" height="12"/></g>`)
    .join('')}
  <text class="waterfall-end" x="80" y="136" text-anchor="middle">0 ms</text>
  <text class="waterfall-end" x="140" y="136" text-anchor="middle">+300 ms</text></g></svg>`;

/**
 * What happens on the next call.
 * @typedef {object} Scenario
 * @property {import('./stand-in-talk.js').Script} [onOpen] instead of waiting for `start`
 * @property {import('./stand-in-talk.js').Script} [onStart] after `started`, instead of a conversation
 * @property {number} [resumeWithinMs] how long a call waits for a page that is lost
 * @property {boolean} [forgotten] no call in progress is known any more
 * @property {string} [token] which the API demands
 * @property {Partial<typeof INFO>} [info] in place of what the server says of itself
 * @property {boolean} [down] nothing but the page's files is served
 */

export class StandIn {
  /** @type {Scenario} */
  scenario = {};
  /** The latest call. @type {Talk | undefined} */
  talk;
  #http = createServer((request, response) => this.#serve(request, response));
  #sockets = new WebSocketServer({ server: this.#http, path: '/voice-ws' });

  constructor() {
    this.#sockets.on('connection', (socket) => {
      this.talk = new Talk(socket, this.scenario);
    });
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  #serve(request, response) {
    const { down, token } = this.scenario;
    const asksApi = request.url.startsWith('/api/');
    if (down && (asksApi || request.url === '/health')) return request.socket.destroy();
    if (token && asksApi && request.headers.authorization !== `Bearer ${token}`) return response.writeHead(401).end();
    return serve(request.url, response, { ...INFO, ...this.scenario.info });
  }

  /** @param {number} [port] @returns {Promise<string>} the page's address */
  async listen(port = 0) {
    await new Promise((resolve) => this.#http.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this.port}/`;
  }

  get port() {
    return this.#http.address().port;
  }

  async close() {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

/**
 * @param {string} url
 * @param {import('node:http').ServerResponse} response
 * @param {typeof INFO} info
 */
async function serve(url, response, info) {
  const { pathname, searchParams } = new URL(url, 'http://stand-in');
  if (pathname === '/health') return response.setHeader('content-type', 'application/json').end(JSON.stringify(HEALTH));
  if (pathname === '/api/info') return response.setHeader('content-type', 'application/json').end(JSON.stringify(info));
  if (pathname === '/api/calls/c-1') {
    return response.setHeader('content-type', 'application/json').end(JSON.stringify({ id: 'c-1', transcript: [] }));
  }
  if (pathname === '/api/calls/c-1/trace') {
    return response.setHeader('content-type', TYPES['.svg']).end(waterfall(searchParams.get('width')));
  }
  const name = pathname === '/' ? 'index.html' : pathname.slice(1);
  const type = TYPES[extname(name)];
  try {
    if (!type || name.includes('/')) throw new Error('not a file of the page');
    const body = await readFile(new URL(name, WEB));
    response.writeHead(200, { 'content-type': type, 'content-security-policy': CONTENT_SECURITY_POLICY });
    return response.end(body);
  } catch {
    return response.writeHead(404).end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await new StandIn().listen(Number(process.argv[2] ?? 3001)));
}
