/** What the server says of itself before there is a call: its version, and whether its engines are ready. */

/**
 * @typedef {object} Health
 * @property {string} status `ok`, `starting`, `draining` or `degraded`
 * @property {string} version
 * @property {Record<string, string>} engines
 */

const WORDS = {
  ok: 'ready',
  starting: 'starting',
  draining: 'shutting down',
  degraded: 'in trouble',
};

/** @returns {Promise<Health | undefined>} `undefined` when it cannot be reached */
export async function health() {
  try {
    const response = await fetch(new URL('/health', location.href));
    return await response.json();
  } catch {
    return undefined;
  }
}

/** @param {Health | undefined} answer */
export function healthWords(answer) {
  if (!answer) return 'not reachable';
  const version = answer.version ? `${answer.version} · ` : '';
  return version + (WORDS[answer.status] ?? answer.status);
}
