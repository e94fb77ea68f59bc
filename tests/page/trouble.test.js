/** What the page does with what a healthy server never shows; always against the stand-in server. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, launchSpeaking, openPage } from './browser.js';
import { StandIn } from './stand-in.js';
import { babble, padded } from './wav.js';

const TIMEOUT_MS = 30_000;
const standIn = new StandIn();
/** @type {string} */
let url;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string[]} */
let mistakes;

before(async () => {
  url = await standIn.listen();
  browser = await launchSpeaking(padded(babble(), 500, 1_500));
});

after(async () => {
  await browser?.close();
  await standIn.close();
});

beforeEach(async () => {
  standIn.scenario = {};
  ({ page, mistakes } = await openPage(browser, url));
  page.setDefaultTimeout(TIMEOUT_MS);
});

afterEach(async () => {
  await page.context().close();
});

test('a full server says that all lines are busy', async () => {
  standIn.scenario = {
    onOpen(talk) {
      talk.send({ type: 'error', code: 'capacity', message: 'no place', sessionId: 's-1', recoverable: false });
      talk.close(1013);
    },
  };
  await call();
  await ended();
  assert.match(await notice(), /^All lines are busy\.\s+Try again in a moment\./);
  assert.equal(await page.locator('.notice').count(), 1, 'the closed socket is not blamed again');
  assert.deepEqual(mistakes, []);
});

test('a recoverable error is shown and the call goes on', async () => {
  standIn.scenario = {
    onStart(talk) {
      const message = 'a frame has 640 bytes, not 608';
      talk.send({ type: 'error', code: 'frame_size', message, sessionId: 's-1', recoverable: true });
      talk.send({ type: 'state', state: 'listening' });
    },
  };
  await call();
  await inState('listening');
  assert.match(await notice(), /a frame has 640 bytes, not 608\s+frame_size/);
  assert.ok(await page.locator('#hangup').isVisible());
});

for (const [reason, words] of [
  ['completed', 'The conversation is complete.'],
  ['drain', 'The server is shutting down.'],
  ['stage_failed:stt', 'A stage failed and could not be restarted.'],
  ['struck_by_lightning', 'The server ended the call: struck by lightning.'],
]) {
  test(`the end “${reason}” is told in plain words`, async () => {
    standIn.scenario = { onStart: (talk) => talk.end(reason) };
    await call();
    await ended();
    assert.equal(await page.locator('#hint').innerText(), words);
    assert.ok(await page.locator('#call').isVisible(), 'one can call again');
  });
}

test('a connection that breaks is told, and one can call again', async () => {
  standIn.scenario = { onStart: (talk) => talk.crash() };
  await call();
  await ended();
  assert.match(await notice(), /^The connection was lost\./);
  standIn.scenario = {};
  await call();
  await inState('listening');
  assert.equal(await page.locator('.notice').count(), 0, 'old notices are gone');
});

test('a protocol error that ends the call shows its message', async () => {
  standIn.scenario = {
    onStart(talk) {
      talk.send({ type: 'error', code: 'order', message: 'audio before start', recoverable: false });
      talk.close(1008);
    },
  };
  await call();
  await ended();
  assert.match(await notice(), /^The server refused the call\.\s+audio before start\s+order/);
});

test('what the page sends keeps to the protocol', async () => {
  await page.locator('#dialogue').selectOption('echo');
  await call();
  await inState('listening');
  await page.locator('#keys').click();
  await page.keyboard.press('5');
  await page.keyboard.press('#');
  await page.keyboard.press('Escape');
  await page.locator('#typed').fill('  on Monday ');
  await page.keyboard.press('Enter');
  await page.locator('#mute').click();
  await page.locator('#mute').click();
  await inState('speaking');
  await page.locator('#interrupt').click();
  await page.locator('.line.bot.cut').waitFor();
  await page.locator('#hangup').click();
  await ended();
  assert.deepEqual(standIn.talk.received, [
    { type: 'start', codec: 'pcm16', sampleRate: 16_000, dialogue: 'echo', resume: true },
    { type: 'dtmf', digit: '5' },
    { type: 'dtmf', digit: '#' },
    { type: 'text', text: 'on Monday' },
    { type: 'mute', muted: true },
    { type: 'mute', muted: false },
    { type: 'interrupt' },
    { type: 'stop' },
  ]);
  assert.deepEqual(standIn.talk.violations, []);
  assert.deepEqual(mistakes, []);
});

