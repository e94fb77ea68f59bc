/** The call's id, to be copied, and its record, to be downloaded: what `GET /api/calls/{id}` knows of it. */
import { ask } from './token.js';

export class CallRecord {
  #parts;
  #call = '';

  /** @param {Record<'facts' | 'id' | 'copy' | 'download', HTMLElement>} parts */
  constructor(parts) {
    this.#parts = parts;
    parts.copy.addEventListener('click', () => this.#copy());
    parts.download.addEventListener('click', () => this.#download());
  }

  reset() {
    this.#call = '';
    this.#parts.facts.hidden = true;
  }

  /** @param {{callId: string}} started */
  follow({ callId }) {
    this.#call = callId;
    this.#parts.id.textContent = callId;
    this.#parts.facts.hidden = false;
    this.#parts.copy.textContent = 'Copy';
    this.#parts.download.textContent = 'Download record';
  }

  async #copy() {
    await navigator.clipboard?.writeText(this.#call);
    this.#parts.copy.textContent = 'Copied';
  }

  async #download() {
    const response = await ask(`/api/calls/${encodeURIComponent(this.#call)}`).catch(() => undefined);
    if (!response?.ok) {
      this.#parts.download.textContent = response?.status === 401 ? 'Needs the API token' : 'Not available';
      return;
    }
    save(JSON.stringify(await response.json(), null, 2), `call-${this.#call}.json`);
  }
}

/**
 * @param {string} text
 * @param {string} name
 */
function save(text, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
