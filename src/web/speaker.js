/** The loudspeaker: plays the far side through the playback worklet, and says what really went out. */

export class Speaker {
  #node;
  /** @type {(() => void) | undefined} */
  #onDrained;

  /**
   * @param {AudioContext} context
   * @param {(played: import('./playback-worklet.js').Played) => void} onPlayed every 20 ms
   */
  static async open(context, onPlayed) {
    await context.audioWorklet.addModule(new URL('./playback-worklet.js', import.meta.url));
    return new Speaker(context, onPlayed);
  }

  /**
   * @param {AudioContext} context
   * @param {(played: import('./playback-worklet.js').Played) => void} onPlayed
   */
  constructor(context, onPlayed) {
    this.#node = new AudioWorkletNode(context, 'playback', { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => {
      onPlayed(data);
      if (data.depthMs === 0) this.#onDrained?.();
    };
    this.#node.connect(context.destination);
  }

  /**
   * @param {Float32Array} samples
   * @param {number} sampleRate
   */
  play(samples, sampleRate) {
    this.#node.port.postMessage({ type: 'audio', samples, sampleRate }, [samples.buffer]);
  }

  clear() {
    this.#node.port.postMessage({ type: 'clear' });
  }

  /** @returns {Promise<void>} settles when nothing is left to play */
  drained() {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
    });
  }
}