test('nothing is sent from a muted microphone', async () => {
  await call();
  await inState('listening');
  await page.locator('#mute').click();
  await audioPasses(400);
  assert.deepEqual(standIn.talk.received.at(-1), { type: 'mute', muted: true });
  const frames = standIn.talk.frames;
  await page.locator('#mute').click();
  await audioPasses(400);
  assert.deepEqual(standIn.talk.violations, []);
  assert.ok(standIn.talk.frames > frames, 'it is heard again once unmuted');
});

test('clear silences what is buffered', async () => {
  standIn.scenario = { onStart: (talk) => talk.flood(800) };
  await call();
  await page.waitForFunction(() => globalThis.ringway?.played.deepestMs > 500);
  standIn.talk.send({ type: 'clear', turn: 1 });
  await page.waitForFunction(() => globalThis.ringway.played.depthMs === 0);
  const loudMs = await page.evaluate(() => globalThis.ringway.played.loudMs);
  await audioPasses(400);
  const after = await page.evaluate(() => globalThis.ringway.played);
  assert.ok(after.loudMs < 600, `${after.loudMs} of 800 ms were played`);
  assert.equal(after.loudMs, loudMs);
  assert.equal(after.rms, 0);
});

test('the last words are played out after the end of the call', async () => {
  standIn.scenario = {
    onStart(talk) {
      talk.flood(2_000);
      talk.end('completed');
    },
  };
  await call();
  await ended();
  await page.waitForFunction(() => globalThis.ringway.played.loudMs >= 500);
});

test('a call in Opus is heard in Opus', async () => {
  await page.locator('label', { hasText: 'Opus' }).click();
  await call();
  await page.locator('.line.bot').first().waitFor();
  await page.waitForFunction(() => globalThis.ringway.played.loudMs > 200);
  assert.equal(standIn.talk.received[0].codec, 'opus');
  assert.deepEqual(mistakes, []);
});

test('a stage that restarts says so', async () => {
  await call();
  await inState('listening');
  standIn.talk.send({ type: 'stage', stage: 'stt', state: 'restarting', restarts: 1 });
  await page.locator('.stage-stt.trouble', { hasText: '1 restart' }).waitFor();
  standIn.talk.send({ type: 'stage', stage: 'stt', state: 'ready', restarts: 1 });
  await page.locator('.stage-stt:not(.trouble)', { hasText: '1 restart' }).waitFor();
});

test('words are shown as text, never as markup', async () => {
  standIn.scenario = {
    onStart: (talk) => talk.send({ type: 'transcript', turn: 1, text: '<b>bold</b>', final: true }),
  };
  await call();
  await page.locator('.line.caller').waitFor();
  assert.equal(await page.locator('.line .words').innerText(), '<b>bold</b>');
  assert.equal(await page.locator('#spoken').innerText(), 'You: <b>bold</b>');
});

test('hanging up while the browser asks for the microphone lets go of it', async () => {
  await page.addInitScript(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const asked = new Promise((resolve) => {
      globalThis.allow = resolve;
    });
    navigator.mediaDevices.getUserMedia = async (wish) => {
      await asked;
      globalThis.stream = await ask(wish);
      return globalThis.stream;
    };
  });
  await page.reload();
  await call();
  await inState('connecting');
  await page.locator('#hangup').click();
  await ended();
  await page.evaluate(() => globalThis.allow());
  await page.waitForFunction(() => globalThis.stream?.getTracks().every((track) => track.readyState === 'ended'));
});

test('a machine without a microphone is told to plug one in', async () => {
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'));
  });
  await page.reload();
  await call();
  await ended();
  assert.match(await notice(), /^No microphone was found\.\s+Plug one in/);
});

test('an insecure page names the way out before anybody calls', async () => {
  const plain = await launch(['--host-resolver-rules=MAP ringway.test 127.0.0.1']);
  try {
    const { page: insecure } = await openPage(plain, `http://ringway.test:${standIn.port}/`);
    const words = await insecure.locator('.notice').innerText();
    assert.match(words, /only to secure pages/);
    assert.match(words, /--tls self-signed/);
  } finally {
    await plain.close();
  }
});

