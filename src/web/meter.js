/**
 * The live level of both sides: a ribbon that moves with time, the caller above the line and the bot below. Who asked
 * for less motion sees two still bars instead.
 */

/** One stroke of the ribbon shows the loudest level of this many milliseconds. */
const STROKE_MS = 50;
const STROKE_WIDTH = 3;
const STROKE_PITCH = 5;
/** The ribbon fades out before it reaches the names at the left. */
const NAMES_WIDTH = 56;
const FADE_WIDTH = 72;
/** The quietest level shown. */
const FLOOR_DB = -60;
/** How often assistive technology is given a new level. */
const SPOKEN_MS = 500;
const HISTORY = 512;

export class Meter {
  #canvas;
  #role;
  #still = matchMedia('(prefers-reduced-motion: reduce)');
  /** Levels from 0 to 1, newest last. */
  #strokes = { caller: new Float32Array(HISTORY), bot: new Float32Array(HISTORY) };
  #now = { caller: 0, bot: 0 };
  #strokeAt = 0;
  #spokenAt = 0;
  #running = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} role the element with role `meter`
   */
  constructor(canvas, role) {
    this.#canvas = canvas;
    this.#role = role;
    new ResizeObserver(() => this.#draw(0)).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#draw(0));
  }

  start() {
    if (this.#running) return;
    this.#strokes.caller.fill(0);
    this.#strokes.bot.fill(0);
    this.#running = true;
    requestAnimationFrame((at) => this.#tick(at));
  }

  stop() {
    this.#running = false;
    this.#now = { caller: 0, bot: 0 };
  }

  /**
   * @param {'caller' | 'bot'} side
   * @param {number} rms 1 being full scale
   */
  level(side, rms) {
    this.#now[side] = Math.max(this.#now[side], height(rms));
  }

  /** @param {number} at */
  #tick(at) {
    if (at - this.#strokeAt >= STROKE_MS) {
      this.#advance();
      this.#strokeAt = at - this.#strokeAt > 4 * STROKE_MS ? at : this.#strokeAt + STROKE_MS;
    }
    if (at - this.#spokenAt >= SPOKEN_MS) this.#speak(at);
    this.#draw((at - this.#strokeAt) / STROKE_MS);
    if (this.#running) requestAnimationFrame((next) => this.#tick(next));
  }

  #advance() {
    for (const side of ['caller', 'bot']) {
      this.#strokes[side].copyWithin(0, 1);
      this.#strokes[side][HISTORY - 1] = this.#now[side];
      this.#now[side] = 0;
    }
  }

  /** @param {number} at */
  #speak(at) {
    const db = Math.round(FLOOR_DB * (1 - this.#strokes.caller[HISTORY - 1]));
    this.#role.setAttribute('aria-valuenow', String(db));
    this.#role.setAttribute('aria-valuetext', db === FLOOR_DB ? 'silent' : `${db} decibels`);
    this.#spokenAt = at;
  }

  /** @param {number} phase part of a stroke that has passed since the last one, 0 to 1 */
  #draw(phase) {
    const { clientWidth: width, clientHeight: tall } = this.#canvas;
    const density = devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * density);
    this.#canvas.height = Math.round(tall * density);
    const pen = this.#canvas.getContext('2d');
    pen.scale(density, density);
    const style = getComputedStyle(this.#canvas);
    const colour = (/** @type {string} */ name) => style.getPropertyValue(name);
    const paint = { caller: colour('--caller'), bot: colour('--bot'), quiet: colour('--quiet') };
    if (this.#still.matches) this.#drawBars(pen, width, tall, paint);
    else this.#drawRibbon(pen, width, tall, paint, Math.min(phase, 1));
  }

  #drawRibbon(pen, width, tall, paint, phase) {
    const reach = tall / 2 - 4;
    const count = Math.min(HISTORY, Math.ceil(width / STROKE_PITCH) + 1);
    for (let back = 0; back < count; back++) {
      const x = width - (back + phase) * STROKE_PITCH;
      const up = this.#strokes.caller[HISTORY - 1 - back] * reach;
      const down = this.#strokes.bot[HISTORY - 1 - back] * reach;
      pen.globalAlpha = Math.max(0, Math.min(1, (x - NAMES_WIDTH) / FADE_WIDTH));
      stroke(pen, x, tall / 2 - 1, 2, paint.quiet);
      stroke(pen, x, tall / 2 - 1 - up, up, paint.caller);
      stroke(pen, x, tall / 2 + 1, down, paint.bot);
    }
  }

  #drawBars(pen, width, tall, paint) {
    const half = tall / 2;
    pen.fillStyle = paint.caller;
    pen.fillRect(0, half - 10, Math.max(2, width * this.#strokes.caller[HISTORY - 1]), 8);
    pen.fillStyle = paint.bot;
    pen.fillRect(0, half + 2, Math.max(2, width * this.#strokes.bot[HISTORY - 1]), 8);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} x
 * @param {number} top
 * @param {number} tall nothing is drawn below one pixel
 * @param {string} colour
 */
function stroke(pen, x, top, tall, colour) {
  if (tall < 1) return;
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(x, top, STROKE_WIDTH, tall, 1.5);
  pen.fill();
}

/** @param {number} rms */
function height(rms) {
  if (rms <= 0) return 0;
  return Math.max(0, Math.min(1, 1 - (20 * Math.log10(rms)) / FLOOR_DB));
}
