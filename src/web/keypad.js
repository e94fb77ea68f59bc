/** The twelve keys of a telephone. While the focus is inside, the same keys of the keyboard work too. */

const LETTERS = { 2: 'ABC', 3: 'DEF', 4: 'GHI', 5: 'JKL', 6: 'MNO', 7: 'PQRS', 8: 'TUV', 9: 'WXYZ' };
const KEYS = '123456789*0#';
const NAMES = { '*': 'Star', '#': 'Hash' };

export class Keypad {
  #root;
  #toggle;
  #pressed;

  /**
   * @param {HTMLElement} root empty
   * @param {HTMLButtonElement} toggle opens and closes it
   * @param {(digit: string) => void} pressed
   */
  constructor(root, toggle, pressed) {
    this.#root = root;
    this.#toggle = toggle;
    this.#pressed = pressed;
    root.append(...[...KEYS].map((digit) => this.#key(digit)));
    root.addEventListener('keydown', (event) => this.#type(event));
    toggle.addEventListener('click', () => this.open(root.hidden));
  }

  /** @param {boolean} open */
  open(open) {
    this.#root.hidden = !open;
    this.#toggle.setAttribute('aria-expanded', String(open));
    if (open) this.#root.querySelector('button').focus();
  }

  /** @param {string} digit */
  #key(digit) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'key-button';
    button.dataset.digit = digit;
    button.textContent = digit;
    if (NAMES[digit]) button.setAttribute('aria-label', NAMES[digit]);
    const letters = document.createElement('small');
    letters.textContent = LETTERS[digit] ?? '';
    letters.ariaHidden = 'true';
    button.append(letters);
    button.addEventListener('click', () => this.#pressed(digit));
    return button;
  }

  /** @param {KeyboardEvent} event */
  #type(event) {
    if (event.key === 'Escape') {
      this.open(false);
      this.#toggle.focus();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !KEYS.includes(event.key)) return;
    this.#root.querySelector(`[data-digit="${event.key}"]`).focus();
    this.#pressed(event.key);
  }
}
