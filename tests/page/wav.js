/** WAV files for the browser's fake microphone. */
import { readFileSync, writeFileSync } from 'node:fs';

const HEADER_BYTES = 44;

/**
 * Writes mono s16 samples as a WAV file.
 * @param {string} path
 * @param {Int16Array} samples
 * @param {number} sampleRate
 */
export function writeWav(path, samples, sampleRate) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0);
  header.writeUInt32LE(HEADER_BYTES - 8 + samples.byteLength, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(samples.byteLength, 40);
  writeFileSync(path, Buffer.concat([header, Buffer.from(samples.buffer)]));
}

/**
 * Reads a mono s16 WAV file.
 * @param {string} path
 * @returns {{samples: Int16Array, sampleRate: number}}
 */
export function readWav(path) {
  const file = readFileSync(path);
  let sampleRate = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = file.subarray(at + 8, at + 8 + size);
    if (name === 'fmt ') sampleRate = monoS16Rate(body, path);
    if (name === 'data') return { samples: new Int16Array(Uint8Array.from(body).buffer), sampleRate };
    at += 8 + size + (size % 2);
  }
  throw new Error(`${path}: no data chunk`);
}

/**
 * @param {Buffer} format body of the `fmt ` chunk
 * @param {string} path
 */
function monoS16Rate(format, path) {
  const [kind, channels, bits] = [format.readUInt16LE(0), format.readUInt16LE(2), format.readUInt16LE(14)];
  if (kind !== 1 || channels !== 1 || bits !== 16) throw new Error(`${path}: not mono s16`);
  return format.readUInt32LE(4);
}

/**
 * The browser repeats its fake microphone's file: silence around the words leaves room for the greeting and the answer.
 * @param {{samples: Int16Array, sampleRate: number}} spoken
 * @param {number} beforeMs
 * @param {number} afterMs
 */
export function padded({ samples, sampleRate }, beforeMs, afterMs) {
  const [before, after] = [beforeMs, afterMs].map((ms) => Math.round((ms * sampleRate) / 1_000));
  const whole = new Int16Array(before + samples.length + after);
  whole.set(samples, before);
  return { samples: whole, sampleRate };
}

/** Something like a voice, for a server that does not understand words: a buzz with a syllable's rhythm. */
export function babble(ms = 1_200, sampleRate = 16_000) {
  const samples = new Int16Array((ms * sampleRate) / 1_000).map((_, index) => {
    const seconds = index / sampleRate;
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 3.5 * seconds));
    const pitch = 2 * Math.PI * (140 + 20 * Math.sin(9 * seconds)) * seconds;
    let buzz = 0;
    for (let harmonic = 1; harmonic <= 20; harmonic++) buzz += Math.sin(harmonic * pitch) / harmonic;
    return 9_000 * syllable * buzz;
  });
  return { samples, sampleRate };
}

/**
 * One after the other.
 * @param {{samples: Int16Array, sampleRate: number}[]} parts of one rate
 */
export function joined(parts) {
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.samples.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part.samples, at);
    at += part.samples.length;
  }
  return { samples, sampleRate: parts[0].sampleRate };
}
