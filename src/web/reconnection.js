/** When to try again once a connection is lost: after growing pauses, and at once when the network is back. */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

export class Reconnection {
  #until;
  #pauseMs = FIRST_PAUSE_MS;

  /** @param {number} withinMs from now on, how long it makes sense to try */
  constructor(withinMs) {
    this.#until = performance.now() + withinMs;
  }

  /** Waits for the next try. @returns {Promise<boolean>} whether there is to be one */
  async next() {
    const leftMs = this.#until - performance.now();
    if (leftMs <= 0) return false;
    await online(Math.min(this.#pauseMs, leftMs));
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    return performance.now() < this.#until;
  }
}

/** Settles when the browser says that it has a network again, at the latest after so long. @param {number} ms */
function online(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener('online', done);
  });
}
