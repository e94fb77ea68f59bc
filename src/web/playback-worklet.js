/**
 * Frames to loudspeaker. Takes `{type: 'audio', samples, sampleRate}` and `{type: 'clear'}`; posts a `Played` for each
 * 20 ms that went out, measured on the very samples handed to the sound card.
 *
 * @typedef {object} Played
 * @property {number} rms of these 20 ms, 1 being full scale
 * @property {number} depthMs audio still waiting
 * @property {number} gaps times the audio ran out inside an utterance
 * @property {number} droppedMs audio dropped because the buffer was full
 */
import { JitterBuffer } from './jitter-buffer.js';

const REPORT_MS = 20;

class Playback extends AudioWorkletProcessor {
  #buffer = new JitterBuffer(16_000, sampleRate);
  #power = 0;
  #measured = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.type === 'clear') this.#buffer.clear();
      else this.#take(data.samples, data.sampleRate);
    };
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, [channels]) {
    const output = channels[0];
    this.#buffer.read(output);
    for (const channel of channels.slice(1)) channel.set(output);
    this.#measure(output);
    return true;
  }

  /**
   * @param {Float32Array} samples
   * @param {number} hz
   */
  #take(samples, hz) {
    if (hz !== this.#buffer.fromHz) this.#buffer = new JitterBuffer(hz, sampleRate);
    this.#buffer.write(samples);
  }

  /** @param {Float32Array} output */
  #measure(output) {
    for (const sample of output) this.#power += sample * sample;
    this.#measured += output.length;
    if (this.#measured * 1_000 < sampleRate * REPORT_MS) return;
    const { gaps, droppedMs } = this.#buffer.counters;
    const rms = Math.sqrt(this.#power / this.#measured);
    this.port.postMessage({ rms, depthMs: this.#buffer.depthMs, gaps, droppedMs });
    this.#power = 0;
    this.#measured = 0;
  }
}

registerProcessor('playback', Playback);
