/**
 * One call, from the press of the button to its end: microphone, socket, codec and loudspeaker held together.
 *
 * Events: `phase` with a `Phase`; every event of the socket under its own type, and as `event`; `said` with the level of each frame
 * of the caller and `played` with each `Played` of the far side; `problem` with a `Problem`. After `phase` `ended`
 * nothing more comes.
 *
 * @typedef {'idle' | 'connecting' | 'live' | 'ending' | 'ended'} Phase
 * @typedef {{kind: 'microphone', problem: import('./microphone.js').MicrophoneProblem}
 *   | {kind: 'server', fault: import('./socket.js').Fault}
 *   | {kind: 'lost', code: number, opened: boolean, reachable: boolean}
 *   | {kind: 'internal', error: Error}} Problem
 */
import { CallSocket } from './socket.js';
import { health } from './server.js';
import { FRAME_HZ, createCodec } from './codec.js';
import { Microphone, MicrophoneError } from './microphone.js';
import { Speaker } from './speaker.js';

/** The server has this long to say `ended` after `stop`. */
const GOODBYE_MS = 3_000;

export class Call extends EventTarget {
  /** @type {Phase} */
  phase = 'idle';
  muted = false;
  /** Reason the server gave for the end, if it gave one. */
  endReason;

  #wish;
  #context;
  #microphone;
  #speaker;
  #socket;
  #codec;
  #started = false;
  #opened = false;

  /**
   * @param {{dialogue?: string, codec: import('./socket.js').CodecName, microphone?: string, speaker?: string}} wish
   *   devices by their ids; those of the system where there is none
   */
  constructor(wish) {
    super();
    this.#wish = wish;
  }

  /** Must be called from a key press or click, else the browser plays no audio. */
  async dial() {
    this.#enter('connecting');
    try {
      await this.#openAudio();
      if (this.phase === 'connecting') await this.#openSocket();
    } catch (error) {
      const known = error instanceof MicrophoneError;
      this.#fail(known ? { kind: 'microphone', problem: error.problem } : { kind: 'internal', error });
    }
    if (this.phase === 'ended') this.#release();
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.muted = muted;
    this.#microphone?.mute(muted);
    this.#socket?.mute(muted);
  }

  /** @param {string} digit */
  dtmf(digit) {
    this.#socket?.dtmf(digit);
  }

  interrupt() {
    this.#socket?.interrupt();
  }

  /** What the caller typed in place of talking. @param {string} text */
  type(text) {
    this.#socket?.type(text);
  }

  hangUp() {
    if (!this.#started) return this.#end();
    if (this.phase !== 'live') return undefined;
    this.#enter('ending');
    this.#socket.stop();
    this.#microphone.close();
    this.#speaker.clear();
    setTimeout(() => this.#end(), GOODBYE_MS);
    return undefined;
  }

  async #openAudio() {
    this.#context = new AudioContext({ latencyHint: 'interactive' });
    if (this.#wish.speaker) await this.#context.setSinkId(this.#wish.speaker);
    this.#codec = createCodec(this.#wish.codec, {
      packet: (packet) => this.#send(packet),
      samples: (samples, hz) => this.#speaker?.play(samples, hz),
      failed: (error) => this.#fail({ kind: 'internal', error }),
    });
    this.#microphone = await Microphone.open(this.#context, (frame) => this.#say(frame), this.#wish.microphone);
    this.#microphone.onLost(() => this.#fail({ kind: 'microphone', problem: 'missing' }));
    this.#speaker = await Speaker.open(this.#context, (played) => this.#emit('played', played));
    await this.#context.resume();
  }

  async #openSocket() {
    this.#socket = new CallSocket({
      event: (event) => this.#hear(event),
      audio: (bytes) => this.#codec.decode(bytes),
      closed: (code) => this.#closed(code),
    });
    await this.#socket.opened();
    this.#opened = true;
    const { codec, dialogue } = this.#wish;
    this.#socket.start({ codec, dialogue, sampleRate: FRAME_HZ });
  }

  /** @param {ArrayBuffer} frame */
  #say(frame) {
    if (this.phase !== 'live' || this.muted) return this.#emit('said', 0);
    this.#emit('said', level(frame));
    return this.#codec.encode(frame);
  }

  /** An encoder may finish after the caller was muted; that packet stays here too. @param {ArrayBuffer} packet */
  #send(packet) {
    if (this.phase === 'live' && !this.muted) this.#socket.audio(packet);
  }

  /** @param {import('./socket.js').ServerEvent} event */
  #hear(event) {
    if (event.type === 'started') this.#begin(event);
    if (event.type === 'clear') this.#clear();
    this.#emit('event', event);
    if (event.type === 'error') this.#blame(event);
    else this.#emit(event.type, event);
    if (event.type === 'ended') this.#end(event.reason);
  }

  /** @param {import('./socket.js').Started} started */
  #begin({ sampleRate }) {
    this.#started = true;
    this.#codec.downHz = sampleRate;
    if (this.phase === 'connecting') this.#enter('live');
  }

  #clear() {
    this.#codec.clear();
    this.#speaker.clear();
  }

  /** @param {import('./socket.js').Fault} fault */
  #blame(fault) {
    if (fault.recoverable) this.#emit('problem', { kind: 'server', fault });
    else this.#fail({ kind: 'server', fault });
  }

  /** @param {number} code */
  async #closed(code) {
    if (this.phase === 'ending') return this.#end();
    if (this.phase === 'ended') return undefined;
    const reachable = (await health()) !== undefined;
    return this.#fail({ kind: 'lost', code, opened: this.#opened, reachable });
  }

  /** @param {Problem} problem */
  #fail(problem) {
    if (this.phase === 'ended') return;
    this.#emit('problem', problem);
    this.#end();
  }

  /** @param {string} [reason] */
  #end(reason) {
    if (this.phase === 'ended') return;
    this.endReason = reason;
    this.#enter('ended');
    this.#release();
  }

  /** Lets go of everything; the last words still buffered are played out first. */
  async #release() {
    this.#microphone?.close();
    this.#codec?.close();
    this.#socket?.close();
    await this.#speaker?.drained();
    if (this.#context && this.#context.state !== 'closed') await this.#context.close();
  }

  /** @param {Phase} phase */
  #enter(phase) {
    this.phase = phase;
    this.#emit('phase', phase);
  }

  /**
   * @param {string} type
   * @param {unknown} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * RMS of a frame, 1 being full scale.
 * @param {ArrayBuffer} frame
 */
function level(frame) {
  const view = new DataView(frame);
  let power = 0;
  for (let at = 0; at < frame.byteLength; at += 2) power += (view.getInt16(at, true) / 32_768) ** 2;
  return Math.sqrt(power / (frame.byteLength / 2));
}
