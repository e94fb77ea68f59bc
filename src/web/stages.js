/**
 * The stages of a call: what each is doing, and how often it was restarted. A card lights up while its stage
 * works: when the server says so, and else by what passes between the stages.
 */

/** @type {[import('./socket.js').StageName, string, string][]} */
const STAGES = [
  ['vad', 'VAD', 'Detects that you speak'],
  ['stt', 'STT', 'Turns speech into text'],
  ['llm', 'LLM', 'Decides what to say'],
  ['tts', 'TTS', 'Turns text into speech'],
  ['s2s', 'S2S', 'Speech to speech in one model'],
];

/** States that are not the ordinary course of a call. */
const TROUBLE = new Set(['restarting', 'failed', 'stalled', 'unavailable']);
const WORKING = new Set(['working', 'active', 'busy', 'running']);

export class Stages {
  /** @type {Map<string, {card: HTMLElement, word: HTMLElement, engine: HTMLElement, restarts: HTMLElement,
   *   service: HTMLElement, state: string}>} */
  #cards = new Map();

  /** @param {HTMLElement} root an empty list */
  constructor(root) {
    for (const [stage, name, purpose] of STAGES) {
      const card = element('li', `stage stage-${stage}`);
      const word = element('span', 'stage-state');
      const restarts = element('span', 'stage-restarts');
      const engine = element('span', 'stage-engine');
      const service = element('span', 'stage-restarts');
      const texts = [element('span', 'stage-name', name), element('span', 'stage-purpose', purpose)];
      card.append(...texts, word, engine, restarts, service);
      root.append(card);
      this.#cards.set(stage, { card, word, engine, restarts, service, state: '' });
    }
    this.reset();
  }

  reset() {
    for (const [stage] of STAGES) this.update({ stage, state: 'idle', restarts: 0 });
    for (const { card, service } of this.#cards.values()) card.title = service.textContent = '';
    this.#light([]);
  }

  /** The call is over: nothing works any more, but what happened stays in sight. */
  rest() {
    this.#light([]);
  }

  /** @param {{stage: string, state: string, restarts: number}} update */
  update({ stage, state, restarts }) {
    const entry = this.#cards.get(stage);
    if (!entry) return;
    if (stage === 's2s') this.#alone(state !== 'idle' && state !== 'gone');
    entry.state = state;
    entry.word.textContent = state;
    entry.card.classList.toggle('trouble', TROUBLE.has(state));
    entry.restarts.textContent = restarts > 0 ? `${restarts} restart${restarts === 1 ? '' : 's'}` : '';
    this.#set(stage, WORKING.has(state));
  }

  /** What calls begin with. @param {import('./server.js').Engine[]} engines */
  name(engines) {
    for (const { stage, engine, model, voice } of engines) {
      const entry = this.#cards.get(stage);
      if (entry) entry.engine.textContent = [engine, model, voice].filter(Boolean).join(' · ');
    }
  }

  /** Another service serves a stage. @param {{stage: string, to: string, cause: string}} change */
  served({ stage, to, cause }) {
    const entry = this.#cards.get(stage);
    if (entry) entry.card.title = entry.service.textContent = `now ${to} (${cause})`;
  }

  /**
   * What hears and speaks by itself takes the place of three, as long as it is there.
   * @param {boolean} alone
   */
  #alone(alone) {
    for (const stage of ['stt', 'llm', 'tts']) this.#cards.get(stage).card.hidden = alone;
    this.#cards.get('s2s').card.hidden = !alone;
  }

  /**
   * Lights what an event of the call shows to be at work.
   * @param {import('./socket.js').ServerEvent} event
   */
  follow(event) {
    if (event.type === 'state') this.#light({ listening: ['vad'], thinking: ['llm'], speaking: ['tts'] }[event.state]);
    if (event.type === 'transcript') this.#set('stt', !event.final);
    if (event.type === 'bot') this.#set('tts', !event.final);
  }

  /** @param {string[]} lit */
  #light(lit = []) {
    for (const [stage] of STAGES) this.#set(stage, lit.includes(stage));
  }

  /**
   * @param {string} stage
   * @param {boolean} lit
   */
  #set(stage, lit) {
    const { card, state } = this.#cards.get(stage);
    card.classList.toggle('lit', lit || WORKING.has(state));
  }
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} [text]
 */
function element(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
