/**
 * Microphone to frames: mixes the input to mono, converts it to 16 kHz and posts each 20 ms as an ArrayBuffer of
 * 640 bytes, s16 little-endian.
 */
import { Resampler } from './resampler.js';

const FRAME_HZ = 16_000;
const FRAME_SAMPLES = 320;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, FRAME_HZ);
  #mono = new Float32Array(128);
  #frame = new Float32Array(FRAME_SAMPLES);
  #filled = 0;

  /** @param {Float32Array[][]} inputs */
  process([channels]) {
    if (channels.length === 0) return true;
    this.#resampler.write(this.#mix(channels));
    for (;;) {
      const room = this.#frame.subarray(this.#filled);
      const written = this.#resampler.read(room);
      this.#filled += written;
      if (written < room.length) return true;
      this.#post();
    }
  }

  /** @param {Float32Array[]} channels */
  #mix(channels) {
    if (channels.length === 1) return channels[0];
    if (this.#mono.length !== channels[0].length) this.#mono = new Float32Array(channels[0].length);
    this.#mono.fill(0);
    for (const channel of channels) {
      for (let index = 0; index < channel.length; index++) this.#mono[index] += channel[index] / channels.length;
    }
    return this.#mono;
  }

  #post() {
    const bytes = new DataView(new ArrayBuffer(FRAME_SAMPLES * 2));
    this.#frame.forEach((sample, index) => {
      const clipped = Math.max(-1, Math.min(1, sample));
      bytes.setInt16(index * 2, Math.round(clipped * 32_767), true);
    });
    this.port.postMessage(bytes.buffer, [bytes.buffer]);
    this.#filled = 0;
  }
}

registerProcessor('capture', Capture);
