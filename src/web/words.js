/** What the page says, in plain words, about states, ends and mistakes. */

/** @typedef {{title: string, advice?: string, code?: string, about?: 'connection',
 *   passing?: boolean}} Notice good news is passing */

/** @type {Record<import('./call.js').Phase | 'listening' | 'muted' | 'thinking' | 'speaking', [string, string]>} */
const STATES = {
  idle: ['Ready', 'Press call, allow the microphone, and talk. You can interrupt at any time.'],
  connecting: ['Connecting', 'Waiting for the microphone and the server.'],
  live: ['Connected', 'Say hello.'],
  listening: ['Listening', 'Go ahead.'],
  muted: ['Muted', 'The bot cannot hear you. Unmute to talk, or type.'],
  thinking: ['Thinking', 'Preparing the answer.'],
  speaking: ['Speaking', 'Talk over it to interrupt.'],
  reconnecting: ['Reconnecting', 'The call waits for you. Nothing you say is heard meanwhile.'],
  ending: ['Hanging up', 'One moment.'],
  ended: ['Call ended', ''],
};

/** @type {Record<import('./microphone.js').MicrophoneProblem, Notice>} */
const MICROPHONE = {
  insecure: {
    title: 'The browser gives a microphone only to secure pages.',
    advice: 'Open this page as http://localhost on the machine itself, or start ringway with --tls self-signed and open it over https.',
  },
  refused: {
    title: 'The microphone is blocked for this page.',
    advice: 'Allow it with the icon beside the address, then call again. On a phone, look under the site’s permissions.',
  },
  missing: { title: 'No microphone was found.', advice: 'Plug one in or switch it on, then call again.' },
  busy: { title: 'The microphone is in use.', advice: 'Close the other program or tab that holds it, then call again.' },
  failed: { title: 'The microphone could not be opened.', advice: 'Reload the page and call again.' },
};

/** By the reason of `ended`. */
const ENDS = {
  caller: 'You hung up.',
  completed: 'The conversation is complete.',
  transferred: 'The bot transferred the call. A call from this page ends here.',
  silence: 'Nobody said anything for a while.',
  no_media: 'No audio arrived from your side.',
  max_duration: 'The call reached the maximum duration.',
  stage_failed: 'A stage failed and could not be restarted.',
  protocol: 'The server did not understand this page. Reload it.',
  slow_consumer: 'Your connection was too slow for live audio.',
  operator: 'An operator ended the call.',
  drain: 'The server is shutting down.',
  not_resumed: 'The connection was lost for too long.',
  no_answer: 'Nobody came for this call.',
  internal: 'The server ended the call because of an error of its own.',
};

/** By the code of an `error` that says more than its message would. */
const FAULTS = {
  capacity: { title: 'All lines are busy.', advice: 'Try again in a moment.' },
  unavailable: { title: 'The server cannot take calls now.', advice: 'A stage has no engine that works: see the stages, and the log.' },
  overload: { title: 'The server is overloaded.', advice: 'Try again in a moment.' },
  draining: { title: 'The server is shutting down and takes no new calls.', advice: 'Try again in a few minutes.' },
};

/** By the close code of a socket that ended without a word, https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const CLOSES = {
  1001: 'The server went away.',
  1006: 'The connection was lost.',
  1013: 'All lines are busy.',
};

/** @type {Record<'lost' | 'back', Notice>} */
const CONNECTION = {
  lost: { title: 'Connection lost, reconnecting.', advice: 'The call goes on where it was once the network is back.' },
  back: { title: 'Reconnected.', advice: 'The call goes on.', passing: true },
};

/** @param {keyof typeof CONNECTION} change */
export function connectionWords(change) {
  return { ...CONNECTION[change], about: 'connection' };
}

/** @param {keyof typeof STATES} name */
export function stateWords(name) {
  const [title, hint] = STATES[name];
  return { title, hint };
}

/** @param {string | undefined} reason of `ended`; its detail, if any, follows a colon */
export function endWords(reason) {
  if (reason === undefined) return '';
  const [kind] = reason.split(':');
  return ENDS[kind] ?? `The server ended the call: ${kind.replaceAll('_', ' ')}.`;
}

/**
 * @param {import('./call.js').Problem} problem
 * @returns {Notice}
 */
export function problemWords(problem) {
  switch (problem.kind) {
    case 'microphone':
      return MICROPHONE[problem.problem];
    case 'server':
      return faultWords(problem.fault);
    case 'lost':
      return lostWords(problem);
    case 'not resumed':
      return notResumedWords(problem.reason);
    default:
      return { title: 'This page made a mistake.', advice: 'Reload it and call again.', code: problem.error.message };
  }
}

/** @param {{code: number, opened: boolean, reachable: boolean}} problem */
function lostWords({ code, opened, reachable }) {
  if (!reachable) {
    const title = opened ? 'The server went down during the call.' : 'The server cannot be reached.';
    return { title, advice: 'Check that ringway is running and that this address is right, then call again.' };
  }
  if (!opened) {
    const title = 'The server refused the connection.';
    return { title, advice: 'Its log says why: the origin of this page, the token or a limit.', code: String(code) };
  }
  const title = CLOSES[code] ?? 'The server closed the connection.';
  return { title, advice: 'Check your network, then call again.', code: String(code) };
}

/** @param {string | undefined} reason */
function notResumedWords(reason) {
  const late = reason === 'not_resumed';
  const title = late ? 'The connection did not come back in time.' : 'The call ended while the connection was lost.';
  return { title, advice: 'Check your network, then call again.', about: 'connection' };
}

/** @param {import('./socket.js').Fault} fault */
function faultWords({ code, message, recoverable }) {
  if (FAULTS[code]) return { ...FAULTS[code], code };
  const title = recoverable ? 'The server could not use something this page sent.' : 'The server refused the call.';
  return { title, advice: message, code };
}