test('the dialogues are those of the server, with its default chosen', async () => {
  standIn.scenario = { info: { dialogues: ['pizza', 'survey'], defaultDialogue: 'survey' } };
  await page.reload();
  await page.locator('#dialogue-field').waitFor();
  assert.equal(await page.locator('#dialogue').inputValue(), 'survey');
  await call();
  await inState('listening');
  assert.equal(standIn.talk.received[0].dialogue, 'survey');
  assert.deepEqual(standIn.talk.violations, []);
});

test('a server without dialogues is called without one', async () => {
  standIn.scenario = { info: { dialogues: [] } };
  await page.reload();
  await page.locator('.stage-llm', { hasText: 'openai_llm · gpt-4o-mini' }).waitFor();
  assert.ok(await page.locator('#dialogue-field').isHidden());
  await call();
  await inState('listening');
  assert.ok(!('dialogue' in standIn.talk.received[0]));
});

test('a server with a token asks for it once, and shows the trace then', async () => {
  standIn.scenario = { token: 'secret' };
  await page.reload();
  await page.locator('#token-field').waitFor();
  await page.locator('#token').fill('wrong');
  await page.keyboard.press('Tab');
  await page.locator('#token-hint', { hasText: 'does not accept' }).waitFor();
  await page.locator('#token').fill(' secret ');
  await page.keyboard.press('Tab');
  await page.locator('#dialogue-field').waitFor();
  await call();
  await page.locator('.waterfall-turn').first().waitFor();
  await page.reload();
  await page.locator('#dialogue-field').waitFor();
});

test('engine, model and voice of each stage are named', async () => {
  await page.locator('.stage-tts', { hasText: 'cartesia · sonic-3 · a0e99841' }).waitFor();
  await page.locator('.stage-stt', { hasText: 'deepgram · nova-3' }).waitFor();
});

test('a tool call is shown in the conversation, its arguments where they are told', async () => {
  await call();
  await inState('listening');
  const told = { type: 'tool', turn: 1, tool: 'find_order', outcome: 'done', afterMs: 120.4 };
  standIn.talk.send({ ...told, arguments: '{"number":"<1>"}' });
  standIn.talk.send({ ...told, outcome: 'failed' });
  await page.locator('.line.tool', { hasText: 'find_order({"number":"<1>"}) → done, 120 ms' }).waitFor();
  await page.locator('.line.tool', { hasText: 'find_order() → failed, 120 ms' }).waitFor();
});

test('a muted caller is told so in place of being listened to', async () => {
  standIn.scenario = { onStart: (talk) => talk.send({ type: 'state', state: 'listening' }) };
  await call();
  await inState('listening');
  await page.locator('#mute').click();
  assert.equal(await page.locator('#state').innerText(), 'Muted');
  await page.locator('#mute').click();
  assert.equal(await page.locator('#state').innerText(), 'Listening');
});

test('every event of the call is in the log, and the record can be downloaded', async () => {
  await call();
  await inState('listening');
  await page.locator('.log-panel summary').click();
  await page.locator('.log-line', { hasText: 'started' }).waitFor();
  await page.locator('.log-line', { hasText: 'state=listening' }).first().waitFor();
  assert.equal(await page.locator('#call-id').innerText(), 'c-1');
  const download = page.waitForEvent('download');
  await page.locator('#download').click();
  assert.equal((await download).suggestedFilename(), 'call-c-1.json');
});

test('a server that goes down in a call is told apart from a network that breaks', async () => {
  standIn.scenario = { onStart: (talk) => talk.send({ type: 'state', state: 'listening' }) };
  await call();
  await inState('listening');
  standIn.scenario = { down: true };
  standIn.talk.crash();
  await ended();
  assert.match(await notice(), /^The server went down during the call\./);
  assert.equal(await page.locator('#server').innerText(), 'server not reachable');
});

