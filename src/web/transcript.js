/**
 * Both sides' words as they come: a partial is rewritten by the next, and by its final. Screen readers hear finals
 * only, from a log of their own.
 */

/** Lines kept; older ones give way. */
const MOST_LINES = 200;
const NAMES = { caller: 'You', bot: 'Bot', tool: 'Tool' };

export class Transcript {
  #lines;
  #spoken;
  #empty;
  /** @type {Map<string, HTMLElement>} */
  #byTurn = new Map();
  #calls = 0;

  /** @param {{lines: HTMLElement, spoken: HTMLElement, empty: HTMLElement}} parts */
  constructor({ lines, spoken, empty }) {
    this.#lines = lines;
    this.#spoken = spoken;
    this.#empty = empty;
  }

  reset() {
    this.#byTurn.clear();
    this.#lines.replaceChildren();
    this.#spoken.replaceChildren();
    this.#empty.hidden = false;
  }

  /**
   * @param {'caller' | 'bot'} who
   * @param {{turn: number, text: string, final: boolean}} said
   */
  say(who, { turn, text, final }) {
    const key = `${who} ${turn}`;
    if (text === '') return this.#withdraw(key);
    const follow = this.#atEnd();
    const line = this.#byTurn.get(key) ?? this.#add(who, key);
    line.querySelector('.words').textContent = text;
    line.classList.toggle('partial', !final);
    if (final) this.#announce(key, `${NAMES[who]}: ${text}`);
    if (follow) this.#lines.scrollTop = this.#lines.scrollHeight;
    return undefined;
  }

  /**
   * A tool was called; arguments only where the server shows them (`tools.show_arguments`).
   * @param {{turn: number, tool: string, outcome: string, afterMs: number, arguments?: string}} call
   */
  tool({ tool, outcome, afterMs, arguments: given = '' }) {
    const follow = this.#atEnd();
    this.#calls += 1;
    const line = this.#add('tool', `tool ${this.#calls}`);
    line.querySelector('.words').textContent = `${tool}(${given}) → ${outcome}, ${Math.round(afterMs)} ms`;
    if (follow) this.#lines.scrollTop = this.#lines.scrollHeight;
  }

  /**
   * The rest of the bot's turn was never heard.
   * @param {number} turn
   */
  interrupt(turn) {
    const line = this.#byTurn.get(`bot ${turn}`);
    line?.classList.add('cut');
    line?.classList.remove('partial');
  }

  /** The call is over: nothing more will complete what is partial. */
  finish() {
    for (const line of this.#lines.children) line.classList.remove('partial');
  }

  #atEnd() {
    return this.#lines.scrollHeight - this.#lines.scrollTop - this.#lines.clientHeight < 48;
  }

  /**
   * @param {'caller' | 'bot' | 'tool'} who
   * @param {string} key
   */
  #add(who, key) {
    const line = document.createElement('li');
    line.className = `line ${who}`;
    line.append(span('name', NAMES[who]), span('words', ''));
    this.#byTurn.set(key, line);
    this.#lines.append(line);
    if (this.#byTurn.size > MOST_LINES) this.#forgetOldest();
    this.#empty.hidden = true;
    return line;
  }

  #forgetOldest() {
    const [key, line] = this.#byTurn.entries().next().value;
    line.remove();
    this.#byTurn.delete(key);
  }

  /**
   * A guess that turned out to be no words at all.
   * @param {string} key
   */
  #withdraw(key) {
    const line = this.#byTurn.get(key);
    if (!line?.classList.contains('partial')) return;
    line.remove();
    this.#byTurn.delete(key);
  }

  /**
   * @param {string} key
   * @param {string} text
   */
  #announce(key, text) {
    const old = [...this.#spoken.children].find((entry) => entry.dataset.key === key);
    const entry = old ?? document.createElement('p');
    entry.dataset.key = key;
    entry.textContent = text;
    if (!old) this.#spoken.append(entry);
    if (this.#spoken.children.length > MOST_LINES) this.#spoken.firstElementChild.remove();
  }
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
