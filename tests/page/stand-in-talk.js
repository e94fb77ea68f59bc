/** One call of the stand-in server. */

/** @typedef {(talk: Talk) => void} Script */

const TOKEN = 'secret-of-s-1';

const FRAME_MS = 20;
const FRAME_BYTES = 640;
const LEAD_FRAMES = 3;
const TONE_HZ = 440;
/** RMS of -40 dBFS in s16. */
const LOUD = 32_768 * 10 ** (-40 / 20);
const LOUD_FRAMES_OF_A_TURN = 10;
const QUIET_FRAMES_AT_THE_END = 15;
const ANSWER = ['Thank you.', 'Which day suits you,', 'and at what time', 'shall we expect you?'];
const FRAMES_A_CLAUSE = 30;
/** Opus packets that make a turn, since the stand-in cannot hear in them. */
const PACKETS_OF_A_TURN = 100;

export class Talk {
  /** Text messages of the page, in order. @type {any[]} */
  received = [];
  /** What the page did against the protocol. @type {string[]} */
  violations = [];
  frames = 0;

  #socket;
  #scenario;
  #codec = '';
  #muted = false;
  #turn = 0;
  #loud = 0;
  #quiet = 0;
  /** @type {Buffer[]} */
  #packets = [];
  #timer;

  /**
   * @param {import('ws').WebSocket} socket
   * @param {import('./stand-in.js').Scenario} scenario
   */
  constructor(socket, scenario) {
    this.#socket = socket;
    this.#scenario = scenario;
    socket.on('message', (data, binary) => (binary ? this.#hear(data) : this.#obey(JSON.parse(data.toString()))));
    socket.on('close', () => clearInterval(this.#timer));
    scenario.onOpen?.(this);
  }

  /** @param {object} event */
  send(event) {
    this.#socket.send(JSON.stringify(event));
  }

  /** Sends so much of the tone at once, further ahead than a server does. @param {number} ms */
  flood(ms) {
    for (const frame of tone(ms / FRAME_MS)) this.#socket.send(frame);
  }

  /** @param {string} reason */
  end(reason) {
    this.send({ type: 'ended', reason });
    this.close(1000);
  }

  /** @param {number} code */
  close(code) {
    this.#socket.close(code);
  }

  /** Ends the connection as a crash would. */
  crash() {
    this.#socket.terminate();
  }

  /** @param {any} message */
  #obey(message) {
    this.received.push(message);
    switch (message.type) {
      case 'start':
        return this.#start(message);
      case 'mute':
        this.#muted = message.muted;
        return undefined;
      case 'interrupt':
        return this.#interrupt();
      case 'stop':
        return this.end('caller');
      default:
        return undefined;
    }
  }

  /** @param {{codec: string, sampleRate: number, dialogue?: string, token?: string}} start */
  #start({ codec, sampleRate, dialogue, token }) {
    if (this.received.length !== 1) this.violations.push('start is not first');
    const known = this.#scenario.info?.dialogues ?? ['booking', 'echo'];
    if (dialogue !== undefined && !known.includes(dialogue)) this.violations.push(`dialogue ${dialogue}`);
    this.#codec = codec;
    const { resumeWithinMs, forgotten } = this.#scenario;
    if (token && (token !== TOKEN || forgotten)) return this.#forget();
    const resumption = resumeWithinMs && { token: TOKEN, resumeWithinMs };
    this.send({ type: 'started', sessionId: 's-1', callId: 'c-1', codec, sampleRate, ...resumption, resumed: Boolean(token) });
    if (token) return undefined;
    if (this.#scenario.onStart) return this.#scenario.onStart(this);
    for (const stage of ['vad', 'stt', 'llm', 'tts']) this.send({ type: 'stage', stage, state: 'ready', restarts: 0 });
    return this.#listen();
  }

  #forget() {
    this.send({ type: 'error', code: 'unknown_session', message: 'no such call', sessionId: null, recoverable: false });
    this.close(1008);
  }

  /** @param {Buffer} bytes */
  #hear(bytes) {
    this.frames += 1;
    if (this.#codec === '') this.violations.push('audio before start');
    if (this.#muted) this.violations.push('audio while muted');
    if (this.#codec === 'pcm16' && bytes.length !== FRAME_BYTES) this.violations.push(`frame of ${bytes.length} bytes`);
    if (this.#scenario.onStart || this.#scenario.onOpen) return;
    if (this.#codec === 'opus') this.#collect(bytes);
    else this.#measure(bytes);
  }

  /** @param {Buffer} packet */
  #collect(packet) {
    this.#packets.push(packet);
    if (this.#packets.length % PACKETS_OF_A_TURN !== 0) return;
    this.#hearWords(true);
    this.#answer(this.#packets.splice(0));
  }

  /** @param {Buffer} frame */
  #measure(frame) {
    const loud = rms(frame) > LOUD;
    this.#quiet = loud ? 0 : this.#quiet + 1;
    if (loud && ++this.#loud === LOUD_FRAMES_OF_A_TURN) this.#hearWords(false);
    if (this.#loud < LOUD_FRAMES_OF_A_TURN || this.#quiet < QUIET_FRAMES_AT_THE_END) return;
    this.#hearWords(true);
    this.#answer(tone(ANSWER.length * FRAMES_A_CLAUSE));
    this.#loud = 0;
  }

  /** @param {boolean} final */
  #hearWords(final) {
    if (this.#turn % 2 === 0) this.#turn += 1;
    const text = final ? 'I would like an appointment on Tuesday' : 'I would like';
    this.send({ type: 'transcript', turn: this.#turn, text, final });
    if (final) this.send({ type: 'state', state: 'thinking' });
  }

  /** @param {Buffer[]} frames */
  #answer(frames) {
    this.#turn += 1;
    const turn = this.#turn;
    const started = performance.now();
    let sent = 0;
    this.send({ type: 'state', state: 'speaking' });
    this.send({ type: 'latency', turn, ...latency(turn) });
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      const due = Math.min(frames.length, LEAD_FRAMES + (performance.now() - started) / FRAME_MS);
      while (sent < due) this.#play(turn, frames, sent++);
    }, FRAME_MS / 2);
  }

  /**
   * @param {number} turn
   * @param {Buffer[]} frames
   * @param {number} index
   */
  #play(turn, frames, index) {
    this.#socket.send(frames[index]);
    const heard = Math.ceil((index + 1) / FRAMES_A_CLAUSE);
    const final = index === frames.length - 1;
    if (index % FRAMES_A_CLAUSE === 0 || final) {
      this.send({ type: 'bot', turn, text: ANSWER.slice(0, heard).join(' '), final });
    }
    if (final) this.#listen();
  }

  #interrupt() {
    this.send({ type: 'clear', turn: this.#turn });
    this.#listen();
  }

  #listen() {
    clearInterval(this.#timer);
    this.send({ type: 'state', state: 'listening' });
  }
}

/** @param {Buffer} frame s16 little-endian */
function rms(frame) {
  let power = 0;
  for (let at = 0; at + 1 < frame.length; at += 2) power += frame.readInt16LE(at) ** 2;
  return Math.sqrt(power / (frame.length / 2));
}

/** @param {number} count frames */
function tone(count) {
  return Array.from({ length: count }, (_, frame) => {
    const bytes = Buffer.alloc(FRAME_BYTES);
    for (let index = 0; index < FRAME_BYTES / 2; index++) {
      const seconds = (frame * FRAME_BYTES) / 2 / 16_000 + index / 16_000;
      const swell = 0.6 + 0.4 * Math.sin(2 * Math.PI * 2.5 * seconds);
      bytes.writeInt16LE(Math.round(9_000 * swell * Math.sin(2 * Math.PI * TONE_HZ * seconds)), index * 2);
    }
    return bytes;
  });
}

/** @param {number} turn */
function latency(turn) {
  const parts = { endOfTurnMs: 200, sttMs: 90 + (turn * 37) % 120, llmMs: 30 + (turn * 53) % 90, ttsMs: 60, playoutMs: 20 };
  return { answerMs: Object.values(parts).reduce((sum, part) => sum + part), ...parts };
}
