/** The page: one panel for the call, and views that follow its events. Nothing here knows about audio or sockets. */
import { Call } from './call.js';
import { opusSupported } from './codec.js';
import { Keypad } from './keypad.js';
import { Latency } from './latency.js';
import { Meter } from './meter.js';
import { knownProblem } from './microphone.js';
import { Notices } from './notices.js';
import { Panel } from './panel.js';
import { EventLog } from './event-log.js';
import { Options } from './options.js';
import { CallRecord } from './record.js';
import { Header, info } from './server.js';
import { Stages } from './stages.js';
import { Tap } from './tap.js';
import { Transcript } from './transcript.js';
import { Waterfall } from './waterfall.js';
import { connectionWords, endWords, problemWords } from './words.js';

const byId = (/** @type {string} */ id) => document.getElementById(id);

const panel = new Panel(byId);
const notices = new Notices(byId('notices'));
const meter = new Meter(byId('ribbon'), byId('meter'));
const transcript = new Transcript({ lines: byId('lines'), spoken: byId('spoken'), empty: byId('lines-empty') });
const stages = new Stages(byId('stages'));
const latency = new Latency({
  turns: byId('turns'),
  empty: byId('turns-empty'),
  typical: byId('typical'),
  scale: byId('scale'),
  legend: byId('legend'),
});
const waterfall = new Waterfall({ picture: byId('waterfall'), empty: byId('waterfall-empty') });
const log = new EventLog({ list: byId('log'), count: byId('log-count') });
const record = new CallRecord({
  facts: byId('facts'),
  id: byId('call-id'),
  copy: byId('copy-id'),
  download: byId('download'),
});
const header = new Header(byId('server'));
const options = new Options(byId, () => inform(true));
const keypad = new Keypad(byId('keypad'), byId('keys'), (digit) => call?.dtmf(digit));

/** @type {Call | undefined} */
let call;

byId('options').addEventListener('submit', (event) => {
  event.preventDefault();
  if (!call || call.phase === 'ended') dial();
});
byId('mute').addEventListener('click', () => {
  call.mute(!call.muted);
  panel.muted(call.muted);
});
byId('interrupt').addEventListener('click', () => {
  if (panel.speaking) call.interrupt();
});
byId('typing').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = byId('typed').value.trim();
  if (text) call.type(text);
  byId('typed').value = '';
});
byId('hangup').addEventListener('click', () => call.hangUp());
addEventListener('pagehide', () => call?.hangUp());

greet();

function dial() {
  for (const view of [transcript, stages, latency, waterfall, log, record]) view.reset();
  notices.clear();
  keypad.open(false);
  call = new Call(options.wish());
  const tap = new Tap();
  globalThis.ringway = { played: tap };
  follow(call, tap);
  call.dial();
}

/**
 * @param {Call} current
 * @param {Tap} tap
 */
function follow(current, tap) {
  const on = (/** @type {string} */ type, /** @type {(detail: any) => void} */ view) =>
    current.addEventListener(type, ({ detail }) => view(detail));
  on('phase', (phase) => enter(current, phase));
  on('problem', (problem) => notices.show(problemWords(problem)));
  on('started', ({ resumed }) => resumed && back());
  on('event', (event) => log.add(event));
  on('state', (event) => panel.state(event.state));
  on('transcript', (event) => transcript.say('caller', event));
  on('bot', (event) => transcript.say('bot', event));
  on('clear', (event) => transcript.interrupt(event.turn));
  on('stage', (event) => stages.update(event));
  on('service', (event) => stages.served(event));
  on('latency', (event) => latency.add(event));
  on('tool', (event) => transcript.tool(event));
  for (const view of [waterfall, record]) on('started', (event) => view.follow(event));
  for (const type of ['latency', 'clear']) on(type, () => waterfall.update());
  on('bot', (event) => event.final && waterfall.update());
  for (const type of ['state', 'transcript', 'bot']) on(type, (event) => stages.follow(event));
  on('said', (level) => meter.level('caller', level));
  on('played', (played) => {
    meter.level('bot', played.rms);
    tap.record(played);
  });
}

/**
 * @param {Call} current
 * @param {import('./call.js').Phase} phase
 */
function enter(current, phase) {
  panel.phase(phase, endWords(current.endReason));
  if (phase === 'reconnecting') notices.show(connectionWords('lost'));
  if (phase === 'live') {
    meter.start();
    options.offerDevices();
  }
  if (phase !== 'ended') return;
  header.refresh();
  waterfall.update();
  meter.stop();
  keypad.open(false);
  stages.rest();
  transcript.finish();
}

/** The connection is there again, and with it the server. */
function back() {
  notices.show(connectionWords('back'));
  header.refresh();
}

/** Before any call: what this browser and the server can do. */
async function greet() {
  const problem = knownProblem();
  if (problem) notices.show(problemWords({ kind: 'microphone', problem }));
  options.offerOpus(await opusSupported());
  const answer = await header.refresh();
  for (const [stage, state] of Object.entries(answer?.engines ?? {})) stages.update({ stage, state, restarts: 0 });
  await inform(false);
  await options.offerDevices();
}

/**
 * What calls can be, from the server; it may ask for its token first.
 * @param {boolean} tried a token was entered
 */
async function inform(tried) {
  const answer = await info();
  if (answer === 'forbidden') return options.askForToken(tried ? 'wrong' : 'wanted');
  options.askForToken('not wanted');
  if (!answer) return undefined;
  options.offerDialogues(answer);
  return stages.name(answer.engines);
}
