/**
 * The audio of the far side between its irregular arrival and the steady clock of the sound card.
 *
 * Playing starts when 40 ms are there (or 40 ms after the first sample, for an utterance shorter than that) and
 * stops when nothing is left. So that the delay never grows, the speed follows the fill by at most half a per cent,
 * which nobody hears; silence in an overfull buffer is skipped; past the bound the oldest audio is dropped, counted.
 */
import { Resampler } from './resampler.js';

/** Audio held before playing starts, and the fill that the speed aims at. */
export const TARGET_MS = 40;
/** Above this fill, silent audio is skipped. */
export const HIGH_WATER_MS = 200;
/** The bound; the oldest audio gives way. */
export const BOUND_MS = 1_000;
/** The speed follows the lowest fill of this much played audio. */
const STEER_WINDOW_MS = 1_000;
const LARGEST_TRIM = 0.005;
/** Audio that comes this soon after the last of it ran out belongs to the same utterance: a gap was heard. */
const SAME_UTTERANCE_MS = 500;
/** Ramps at a start and at `clear`, against clicks. */
const RAMP_MS = 4;
/** RMS of -55 dBFS. */
const SILENCE = 10 ** (-55 / 20);

export class JitterBuffer {
  /** Gaps inside an utterance, and audio dropped at the bound or skipped as silence. */
  counters = { gaps: 0, droppedMs: 0, skippedMs: 0 };

  #fromHz;
  #toHz;
  #ring;
  #head = 0;
  #length = 0;
  #resampler;
  #chunk;
  #playing = false;
  /** Output samples since the first sample of a fill came, and since the last audio was played. */
  #waited = 0;
  #idle = Infinity;
  #lowest = Infinity;
  #steered = 0;
  #trim = 0;
  #gain = 0;
  #leaving = false;

  /**
   * @param {number} fromHz sample rate of what is written
   * @param {number} toHz sample rate of what is read
   */
  constructor(fromHz, toHz) {
    this.#fromHz = fromHz;
    this.#toHz = toHz;
    this.#ring = new Float32Array(samplesIn(BOUND_MS, fromHz));
    this.#resampler = new Resampler(fromHz, toHz);
    this.#chunk = new Float32Array(1_024);
  }

  get fromHz() {
    return this.#fromHz;
  }

  /** Audio waiting, in milliseconds. */
  get depthMs() {
    return (this.#length * 1_000) / this.#fromHz;
  }

  /** Relative change of speed in use. */
  get trim() {
    return this.#trim;
  }

  /** @param {Float32Array} samples */
  write(samples) {
    if (this.#leaving) this.#empty();
    if (this.depthMs > HIGH_WATER_MS && rms(samples) < SILENCE) {
      this.counters.skippedMs += (samples.length * 1_000) / this.#fromHz;
      return;
    }
    if (!this.#playing && this.#length === 0) this.#begin();
    for (const sample of samples) this.#push(sample);
  }

  /**
   * Fills all of `output`, with silence where there is no audio.
   * @param {Float32Array} output
   * @returns {boolean} whether any of it is audio
   */
  read(output) {
    output.fill(0);
    if (!this.#playing && !this.#ready(output.length)) {
      this.#idle += output.length;
      return false;
    }
    this.#playing = true;
    this.#steer(output.length);
    this.#feed(this.#resampler.wanted(output.length, this.#trim));
    const written = this.#resampler.read(output, this.#trim);
    this.#ramp(output, written);
    this.#idle = this.#leaving ? Infinity : 0;
    if (written < output.length || (this.#leaving && this.#gain === 0)) this.#empty();
    return written > 0;
  }

  /** Stops what is playing, over a ramp of a few milliseconds, and forgets the rest. */
  clear() {
    if (this.#playing) this.#leaving = true;
    else this.#empty();
    this.#length = Math.min(this.#length, samplesIn(2 * RAMP_MS, this.#fromHz));
    this.#idle = Infinity;
  }

  #begin() {
    this.#waited = 0;
    if (this.#idle < samplesIn(SAME_UTTERANCE_MS, this.#toHz)) this.counters.gaps += 1;
    this.#resampler.reset();
    this.#lowest = Infinity;
    this.#steered = 0;
    this.#trim = 0;
    this.#gain = 0;
  }

  /** @param {number} count output samples about to be read */
  #ready(count) {
    if (this.#length === 0) return false;
    this.#waited += count;
    return this.depthMs >= TARGET_MS || this.#waited >= samplesIn(TARGET_MS, this.#toHz);
  }

  /** @param {number} count output samples about to be read */
  #steer(count) {
    this.#lowest = Math.min(this.#lowest, this.depthMs);
    this.#steered += count;
    if (this.#steered < samplesIn(STEER_WINDOW_MS, this.#toHz)) return;
    const excess = (this.#lowest - TARGET_MS) / TARGET_MS;
    this.#trim = LARGEST_TRIM * Math.max(-1, Math.min(1, excess));
    this.#lowest = Infinity;
    this.#steered = 0;
  }

  /** @param {number} wanted samples for the resampler */
  #feed(wanted) {
    const count = Math.min(wanted, this.#length, this.#chunk.length);
    for (let index = 0; index < count; index++) {
      this.#chunk[index] = this.#ring[(this.#head + index) % this.#ring.length];
    }
    this.#drop(count);
    this.#resampler.write(this.#chunk.subarray(0, count));
  }

  /**
   * @param {Float32Array} output
   * @param {number} count
   */
  #ramp(output, count) {
    const step = 1 / samplesIn(RAMP_MS, this.#toHz);
    for (let index = 0; index < count; index++) {
      this.#gain = this.#leaving ? Math.max(0, this.#gain - step) : Math.min(1, this.#gain + step);
      output[index] *= this.#gain;
    }
  }

  #empty() {
    this.#drop(this.#length);
    this.#playing = false;
    this.#leaving = false;
  }

  /** @param {number} sample */
  #push(sample) {
    if (this.#length === this.#ring.length) {
      this.#drop(1);
      this.counters.droppedMs += 1_000 / this.#fromHz;
    }
    this.#ring[(this.#head + this.#length) % this.#ring.length] = sample;
    this.#length += 1;
  }

  /** @param {number} count */
  #drop(count) {
    this.#head = (this.#head + count) % this.#ring.length;
    this.#length -= count;
  }
}

/**
 * @param {number} ms
 * @param {number} hz
 */
function samplesIn(ms, hz) {
  return Math.round((ms * hz) / 1_000);
}

/** @param {Float32Array} samples */
export function rms(samples) {
  let power = 0;
  for (const sample of samples) power += sample * sample;
  return samples.length === 0 ? 0 : Math.sqrt(power / samples.length);
}
