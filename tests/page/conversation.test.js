/**
 * Three turns by voice from the page, the first of them over the greeting, with recorded human speech against the
 * embedded engines. `RINGWAY_URL` is the server's page; `RINGWAY_SOUNDS` the folder of recorded prompts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchSpeaking, openPage } from './browser.js';
import { joined, padded, readWav } from './wav.js';

const TIMEOUT_MS = 90_000;
/** In the middle of the greeting. */
const BEFORE_MS = 3_000;
/** Long enough to hear an answer of the dialogue to its end. */
const BETWEEN_MS = 8_000;
/** The file is over before it begins anew. */
const AFTER_MS = 60_000;

const { RINGWAY_URL: url, RINGWAY_SOUNDS: sounds } = process.env;
const skip = url && sounds ? false : 'needs the real server and recorded prompts';

test('an appointment is booked by voice, with a barge-in', { timeout: 2 * TIMEOUT_MS, skip }, async (t) => {
  const said = ['day-1', '7', '1'].map((name) => readWav(`${sounds}/digits/${name}.wav`));
  const [day, hour, yes] = said;
  const browser = await launchSpeaking(
    joined([padded(day, BEFORE_MS, BETWEEN_MS), padded(hour, 0, BETWEEN_MS), padded(yes, 0, AFTER_MS)]),
  );
  try {
    const { page, mistakes } = await openPage(browser, url);
    page.setDefaultTimeout(TIMEOUT_MS);
    await page.locator('#call').click();
    await page.waitForFunction(() => document.documentElement.dataset.state === 'ended');
    const words = (who) => page.locator(`.line.${who}:not(.partial) .words`).allInnerTexts();
    const [caller, bot] = [await words('caller'), await words('bot')];
    t.diagnostic(JSON.stringify({ caller, bot }));

    assert.deepEqual(caller, ['monday', 'seven', 'one']);
    const [greeting, ...answers] = bot;
    assert.ok('Welcome to Ringway. I can book you an appointment. What day would you like?'.startsWith(greeting));
    assert.ok(await page.locator('.line.bot').first().evaluate((line) => line.classList.contains('cut')), greeting);
    assert.deepEqual(answers, [
      'At what hour on Monday? We are open from one to nine.',
      'Monday at 7, is that right?',
      'You are booked for Monday at 7. Goodbye.',
    ]);
    assert.equal(await page.locator('#hint').innerText(), 'The conversation is complete.');
    assert.equal(await page.locator('.turn').count(), 3, 'each turn has its latency');
    const { loudMs } = await page.evaluate(() => globalThis.ringway.played);
    assert.ok(loudMs > 4_000, `${loudMs} ms of three answers were heard`);
    assert.deepEqual(mistakes, []);
  } finally {
    await browser.close();
  }
});
