/** The microphone: permission, and 20 ms frames of 16 kHz s16. */

/** @typedef {'insecure' | 'refused' | 'missing' | 'busy' | 'failed'} MicrophoneProblem */

/** What the browser's own processing is asked for: the bot must not hear itself. */
const WISH = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** By DOMException name, https://w3c.github.io/mediacapture-main/#dom-mediadevices-getusermedia */
const PROBLEMS = new Map([
  ['NotAllowedError', 'refused'],
  ['SecurityError', 'refused'],
  ['NotFoundError', 'missing'],
  ['OverconstrainedError', 'missing'],
  ['NotReadableError', 'busy'],
  ['AbortError', 'busy'],
]);

export class MicrophoneError extends Error {
  /**
   * @param {MicrophoneProblem} problem
   * @param {unknown} [cause]
   */
  constructor(problem, cause) {
    super(`microphone: ${problem}`, { cause });
    this.problem = problem;
  }
}

/** What already stands in the way before anybody is asked, or `undefined`. */
export function knownProblem() {
  if (!isSecureContext) return 'insecure';
  return navigator.mediaDevices?.getUserMedia ? undefined : 'missing';
}

export class Microphone {
  #stream;
  #nodes;

  /**
   * Asks for the microphone. Throws a `MicrophoneError`.
   * @param {AudioContext} context
   * @param {(frame: ArrayBuffer) => void} onFrame
   * @param {string} [device] its id; the system's default where there is none
   */
  static async open(context, onFrame, device) {
    const stream = await ask(device);
    try {
      await context.audioWorklet.addModule(new URL('./capture-worklet.js', import.meta.url));
      return new Microphone(context, stream, onFrame);
    } catch (error) {
      stop(stream);
      throw error;
    }
  }

  /**
   * @param {AudioContext} context
   * @param {MediaStream} stream
   * @param {(frame: ArrayBuffer) => void} onFrame
   */
  constructor(context, stream, onFrame) {
    const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    const capture = new AudioWorkletNode(context, 'capture', { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }) => onFrame(data);
    source.connect(capture);
    this.#stream = stream;
    this.#nodes = [source, capture];
  }

  /** @param {() => void} lost called when the device goes away */
  onLost(lost) {
    for (const track of this.#stream.getTracks()) track.onended = lost;
  }

  /** @param {boolean} muted */
  mute(muted) {
    for (const track of this.#stream.getTracks()) track.enabled = !muted;
  }

  close() {
    for (const node of this.#nodes) node.disconnect();
    stop(this.#stream);
  }
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** @param {string} [device] */
async function ask(device) {
  const known = knownProblem();
  if (known) throw new MicrophoneError(known);
  try {
    const audio = device ? { ...WISH, deviceId: { exact: device } } : WISH;
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new MicrophoneError(PROBLEMS.get(error.name) ?? 'failed', error);
  }
}
