/** The arithmetic of the page's audio, without a browser: sample rates and the jitter buffer, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BOUND_MS, JitterBuffer, TARGET_MS, rms } from '../../src/web/jitter-buffer.js';
import { Resampler } from '../../src/web/resampler.js';

const BLOCK = 128;

for (const [fromHz, toHz] of [[48_000, 16_000], [44_100, 16_000], [16_000, 48_000], [16_000, 44_100]]) {
  test(`a tone of 1 kHz goes from ${fromHz} to ${toHz} Hz unharmed`, () => {
    const output = resampled(tone(1_000, fromHz, 1), fromHz, toHz);
    assert.ok(Math.abs(output.length - toHz) < 200, `${output.length} samples a second`);
    const settled = output.subarray(500, output.length - 500);
    assert.ok(noiseBelowTone(settled, 1_000, toHz) > 70, `${noiseBelowTone(settled, 1_000, toHz)} dB`);
    assert.ok(Math.abs(rms(settled) - Math.SQRT1_2) < 0.002, `rms ${rms(settled)}`);
  });
}

test('what 16 kHz cannot carry is filtered out, not folded', () => {
  const output = resampled(tone(11_000, 48_000, 1), 48_000, 16_000).subarray(500, 15_000);
  assert.ok(rms(output) < 0.0005, `rms ${rms(output)}`);
});

test('nothing plays before 40 ms are there, then everything does', () => {
  const buffer = new JitterBuffer(16_000, 48_000);
  buffer.write(tone(440, 16_000, 0.02));
  assert.equal(buffer.read(new Float32Array(BLOCK)), false);
  buffer.write(tone(440, 16_000, 0.02));
  assert.equal(buffer.read(new Float32Array(BLOCK)), true);
});

test('an utterance shorter than 40 ms is played all the same', () => {
  const buffer = new JitterBuffer(16_000, 48_000);
  buffer.write(tone(440, 16_000, 0.02));
  assert.ok(rms(playFor(buffer, 48_000, 100)) > 0.1);
});

test('a far clock that runs fast never makes the delay grow', () => {
  const { depths } = converse({ clockError: 0.002, seconds: 120 });
  assert.ok(Math.max(...depths.slice(-1_000)) < 3 * TARGET_MS, `deepest ${Math.max(...depths.slice(-1_000))} ms`);
});

test('a far clock that runs slow never runs the buffer dry', () => {
  const { buffer } = converse({ clockError: -0.002, seconds: 120 });
  assert.equal(buffer.counters.gaps, 0);
});

test('a stall is a counted gap, and the burst after it stays within the bound', () => {
  const buffer = new JitterBuffer(16_000, 48_000);
  buffer.write(tone(440, 16_000, 0.1));
  playFor(buffer, 48_000, 400);
  buffer.write(tone(440, 16_000, 2));
  assert.equal(buffer.counters.gaps, 1);
  assert.ok(Math.abs(buffer.depthMs - BOUND_MS) < 1);
  assert.ok(Math.abs(buffer.counters.droppedMs - BOUND_MS) < 1);
});

test('an overfull buffer skips silence and keeps speech', () => {
  const buffer = new JitterBuffer(16_000, 48_000);
  buffer.write(tone(440, 16_000, 0.3));
  buffer.write(new Float32Array(320));
  buffer.write(tone(440, 16_000, 0.02));
  assert.equal(Math.round(buffer.counters.skippedMs), 20);
  assert.equal(Math.round(buffer.depthMs), 320);
});

test('clear fades out within 10 ms and the next utterance starts whole', () => {
  const buffer = new JitterBuffer(16_000, 48_000);
  buffer.write(tone(440, 16_000, 0.5));
  playFor(buffer, 48_000, 100);
  buffer.clear();
  playFor(buffer, 48_000, 10);
  assert.equal(rms(playFor(buffer, 48_000, 20)), 0);
  assert.equal(buffer.depthMs, 0);
  buffer.write(tone(440, 16_000, 0.1));
  assert.ok(rms(playFor(buffer, 48_000, 60)) > 0.5);
  assert.equal(buffer.counters.gaps, 0);
});

test('no start, clear or end makes a click', () => {
  const buffer = new JitterBuffer(16_000, 48_000);
  buffer.write(tone(440, 16_000, 0.5));
  const start = playFor(buffer, 48_000, 100);
  buffer.clear();
  const whole = Float32Array.of(...start, ...playFor(buffer, 48_000, 30));
  const steepest = (2 * Math.PI * 440) / 48_000;
  for (let index = 1; index < whole.length; index++) {
    const step = Math.abs(whole[index] - whole[index - 1]);
    assert.ok(step < steepest * 1.2, `step of ${step} at sample ${index}`);
  }
});

/**
 * Plays one long utterance that arrives as the server sends it: 60 ms ahead, a frame each 20 ms of the far clock.
 * @param {{clockError: number, seconds: number}} course
 */
function converse({ clockError, seconds }) {
  const buffer = new JitterBuffer(16_000, 48_000);
  const frame = tone(440, 16_000, 0.02);
  const block = new Float32Array(BLOCK);
  const depths = [];
  let sent = 0;
  for (let played = 0; played < seconds * 48_000; played += BLOCK) {
    const due = 3 + (played / 48_000 / 0.02) * (1 + clockError);
    for (; sent < due; sent++) buffer.write(frame);
    buffer.read(block);
    depths.push(buffer.depthMs);
  }
  return { buffer, depths };
}

/**
 * @param {JitterBuffer} buffer
 * @param {number} hz
 * @param {number} ms
 */
function playFor(buffer, hz, ms) {
  const output = new Float32Array(Math.ceil((hz * ms) / 1_000 / BLOCK) * BLOCK);
  for (let at = 0; at < output.length; at += BLOCK) buffer.read(output.subarray(at, at + BLOCK));
  return output;
}

/**
 * @param {Float32Array} input
 * @param {number} fromHz
 * @param {number} toHz
 */
function resampled(input, fromHz, toHz) {
  const resampler = new Resampler(fromHz, toHz);
  const output = new Float32Array(Math.ceil((input.length * toHz) / fromHz) + BLOCK);
  let written = 0;
  for (let at = 0; at < input.length; at += BLOCK) {
    resampler.write(input.subarray(at, at + BLOCK));
    written += resampler.read(output.subarray(written));
  }
  return output.subarray(0, written);
}

/**
 * @param {number} hz
 * @param {number} sampleRate
 * @param {number} seconds
 */
function tone(hz, sampleRate, seconds) {
  return new Float32Array(sampleRate * seconds).map((_, index) => Math.sin((2 * Math.PI * hz * index) / sampleRate));
}

/**
 * Everything but the tone, in decibels below it: what a least-squares fit of a sine at `hz` leaves over.
 * @param {Float32Array} samples
 * @param {number} hz
 * @param {number} sampleRate
 */
function noiseBelowTone(samples, hz, sampleRate) {
  const whole = samples.subarray(0, Math.floor((samples.length * hz) / sampleRate) * (sampleRate / hz));
  const phase = (/** @type {number} */ index) => (2 * Math.PI * hz * index) / sampleRate;
  const along = (/** @type {(angle: number) => number} */ wave) =>
    (2 / whole.length) * whole.reduce((sum, sample, index) => sum + sample * wave(phase(index)), 0);
  const [sine, cosine] = [along(Math.sin), along(Math.cos)];
  const rest = whole.map((sample, index) => sample - sine * Math.sin(phase(index)) - cosine * Math.cos(phase(index)));
  return 20 * Math.log10(rms(whole) / rms(rest));
}
