/**
 * One call, from the press of the button to its end: microphone, socket, codec and loudspeaker held together.
 *
 * Events: `phase` with a `Phase`; every event of the socket under its own type, and as `event`; `said` with the level of each frame
 * of the caller and `played` with each `Played` of the far side; `problem` with a `Problem`. After `phase` `ended`
 * nothing more comes. A call whose socket is lost is `reconnecting` for as long as the server waits for it, then `live` again.
 *
 * @typedef {'idle' | 'connecting' | 'live' | 'reconnecting' | 'ending' | 'ended'} Phase
 * @typedef {{kind: 'microphone', problem: import('./microphone.js').MicrophoneProblem}
 *   | {kind: 'server', fault: import('./socket.js').Fault}
 *   | {kind: 'lost', code: number, opened: boolean, reachable: boolean}
 *   | {kind: 'not resumed', reason: string | undefined}
 *   | {kind: 'internal', error: Error}} Problem
 */
import { CallSocket, NORMAL_CLOSURE } from './socket.js';
import { endReasonOf, health } from './server.js';
import { FRAME_HZ, createCodec } from './codec.js';
import { Microphone, MicrophoneError } from './microphone.js';
import { Reconnection } from './reconnection.js';
import { Speaker } from './speaker.js';

/** The server has this long to say `ended` after `stop`. */
const GOODBYE_MS = 3_000;
/** It has this long to let a lost client in again, before the next try. */
const ANSWER_MS = 5_000;

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
  /** How the call is resumed, if it can be. @type {{token: string, withinMs: number} | undefined} */
  #resumption;
  #callId = '';
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
    if (!this.#started || this.phase === 'reconnecting') return this.#end();
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

  /** @param {() => void} [heard] called when the server answers, or does not */
  async #openSocket(heard = () => {}) {
    const { codec, dialogue } = this.#wish;
    const token = this.#resumption?.token;
    const socket = new CallSocket(
      {
        event: (event) => [this.#hear(event), heard()],
        audio: (bytes) => this.#codec.decode(bytes),
        closed: (code) => [this.#closed(code), heard()],
      },
      token !== undefined,
    );
    this.#socket = socket;
    await socket.opened();
    this.#opened = true;
    socket.start({ codec, dialogue: token ? undefined : dialogue, sampleRate: FRAME_HZ, token });
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
    if (event.type === 'started') return this.#begin(event);
    if (event.type === 'clear') this.#clear();
    this.#emit('event', event);
    if (event.type === 'error') this.#blame(event);
    else this.#emit(event.type, event);
    if (event.type === 'ended') this.#end(event.reason);
    return undefined;
  }

  /**
   * The token stays here: whoever has it may speak and listen in this call.
   * @param {import('./socket.js').Started} started
   */
  #begin({ token, ...started }) {
    this.#started = true;
    this.#callId = started.callId;
    this.#resumption = token && { token, withinMs: started.resumeWithinMs };
    this.#codec.downHz = started.sampleRate;
    if (this.phase === 'reconnecting') this.#goOn();
    else if (this.phase === 'connecting') this.#enter('live');
    this.#emit('event', started);
    this.#emit('started', started);
  }

  /** Packets of before the loss are void; what was heard is not. */
  #goOn() {
    this.#codec.clear();
    this.#socket.mute(this.muted);
    this.#enter('live');
  }

  #clear() {
    this.#codec.clear();
    this.#speaker.clear();
  }

  /** @param {import('./socket.js').Fault} fault */
  #blame(fault) {
    if (this.phase === 'reconnecting') this.#refused(fault);
    else if (fault.recoverable) this.#emit('problem', { kind: 'server', fault });
    else this.#fail({ kind: 'server', fault });
  }

  /** @param {number} code */
  async #closed(code) {
    if (this.phase === 'ending') return this.#end();
    if (this.phase === 'ended' || this.phase === 'reconnecting') return undefined;
    if (this.#resumption && code !== NORMAL_CLOSURE) return this.#reconnect();
    const reachable = (await health()) !== undefined;
    return this.#fail({ kind: 'lost', code, opened: this.#opened, reachable });
  }

  /** The server waits: tries until it lets this client in again, the call is over, or the time is. */
  async #reconnect() {
    this.#enter('reconnecting');
    const reconnection = new Reconnection(this.#resumption.withinMs);
    while (this.#resumption && (await reconnection.next())) {
      if (this.phase !== 'reconnecting') return;
      await this.#tryAgain();
      if (this.phase !== 'reconnecting') return;
      this.#socket.abandon();
    }
    await this.#giveUp();
  }

  #tryAgain() {
    return new Promise((resolve) => {
      this.#openSocket(resolve);
      setTimeout(resolve, ANSWER_MS);
    });
  }

  /** A server that has no such call any more will not have it later; any other refusal may pass. */
  #refused({ code }) {
    if (code === 'unknown_session') this.#resumption = undefined;
  }

  async #giveUp() {
    const reason = (await endReasonOf(this.#callId)) ?? (this.#resumption ? 'not_resumed' : undefined);
    if (this.phase !== 'reconnecting') return;
    this.#emit('problem', { kind: 'not resumed', reason });
    this.#end(reason);
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