test('a call whose connection is lost is resumed with its token, muted as it was', async () => {
  standIn.scenario = { resumeWithinMs: TIMEOUT_MS, onStart: (talk) => talk.send({ type: 'state', state: 'listening' }) };
  await call();
  await inState('listening');
  standIn.talk.send({ type: 'transcript', turn: 1, text: 'on Monday', final: true });
  await page.locator('.line.caller').waitFor();
  standIn.talk.crash();
  await inState('reconnecting');
  assert.match(await notice(), /^Connection lost, reconnecting\./);
  await page.locator('#mute').click();
  await page.locator('.notice.good', { hasText: 'Reconnected.' }).waitFor();
  assert.equal(await page.locator('#state').innerText(), 'Muted');
  assert.equal(await page.locator('.notice').count(), 1, 'good news replaces bad');
  const { token } = standIn.talk.received[0];
  assert.deepEqual(standIn.talk.received, [
    { type: 'start', codec: 'pcm16', sampleRate: 16_000, token, resume: true },
    { type: 'mute', muted: true },
  ]);
  assert.ok(!(await page.locator('#log').textContent()).includes(token), 'the token is shown nowhere');
  assert.equal(await page.locator('.line.caller').innerText(), 'You\non Monday');
  await page.locator('#mute').click();
  await page.waitForFunction(() => document.documentElement.dataset.state === 'listening');
  await audioPasses(400);
  assert.ok(standIn.talk.frames > 0, 'it is heard again');
  assert.deepEqual(standIn.talk.violations, []);
});

test('a network that is back is used at once', async () => {
  standIn.scenario = { resumeWithinMs: TIMEOUT_MS };
  await call();
  await inState('listening');
  await page.evaluate(() => {
    const real = globalThis.setTimeout;
    globalThis.setTimeout = (done, ms, ...more) => real(done, ms === 500 ? 1e9 : ms, ...more);
  });
  standIn.talk.crash();
  await inState('reconnecting');
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await inState('listening');
});

test('a connection that does not come back in time ends the call with its reason', async () => {
  standIn.scenario = { resumeWithinMs: 1_200 };
  await call();
  await inState('listening');
  standIn.scenario = { down: true, onOpen: (talk) => talk.crash() };
  standIn.talk.crash();
  await inState('reconnecting');
  await ended();
  assert.match(await notice(), /^The connection did not come back in time\./);
  assert.equal(await page.locator('.notice').count(), 1);
  assert.equal(await page.locator('#hint').innerText(), 'The connection was lost for too long.');
  assert.ok(await page.locator('#call').isVisible(), 'one can call again');
});

test('a call that ended while the connection was lost is not tried again', async () => {
  standIn.scenario = { resumeWithinMs: TIMEOUT_MS };
  await call();
  await inState('listening');
  standIn.scenario = { resumeWithinMs: TIMEOUT_MS, forgotten: true };
  standIn.talk.crash();
  await ended();
  assert.match(await notice(), /^The call ended while the connection was lost\./);
});

test('one can hang up while the connection is lost', async () => {
  standIn.scenario = { resumeWithinMs: TIMEOUT_MS };
  await call();
  await inState('listening');
  standIn.scenario = { down: true, onOpen: (talk) => talk.crash() };
  standIn.talk.crash();
  await inState('reconnecting');
  await page.locator('#hangup').click();
  await ended();
  assert.ok(await page.locator('#call').isVisible(), 'one can call again');
});

test('the chosen microphone is asked for', async () => {
  await page.addInitScript(() => {
    const devices = ['Headset', 'Camera'].map((label) => ({ kind: 'audioinput', label, deviceId: label }));
    navigator.mediaDevices.enumerateDevices = async () => devices;
    navigator.mediaDevices.getUserMedia = async (wish) => {
      globalThis.wish = wish;
      throw new DOMException('', 'NotFoundError');
    };
  });
  await page.reload();
  await page.locator('#microphone').selectOption('Camera');
  await call();
  await ended();
  assert.deepEqual(await page.evaluate(() => globalThis.wish.audio.deviceId), { exact: 'Camera' });
});

async function call() {
  await page.locator('#call').click();
}

/** @param {string} state */
async function inState(state) {
  await page.waitForFunction((wanted) => document.documentElement.dataset.state === wanted, state);
}

async function ended() {
  await inState('ended');
}

/** Until so much more audio time has gone by on the page. @param {number} ms */
async function audioPasses(ms) {
  const until = (await page.evaluate(() => globalThis.ringway.played.ms)) + ms;
  await page.waitForFunction((end) => globalThis.ringway.played.ms >= end, until);
}

async function notice() {
  return page.locator('.notice').first().innerText();
}
