/** The choices before a call: dialogue, codec, devices, and the API token where the server asks for one. */
import { setToken, token } from './token.js';

export class Options {
  #byId;

  /**
   * @param {(id: string) => HTMLElement} byId
   * @param {() => void} onToken called when another token was entered
   */
  constructor(byId, onToken) {
    this.#byId = byId;
    byId('token').value = token();
    byId('token').addEventListener('change', ({ target }) => {
      setToken(target.value);
      onToken();
    });
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.offerDevices());
  }

  /** What the caller chose. */
  wish() {
    const form = new FormData(this.#byId('options'));
    const chosen = (/** @type {string} */ name) => form.get(name) || undefined;
    return {
      dialogue: chosen('dialogue'),
      codec: form.get('codec'),
      microphone: chosen('microphone'),
      speaker: chosen('speaker'),
    };
  }

  /** @param {boolean} supported */
  offerOpus(supported) {
    const choice = document.querySelector('input[name="codec"][value="opus"]');
    choice.disabled = !supported;
    choice.parentElement.title = supported ? '' : 'This browser has no Opus encoder.';
  }

  /** Dialogues as the server has them, the default first chosen. @param {import('./server.js').Info} info */
  offerDialogues({ dialogues, defaultDialogue }) {
    const select = this.#byId('dialogue');
    const before = select.value;
    select.replaceChildren(...dialogues.map((name) => new Option(name, name, false, name === defaultDialogue)));
    if (dialogues.includes(before)) select.value = before;
    this.#byId('dialogue-field').hidden = dialogues.length === 0;
  }

  /** Devices have names only once the microphone was allowed. */
  async offerDevices() {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    this.#offer('microphone', devices.filter(({ kind }) => kind === 'audioinput'));
    const chooses = 'setSinkId' in AudioContext.prototype;
    this.#offer('speaker', chooses ? devices.filter(({ kind }) => kind === 'audiooutput') : []);
  }

  /** @param {'wanted' | 'wrong' | 'not wanted'} state */
  askForToken(state) {
    this.#byId('token-field').hidden = state === 'not wanted' && token() === '';
    this.#byId('token').setAttribute('aria-invalid', String(state === 'wrong'));
    this.#byId('token-hint').textContent =
      state === 'wrong' ? 'The server does not accept this token.' : 'RINGWAY_ADMIN_TOKEN of the server';
  }

  /**
   * @param {'microphone' | 'speaker'} name
   * @param {MediaDeviceInfo[]} devices
   */
  #offer(name, devices) {
    const named = devices.filter(({ deviceId, label }) => deviceId && label);
    const select = this.#byId(name);
    const before = select.value;
    const choices = named.filter(({ deviceId }) => deviceId !== 'default');
    select.replaceChildren(new Option('Default', ''), ...choices.map((it) => new Option(it.label, it.deviceId)));
    if (choices.some(({ deviceId }) => deviceId === before)) select.value = before;
    this.#byId(`${name}-field`).hidden = choices.length < 2;
  }
}
