/** What the server says of itself: its version, whether its engines are ready, and what a call can be. */
import { ask } from './token.js';

/**
 * @typedef {object} Health
 * @property {string} status `ok`, `starting`, `draining` or `degraded`
 * @property {string} version
 * @property {Record<string, string>} engines
 *
 * @typedef {{stage: string, engine: string, model?: string, voice?: string}} Engine
 *
 * @typedef {object} Info
 * @property {string[]} dialogues
 * @property {string} [defaultDialogue]
 * @property {Engine[]} engines those that calls begin with
 */

/** How often the header is brought up to date. */
const EVERY_MS = 10_000;
/** How long nobody waits for an answer over a network that has just failed. */
const SHORTLY_MS = 2_000;

const WORDS = {
  ok: 'ready',
  starting: 'starting',
  draining: 'shutting down: no new calls',
  degraded: 'degraded: see the log',
};

/** @returns {Promise<Health | undefined>} `undefined` when the server cannot be reached */
export async function health() {
  try {
    const response = await fetch(new URL('/health', location.href), { cache: 'no-store' });
    return await response.json();
  } catch {
    return undefined;
  }
}

/** @returns {Promise<Info | 'forbidden' | undefined>} `undefined` when the server has none */
export async function info() {
  try {
    const response = await ask('/api/info');
    if (response.status === 401 || response.status === 403) return 'forbidden';
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Why a call has ended, asked for when nobody could be told.
 * @param {string} call
 * @returns {Promise<string | undefined>} `undefined` when it has not, or the server does not tell
 */
export async function endReasonOf(call) {
  try {
    const signal = AbortSignal.timeout(SHORTLY_MS);
    const response = await ask(`/api/calls/${encodeURIComponent(call)}`, { signal });
    return response.ok ? (await response.json()).endReason : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the header true. */
export class Header {
  #root;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    setInterval(() => document.hidden || this.refresh(), EVERY_MS);
    document.addEventListener('visibilitychange', () => document.hidden || this.refresh());
  }

  /** @returns {Promise<Health | undefined>} */
  async refresh() {
    const answer = await health();
    this.#root.textContent = healthWords(answer);
    this.#root.classList.toggle('trouble', answer?.status !== 'ok');
    return answer;
  }
}

/** @param {Health | undefined} answer */
function healthWords(answer) {
  if (!answer) return 'server not reachable';
  const version = answer.version ? `${answer.version} · ` : '';
  return version + (WORDS[answer.status] ?? answer.status);
}
