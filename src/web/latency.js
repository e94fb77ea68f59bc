/** How long each answer took, as one stacked bar a turn: the parts in the colours of their stages, and the total. */

/** @type {[string, string, string][]} key of the event, class, name */
const PARTS = [
  ['endOfTurnMs', 'vad', 'End of turn'],
  ['sttMs', 'stt', 'STT'],
  ['llmMs', 'llm', 'LLM'],
  ['toolsMs', 'tools', 'Tools'],
  ['ttsMs', 'tts', 'TTS'],
  ['rebuildMs', 'rebuild', 'Rebuilding'],
  ['playoutMs', 'playout', 'Playout'],
];

/** Parts that most answers do not have: in the legend once they are in a bar. */
const RARE = ['tools', 'rebuild'];

/** Rows shown; older turns give way. */
const MOST_ROWS = 8;
/** The scale ends at a multiple of this, so that it seldom moves. */
const SCALE_STEP_MS = 500;
const SVG = 'http://www.w3.org/2000/svg';
const BAR_HEIGHT = 10;

export class Latency {
  #turns;
  #empty;
  #typical;
  #scale;
  #legend;
  /** @type {import('./socket.js').Latency[]} */
  #measured = [];

  /** @param {Record<'turns' | 'empty' | 'typical' | 'scale' | 'legend', HTMLElement>} parts */
  constructor({ turns, empty, typical, scale, legend }) {
    this.#turns = turns;
    this.#empty = empty;
    this.#typical = typical;
    this.#scale = scale;
    for (const [, className, name] of PARTS) legend.append(key(className, name));
    this.#legend = legend;
    this.#draw();
  }

  reset() {
    this.#measured = [];
    this.#draw();
  }

  /** @param {import('./socket.js').Latency} latency */
  add(latency) {
    this.#measured = [...this.#measured.filter(({ turn }) => turn !== latency.turn), latency].slice(-MOST_ROWS);
    this.#draw();
  }

  #draw() {
    const longest = Math.max(0, ...this.#measured.map(extent));
    const scaleMs = Math.max(1, Math.ceil(longest / SCALE_STEP_MS)) * SCALE_STEP_MS;
    this.#turns.replaceChildren(...this.#measured.map((latency) => row(latency, scaleMs)));
    this.#empty.hidden = this.#measured.length > 0;
    for (const className of RARE) {
      const [part] = PARTS.find(([, name]) => name === className);
      const shown = this.#measured.some((latency) => (latency[part] ?? 0) > 0);
      this.#legend.querySelector(`.key-${className}`).hidden = !shown;
    }
    this.#scale.replaceChildren(...(this.#measured.length > 0 ? [text('', '0'), text('', milliseconds(scaleMs))] : []));
    this.#typical.textContent = this.#measured.length > 1 ? `median ${milliseconds(median(this.#measured))}` : '';
  }
}

/** @param {import('./socket.js').Latency} latency */
function extent(latency) {
  return Math.max(latency.answerMs, sum(latency));
}

/** @param {import('./socket.js').Latency} latency */
function sum(latency) {
  return PARTS.reduce((total, [part]) => total + (latency[part] ?? 0), 0);
}

/** @param {import('./socket.js').Latency[]} measured */
function median(measured) {
  const sorted = measured.map(({ answerMs }) => answerMs).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * @param {import('./socket.js').Latency} latency
 * @param {number} scaleMs
 */
function row(latency, scaleMs) {
  const item = document.createElement('li');
  item.className = 'turn';
  item.append(text('turn-name', `Turn ${latency.turn}`), bar(latency, scaleMs));
  item.append(text('turn-total', milliseconds(latency.answerMs)));
  return item;
}

/**
 * @param {import('./socket.js').Latency} latency
 * @param {number} scaleMs
 */
function bar(latency, scaleMs) {
  const svg = shape('svg', { class: 'bar', role: 'img', width: '100%', height: BAR_HEIGHT });
  svg.setAttribute('aria-label', spoken(latency));
  svg.append(shape('rect', { class: 'bar-track', width: '100%', height: BAR_HEIGHT }));
  let from = 0;
  for (const [part, className, name] of PARTS) {
    const ms = latency[part] ?? 0;
    if (ms <= 0) continue;
    const box = { x: percent(from, scaleMs), width: percent(ms, scaleMs), height: BAR_HEIGHT };
    const piece = shape('rect', { class: `part part-${className}`, ...box });
    piece.append(titled(`${name} ${milliseconds(ms)}`));
    svg.append(piece);
    from += ms;
  }
  svg.append(shape('rect', { class: 'bar-total', x: percent(latency.answerMs, scaleMs), width: 1.5, height: BAR_HEIGHT }));
  return svg;
}

/** @param {import('./socket.js').Latency} latency */
function spoken(latency) {
  return PARTS.map(([part, , name]) => `${name} ${milliseconds(latency[part] ?? 0)}`).join(', ');
}

/**
 * @param {string} className
 * @param {string} name
 */
function key(className, name) {
  const item = document.createElement('li');
  item.className = `key key-${className}`;
  item.textContent = name;
  return item;
}

/** @param {string} words */
function titled(words) {
  const title = shape('title', {});
  title.textContent = words;
  return title;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 */
function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/**
 * @param {string} className
 * @param {string} words
 */
function text(className, words) {
  const made = document.createElement('span');
  made.className = className;
  made.textContent = words;
  return made;
}

/**
 * @param {number} ms
 * @param {number} scaleMs
 */
function percent(ms, scaleMs) {
  return `${((ms * 100) / scaleMs).toFixed(2)}%`;
}

/** @param {number} ms */
function milliseconds(ms) {
  return `${Math.round(ms)} ms`;
}
