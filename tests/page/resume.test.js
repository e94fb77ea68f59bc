/**
 * A call whose network is cut in the middle of an answer, in a real browser against the server at `RINGWAY_URL`; without it
 * against the stand-in. `RINGWAY_SCREENSHOTS` is a folder where pictures of it go.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launchSpeaking, openPage } from './browser.js';
import { Network } from './proxy.js';
import { StandIn } from './stand-in.js';
import { babble, padded, readWav } from './wav.js';

const TIMEOUT_MS = 60_000;
const HEARD_MS = 300;
const standIn = new StandIn();
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Network} */
let network;
/** @type {import('playwright-core').Page} */
let page;
/** @type {string} */
let server;

before(async () => {
  server = process.env.RINGWAY_URL ?? (await standIn.listen());
  standIn.scenario = { resumeWithinMs: 6_000 };
  const words = process.env.RINGWAY_WAV ? readWav(process.env.RINGWAY_WAV) : babble();
  browser = await launchSpeaking(padded(words, 3_000, 20_000));
});

after(async () => {
  await browser?.close();
  if (!process.env.RINGWAY_URL) await standIn.close();
});

beforeEach(async () => {
  network = new Network(server);
  ({ page } = await openPage(browser, await network.open()));
  page.setDefaultTimeout(TIMEOUT_MS);
});

afterEach(async () => {
  await page.context().close();
  await network.close();
});

test('a call whose network is cut in an answer goes on, and the rest is heard', { timeout: TIMEOUT_MS }, async (t) => {
  const call = await cutInAnAnswer();
  const before = await played();
  await page.locator('.notice', { hasText: 'Connection lost, reconnecting.' }).waitFor();
  await picture('reconnecting');
  await passes(1_200);
  network.mend();
  await page.locator('.notice', { hasText: 'Reconnected.' }).waitFor();
  await picture('reconnected');
  assert.equal(await page.locator('#call-id').innerText(), call, 'it is the same call');
  if (process.env.RINGWAY_URL) {
    const rest = before.loudMs + HEARD_MS;
    await page.waitForFunction((least) => globalThis.ringway.played.loudMs > least, rest);
    await page.waitForFunction(() => document.documentElement.dataset.state === 'listening');
    const lines = await page.locator('.line').allInnerTexts();
    t.diagnostic(lines.join(' | ').replaceAll('\n', ': '));
    assert.equal(new Set(lines).size, lines.length, 'no line is there twice');
    const record = await (await fetch(new URL(`/api/calls/${call}`, server))).json();
    const said = record.transcript.map(({ text }) => text);
    assert.deepEqual(await page.locator('.line .words').allInnerTexts(), said, 'the page has all that was said');
  }
  await page.locator('#hangup').click();
  await page.waitForFunction(() => document.documentElement.dataset.state === 'ended');
  assert.equal(await page.locator('#hint').innerText(), 'You hung up.');
});

test('a call whose network does not come back is over, and says why', { timeout: TIMEOUT_MS }, async () => {
  const call = await cutInAnAnswer();
  await page.waitForFunction(() => document.documentElement.dataset.state === 'ended');
  assert.match(await page.locator('.notice').first().innerText(), /^The connection did not come back in time\./);
  assert.equal(await page.locator('#hint').innerText(), 'The connection was lost for too long.');
  await picture('not-resumed');
  if (process.env.RINGWAY_URL) {
    const record = await (await fetch(new URL(`/api/calls/${call}`, server))).json();
    assert.equal(record.endReason, 'not_resumed');
  }
});

/** @returns {Promise<string>} the call's id */
async function cutInAnAnswer() {
  await page.locator('#call').click();
  await page.locator('.line.caller:not(.partial)').first().waitFor();
  const { loudMs } = await played();
  await page.locator('.line.caller ~ .line.bot').first().waitFor();
  await page.waitForFunction((least) => globalThis.ringway.played.loudMs > least, loudMs + HEARD_MS);
  await page.waitForFunction(() => document.documentElement.dataset.state === 'speaking');
  network.cut();
  await page.waitForFunction(() => document.documentElement.dataset.state === 'reconnecting');
  return page.locator('#call-id').innerText();
}

function played() {
  return page.evaluate(() => ({ ...globalThis.ringway.played }));
}

/** Until so much more audio time has gone by on the page. @param {number} ms */
async function passes(ms) {
  const until = (await played()).ms + ms;
  await page.waitForFunction((end) => globalThis.ringway.played.ms >= end, until);
}

/** @param {string} name */
async function picture(name) {
  const folder = process.env.RINGWAY_SCREENSHOTS;
  if (!folder) return;
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const [size, width, height] of [['desktop', 1280, 900], ['phone', 360, 740]]) {
      await page.setViewportSize({ width, height });
      await page.screenshot({ path: `${folder}/${name}-${scheme}-${size}.png` });
    }
  }
}
