/**
 * The browser socket `/voice-ws`: JSON control messages as text, one 20 ms frame or packet a binary message.
 *
 * @typedef {'vad' | 'stt' | 'llm' | 'tts' | 's2s'} StageName
 * @typedef {'pcm16' | 'opus'} CodecName
 * @typedef {{type: 'started', sessionId: string, callId: string, codec: CodecName, sampleRate: number, token?: string,
 *   resumeWithinMs?: number, resumed?: boolean}} Started with a token where the call waits for a client that is lost
 * @typedef {{type: 'state', state: 'listening' | 'thinking' | 'speaking'}} State
 * @typedef {{type: 'transcript', turn: number, text: string, final: boolean}} Transcript what the caller said
 * @typedef {{type: 'bot', turn: number, text: string, final: boolean}} Bot what of the answer has been heard so far
 * @typedef {{type: 'clear', turn: number}} Clear the audio still buffered is void
 * @typedef {{type: 'stage', stage: StageName, state: string, restarts: number}} Stage
 * @typedef {{type: 'service', stage: StageName, from: string, to: string, cause: string}} Service another one serves
 * @typedef {{type: 'language', turn: number, language: string}} Language the call is in it
 * @typedef {{type: 'late', turn: number, stage: StageName}} Late it keeps the caller waiting
 * @typedef {{type: 'latency', turn: number, answerMs: number, endOfTurnMs: number, sttMs: number, llmMs: number,
 *   ttsMs: number, playoutMs: number, toolsMs?: number, rebuildMs?: number}} Latency
 * @typedef {{type: 'tool', turn: number, tool: string, outcome: string, afterMs: number, arguments?: string}} Tool
 * @typedef {{type: 'error', code: string, message: string, sessionId?: string, recoverable: boolean}} Fault
 * @typedef {{type: 'ended', reason: string}} Ended
 * @typedef {Started | State | Transcript | Bot | Clear | Stage | Service | Language | Late | Latency | Tool | Fault |
 *   Ended} ServerEvent
 *
 * @typedef {object} SocketHandler
 * @property {(event: ServerEvent) => void} event
 * @property {(bytes: ArrayBuffer) => void} audio
 * @property {(code: number, reason: string) => void} closed
 */

/** Audio waiting to be sent beyond this is dropped: one second of pcm16 at 16 kHz. */
const MOST_UNSENT_BYTES = 32_000;
export const NORMAL_CLOSURE = 1000;

export class CallSocket {
  /** Frames not sent because the network did not keep up. */
  droppedFrames = 0;
  #socket;

  /**
   * @param {SocketHandler} handler
   * @param {boolean} resume it comes for a call in progress
   */
  constructor(handler, resume) {
    this.#socket = new WebSocket(voiceUrl(resume));
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.onmessage = ({ data }) => deliver(data, handler);
    this.#socket.onclose = ({ code, reason }) => handler.closed(code, reason);
  }

  /** @returns {Promise<void>} settles when the socket is open; a refusal comes as `closed` */
  opened() {
    return new Promise((resolve) => this.#socket.addEventListener('open', () => resolve(), { once: true }));
  }

  /**
   * @param {{codec: CodecName, sampleRate: number, dialogue?: string, token?: string}} wish the server's dialogue where none
   *   is named; with a token the call of which it is. Either way the call is to wait when the network fails.
   */
  start({ codec, sampleRate, dialogue, token }) {
    this.#send({ type: 'start', codec, sampleRate, dialogue, token, resume: true });
  }

  /** @param {string} text */
  type(text) {
    this.#send({ type: 'text', text });
  }

  /** @param {boolean} muted */
  mute(muted) {
    this.#send({ type: 'mute', muted });
  }

  /** @param {string} digit one of 0-9, * and # */
  dtmf(digit) {
    this.#send({ type: 'dtmf', digit });
  }

  interrupt() {
    this.#send({ type: 'interrupt' });
  }

  stop() {
    this.#send({ type: 'stop' });
  }

  /** @param {ArrayBuffer} bytes one frame or packet */
  audio(bytes) {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount > MOST_UNSENT_BYTES) this.droppedFrames += 1;
    else this.#socket.send(bytes);
  }

  close() {
    this.#socket.close(NORMAL_CLOSURE);
  }

  /** Closes it, and tells nothing more of it. */
  abandon() {
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.close();
  }

  /** @param {object} message */
  #send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }
}

/** The socket of this page's own origin. @param {boolean} resume */
function voiceUrl(resume) {
  const url = new URL(resume ? '/voice-ws?resume' : '/voice-ws', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/**
 * @param {string | ArrayBuffer} data
 * @param {SocketHandler} handler
 */
function deliver(data, handler) {
  if (typeof data === 'string') handler.event(JSON.parse(data));
  else handler.audio(data);
}
