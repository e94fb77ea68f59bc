/**
 * What happened when in the last turns, as the server draws it: fetched when the answer begins, when it was heard or
 * broken off, and at the end of the call.
 */

import { ask } from './token.js';

/** Turns shown; `GET /api/calls/{id}/trace` has the others. */
const TURNS = 3;
/** Events come a moment before what they tell can be read. */
const SETTLED_MS = 250;

export class Waterfall {
  #picture;
  #empty;
  /** @type {string | undefined} */
  #call;
  #timer = 0;
  /** For which the picture was drawn, in pixels. */
  #width = 0;

  /** @param {Record<'picture' | 'empty', HTMLElement>} parts */
  constructor({ picture, empty }) {
    this.#picture = picture;
    this.#empty = empty;
    new ResizeObserver(() => this.#resized()).observe(picture);
  }

  reset() {
    clearTimeout(this.#timer);
    this.#call = undefined;
    this.#picture.replaceChildren();
    this.#empty.hidden = false;
  }

  /** @param {{callId: string}} started */
  follow({ callId }) {
    this.#call = callId;
  }

  /** Draws again soon; what happens at once is drawn once. */
  update() {
    if (!this.#call) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#draw(this.#call), SETTLED_MS);
  }

  /** It is laid out for the width it has: a picture that shrank could not be read. */
  #resized() {
    if (this.#call && this.#picture.firstElementChild && this.#picture.clientWidth !== this.#width) this.update();
  }

  /** @param {string} call */
  async #draw(call) {
    this.#width = this.#picture.clientWidth;
    const picture = await drawn(call, this.#width);
    if (!picture || call !== this.#call) return;
    if (picture === 'forbidden') return this.#forbid();
    this.#picture.replaceChildren(picture);
    this.#empty.hidden = picture.querySelector('g') !== null;
  }

  /** A server that others can reach tells those who know its token. */
  #forbid() {
    this.#call = undefined;
    this.#empty.textContent = 'The trace needs the API token: enter it above, before the call.';
  }
}

/**
 * @param {string} call
 * @param {number} width in pixels
 * @returns {Promise<Element | 'forbidden' | undefined>} `undefined` when the server has none
 */
async function drawn(call, width) {
  const url = new URL(`/api/calls/${encodeURIComponent(call)}/trace`, location.href);
  url.search = String(new URLSearchParams({ format: 'svg', turns: String(TURNS), width: String(Math.floor(width)) }));
  try {
    const response = await ask(url);
    if (response.status === 401) return 'forbidden';
    if (!response.ok) return undefined;
    const parsed = new DOMParser().parseFromString(await response.text(), 'image/svg+xml');
    return parsed.querySelector('parsererror') ? undefined : document.importNode(parsed.documentElement, true);
  } catch {
    return undefined;
  }
}
