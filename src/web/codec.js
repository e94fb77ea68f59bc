/**
 * The two codecs of the browser socket. Both take 20 ms frames of 16 kHz s16 and give Float32 samples; results come
 * by callback, since WebCodecs works in its own time.
 *
 * @typedef {object} CodecOutput
 * @property {(packet: ArrayBuffer) => void} packet ready for the socket
 * @property {(samples: Float32Array, sampleRate: number) => void} samples ready to be played
 * @property {(error: Error) => void} failed
 */

export const FRAME_HZ = 16_000;
const FRAME_US = 20_000;
/** Frames waiting in the encoder beyond this are dropped. */
const MOST_WAITING = 25;

const ENCODER = {
  codec: 'opus',
  sampleRate: FRAME_HZ,
  numberOfChannels: 1,
  bitrate: 24_000,
  opus: { frameDuration: FRAME_US, application: 'voip', signal: 'voice' },
};
const DECODER = { codec: 'opus', sampleRate: 48_000, numberOfChannels: 1 };

/** Whether this browser encodes and decodes Opus by itself. */
export async function opusSupported() {
  if (!('AudioEncoder' in globalThis && 'AudioDecoder' in globalThis)) return false;
  try {
    const [encoder, decoder] = await Promise.all([
      AudioEncoder.isConfigSupported(ENCODER),
      AudioDecoder.isConfigSupported(DECODER),
    ]);
    return encoder.supported === true && decoder.supported === true;
  } catch {
    return false;
  }
}

/**
 * @param {import('./socket.js').CodecName} name
 * @param {CodecOutput} output
 */
export function createCodec(name, output) {
  return name === 'opus' ? new Opus(output) : new Pcm16(output);
}

class Pcm16 {
  /** Rate of the audio that comes down; `started` tells it. */
  downHz = FRAME_HZ;
  #output;

  /** @param {CodecOutput} output */
  constructor(output) {
    this.#output = output;
  }

  /** @param {ArrayBuffer} frame */
  encode(frame) {
    this.#output.packet(frame);
  }

  /** @param {ArrayBuffer} bytes */
  decode(bytes) {
    const view = new DataView(bytes);
    const samples = new Float32Array(bytes.byteLength >> 1);
    for (let index = 0; index < samples.length; index++) samples[index] = view.getInt16(index * 2, true) / 32_768;
    this.#output.samples(samples, this.downHz);
  }

  clear() {}

  close() {}
}

class Opus {
  downHz = FRAME_HZ;
  #encoder;
  #decoder;
  #encodedUs = 0;
  #decodedUs = 0;

  /** @param {CodecOutput} output */
  constructor({ packet, samples, failed }) {
    this.#encoder = new AudioEncoder({ output: (chunk) => packet(bytesOf(chunk)), error: failed });
    this.#encoder.configure(ENCODER);
    this.#decoder = new AudioDecoder({ output: (audio) => play(audio, samples), error: failed });
    this.#decoder.configure(DECODER);
  }

  /** @param {ArrayBuffer} frame */
  encode(frame) {
    if (this.#encoder.state !== 'configured' || this.#encoder.encodeQueueSize > MOST_WAITING) return;
    const audio = new AudioData({
      format: 's16',
      sampleRate: FRAME_HZ,
      numberOfFrames: frame.byteLength / 2,
      numberOfChannels: 1,
      timestamp: this.#encodedUs,
      data: frame,
    });
    this.#encodedUs += FRAME_US;
    this.#encoder.encode(audio);
    audio.close();
  }

  /** @param {ArrayBuffer} bytes */
  decode(bytes) {
    if (this.#decoder.state !== 'configured') return;
    this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: this.#decodedUs, data: bytes }));
    this.#decodedUs += FRAME_US;
  }

  /** Forgets packets that are still being decoded. */
  clear() {
    if (this.#decoder.state !== 'configured') return;
    this.#decoder.reset();
    this.#decoder.configure(DECODER);
  }

  close() {
    for (const worker of [this.#encoder, this.#decoder]) if (worker.state !== 'closed') worker.close();
  }
}

/** @param {EncodedAudioChunk} chunk */
function bytesOf(chunk) {
  const bytes = new ArrayBuffer(chunk.byteLength);
  chunk.copyTo(bytes);
  return bytes;
}

/**
 * @param {AudioData} audio
 * @param {CodecOutput['samples']} samples
 */
function play(audio, samples) {
  const plane = new Float32Array(audio.numberOfFrames);
  audio.copyTo(plane, { planeIndex: 0, format: 'f32-planar' });
  samples(plane, audio.sampleRate);
  audio.close();
}
