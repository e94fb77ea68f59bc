/** The call panel: the state in large letters, the clock, the choices before a call and the buttons during one. */
import { stateWords } from './words.js';

export class Panel {
  #byId;
  #startedAt = 0;
  #ticking = 0;
  /** Whether there is anything to interrupt. The button keeps the focus when there is not, hence no `disabled`. */
  #speaking = false;
  #muted = false;
  /** Of the conversation, while there is one. @type {import('./socket.js').State['state'] | undefined} */
  #state;

  /** @param {(id: string) => HTMLElement} byId */
  constructor(byId) {
    this.#byId = byId;
  }

  /**
   * @param {import('./call.js').Phase} phase
   * @param {string} ending why it ended, if it did
   */
  phase(phase, ending) {
    const { title, hint } = stateWords(phase);
    this.#show(phase, title, phase === 'ended' ? ending : hint);
    this.#byId('options').hidden = phase !== 'ended';
    this.#byId('controls').hidden = phase === 'ended';
    this.#byId('mute').disabled = phase !== 'live' && phase !== 'reconnecting';
    this.#byId('keys').disabled = phase !== 'live';
    this.#byId('typing').hidden = phase !== 'live';
    this.#offerInterrupt(false);
    this.#byId('hangup').disabled = phase === 'ending';
    if (phase === 'connecting') this.#ring();
    if (phase === 'live') this.#goOn();
    if (phase === 'ended') this.#settle();
  }

  /** @param {import('./socket.js').State['state']} state */
  state(state) {
    this.#state = state;
    const { title, hint } = stateWords(this.#muted && state === 'listening' ? 'muted' : state);
    this.#show(state, title, hint);
    this.#offerInterrupt(state === 'speaking');
  }

  get speaking() {
    return this.#speaking;
  }

  /** @param {boolean} muted */
  muted(muted) {
    const button = this.#byId('mute');
    button.setAttribute('aria-pressed', String(muted));
    button.textContent = muted ? 'Unmute' : 'Mute';
    this.#muted = muted;
    if (this.#state && document.documentElement.dataset.state !== 'reconnecting') this.state(this.#state);
  }

  /**
   * @param {string} name
   * @param {string} title
   * @param {string} hint
   */
  #show(name, title, hint) {
    document.documentElement.dataset.state = name;
    this.#byId('state').textContent = title;
    this.#byId('hint').textContent = hint;
  }

  /** @param {boolean} speaking */
  #offerInterrupt(speaking) {
    this.#speaking = speaking;
    this.#byId('interrupt').setAttribute('aria-disabled', String(!speaking));
  }

  /** A call that is resumed is in the state in which it was lost. */
  #goOn() {
    if (!this.#ticking) this.#startClock();
    if (this.#state) this.state(this.#state);
  }

  #ring() {
    this.#state = undefined;
    this.muted(false);
    this.#byId('clock').hidden = true;
    this.#byId('hangup').focus();
  }

  #startClock() {
    const clock = this.#byId('clock');
    this.#startedAt = performance.now();
    clock.hidden = false;
    clock.textContent = '0:00';
    this.#ticking = setInterval(() => {
      clock.textContent = minutes(performance.now() - this.#startedAt);
    }, 500);
  }

  #settle() {
    clearInterval(this.#ticking);
    this.#ticking = 0;
    this.#state = undefined;
    const lost = document.activeElement === document.body || document.activeElement?.closest('[hidden]');
    if (lost) this.#byId('call').focus();
  }
}

/** @param {number} ms */
function minutes(ms) {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
