/**
 * Sample-rate conversion by a windowed-sinc kernel read at fractional positions, as in J. O. Smith,
 * "Digital Audio Resampling" (https://ccrma.stanford.edu/~jos/resample/). The step may change from one read to
 * the next, which lets the playback follow the clock of the far side. Nothing is allocated after construction.
 */

/** Zero crossings of the sinc on each side: 24 give about 80 dB with the window below. */
const ZERO_CROSSINGS = 24;
/** Points of the kernel table between two zero crossings; read with linear interpolation. */
const POINTS_PER_CROSSING = 256;
/** The pass band as a part of the smaller Nyquist frequency; the rest is the filter's slope. */
const PASS_BAND = 0.93;
/** Kaiser window shape. */
const KAISER_BETA = 8;

const KERNEL = kernelTable();

export class Resampler {
  /** The first input sample that is kept, and how many are. */
  #kept;
  #length = 0;
  /** Where in `#kept` the next output sample lies. */
  #position;
  #step;
  #scale;
  /** Reach of the kernel in input samples. */
  #reach;

  /**
   * @param {number} fromHz
   * @param {number} toHz
   * @param {number} [capacity] most input samples held at once
   */
  constructor(fromHz, toHz, capacity = 8_192) {
    this.#step = fromHz / toHz;
    this.#scale = Math.min(1, toHz / fromHz) * PASS_BAND;
    this.#reach = Math.ceil(ZERO_CROSSINGS / this.#scale);
    this.#kept = new Float32Array(capacity + 2 * this.#reach);
    this.reset();
  }

  /** Forgets all input. */
  reset() {
    this.#length = this.#reach;
    this.#position = this.#reach;
    this.#kept.fill(0, 0, this.#length);
  }

  /**
   * Input samples still wanted before `count` output samples can be read.
   * @param {number} count
   * @param {number} [trim] relative change of speed, as for `read`
   */
  wanted(count, trim = 0) {
    const last = this.#position + (count - 1) * this.#step * (1 + trim);
    return Math.max(0, Math.floor(last) + this.#reach + 1 - this.#length);
  }

  /**
   * Takes input; what does not fit is left out.
   * @param {Float32Array} samples
   */
  write(samples) {
    this.#forget();
    const room = this.#kept.length - this.#length;
    const taken = samples.length > room ? samples.subarray(0, room) : samples;
    this.#kept.set(taken, this.#length);
    this.#length += taken.length;
  }

  /**
   * Fills `output` as far as the input reaches.
   * @param {Float32Array} output
   * @param {number} [trim] relative change of speed: 0.005 plays half a per cent faster
   * @returns {number} samples written
   */
  read(output, trim = 0) {
    const step = this.#step * (1 + trim);
    let written = 0;
    while (written < output.length && Math.floor(this.#position) + this.#reach < this.#length) {
      output[written++] = this.#sampleAt(this.#position);
      this.#position += step;
    }
    return written;
  }

  /** @param {number} position */
  #sampleAt(position) {
    const first = Math.ceil(position) - this.#reach;
    const last = Math.floor(position) + this.#reach;
    const stride = this.#scale * POINTS_PER_CROSSING;
    let sum = 0;
    for (let index = Math.max(first, 0); index <= last; index++) {
      const point = Math.abs(index - position) * stride;
      const below = point | 0;
      if (below >= KERNEL.length - 1) continue;
      const weight = KERNEL[below] + (KERNEL[below + 1] - KERNEL[below]) * (point - below);
      sum += weight * this.#kept[index];
    }
    return sum * this.#scale;
  }

  /** Drops the input that no output sample needs any more. */
  #forget() {
    const spent = Math.min(Math.floor(this.#position) - this.#reach, this.#length);
    if (spent <= 0) return;
    this.#kept.copyWithin(0, spent, this.#length);
    this.#length -= spent;
    this.#position -= spent;
  }
}

/** Half of the symmetric kernel: sinc under a Kaiser window. */
function kernelTable() {
  const table = new Float32Array(ZERO_CROSSINGS * POINTS_PER_CROSSING + 1);
  const edge = bessel0(KAISER_BETA);
  for (let point = 0; point < table.length; point++) {
    const x = point / POINTS_PER_CROSSING;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    const window = bessel0(KAISER_BETA * Math.sqrt(1 - (x / ZERO_CROSSINGS) ** 2)) / edge;
    table[point] = sinc * window;
  }
  return table;
}

/**
 * Modified Bessel function of the first kind, order 0, by its power series.
 * @param {number} x
 */
function bessel0(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
