/** Short messages about what went wrong and what to do, newest first. */

/** Older notices than this many give way. */
const MOST = 3;
/** Good news goes by itself. */
const PASSES_MS = 6_000;

export class Notices {
  #root;

  /** @param {HTMLElement} root a live region */
  constructor(root) {
    this.#root = root;
  }

  /**
   * One about the connection takes the place of the one before.
   * @param {import('./words.js').Notice} notice
   */
  show({ title, advice, code, about, passing }) {
    if (about) this.#root.querySelector(`[data-about='${about}']`)?.remove();
    const box = document.createElement('div');
    box.className = 'notice';
    if (about) box.dataset.about = about;
    if (passing) setTimeout(() => box.remove(), PASSES_MS);
    box.classList.toggle('good', passing === true);
    box.append(element('strong', title));
    if (advice) box.append(element('p', advice));
    if (code) box.append(element('code', code));
    this.#root.prepend(box);
    while (this.#root.children.length > MOST) this.#root.lastElementChild.remove();
  }

  clear() {
    this.#root.replaceChildren();
  }
}

/**
 * @param {string} tag
 * @param {string} text
 */
function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
