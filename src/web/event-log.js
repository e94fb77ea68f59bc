/** Every event of the call's socket as it came, for those who build on it. */

/** Older events than this many are dropped. */
const MOST = 500;

export class EventLog {
  #list;
  #count;
  #began = 0;
  #seen = 0;

  /** @param {{list: HTMLElement, count: HTMLElement}} parts */
  constructor({ list, count }) {
    this.#list = list;
    this.#count = count;
  }

  reset() {
    this.#began = performance.now();
    this.#seen = 0;
    this.#list.replaceChildren();
    this.#count.textContent = '';
  }

  /** @param {{type: string}} event */
  add({ type, ...fields }) {
    const line = document.createElement('li');
    line.className = 'log-line';
    const seconds = ((performance.now() - this.#began) / 1_000).toFixed(3);
    line.append(span('log-time', seconds), span('log-type', type), span('log-fields', written(fields)));
    this.#list.append(line);
    if (this.#list.children.length > MOST) this.#list.firstElementChild.remove();
    this.#seen += 1;
    this.#count.textContent = `${this.#seen} events`;
  }
}

/** @param {Record<string, unknown>} fields */
function written(fields) {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('  ');
}

/**
 * @param {string} className
 * @param {string} text
 */
function span(className, text) {
  const made = document.createElement('span');
  made.className = className;
  made.textContent = text;
  return made;
}
