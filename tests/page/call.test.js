/**
 * A call from the page, in a real browser. `RINGWAY_URL` is the server's page and `RINGWAY_WAV` a mono s16 WAV file with
 * the caller's words; without them a stand-in server answers a babble, which is enough for work on the page.
 * `RINGWAY_SCREENSHOT` is where a picture of the call goes.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchRefusing, launchSpeaking, openPage, tabTo } from './browser.js';
import { StandIn } from './stand-in.js';
import { babble, padded, readWav } from './wav.js';

const TIMEOUT_MS = 60_000;
const BEFORE_MS = 3_000;
const AFTER_MS = 6_000;
const HEARD_MS = 200;

const standIn = new StandIn();
let url = process.env.RINGWAY_URL;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  url ??= await standIn.listen();
  const words = process.env.RINGWAY_WAV ? readWav(process.env.RINGWAY_WAV) : babble();
  browser = await launchSpeaking(padded(words, BEFORE_MS, AFTER_MS));
});

after(async () => {
  await browser?.close();
  if (!process.env.RINGWAY_URL) await standIn.close();
});

test('a call by keyboard is heard, answered aloud and hung up', { timeout: 2 * TIMEOUT_MS }, async (t) => {
  t.diagnostic(process.env.RINGWAY_URL ? `against ${url}` : 'against the stand-in server');
  const { page, mistakes } = await openPage(browser, url);
  page.setDefaultTimeout(TIMEOUT_MS);
  await tabTo(page, 'call');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.documentElement.dataset.state === 'listening');

  const caller = page.locator('.line.caller:not(.partial)').first();
  await caller.waitFor();
  const loudBefore = await page.evaluate(() => globalThis.ringway.played.loudMs);
  const answer = page.locator('.line.caller ~ .line.bot').first();
  await answer.waitFor();
  await page.waitForFunction((least) => globalThis.ringway.played.loudMs > least, loudBefore + HEARD_MS);
  await page.locator('.turn').first().waitFor();
  assert.match(await page.locator('.turn-total').first().innerText(), /^\d+ ms$/);
  if (process.env.RINGWAY_SCREENSHOT) await page.screenshot({ path: process.env.RINGWAY_SCREENSHOT, fullPage: true });
  const heard = await caller.locator('.words').innerText();
  t.diagnostic(`heard: ${heard}`);
  if (process.env.RINGWAY_WORDS) assert.equal(heard, process.env.RINGWAY_WORDS);
  t.diagnostic(`answer: ${await answer.locator('.words').innerText()}`);

  await assertWaterfall(page);

  await page.locator('#hangup').focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.documentElement.dataset.state === 'ended');
  assert.equal(await page.locator('#hint').innerText(), 'You hung up.', 'the server said why the call ended');
  t.diagnostic(`played: ${JSON.stringify(await page.evaluate(() => globalThis.ringway.played))}`);
  assert.equal(await page.evaluate(() => globalThis.ringway.played.droppedMs), 0);
  assert.equal(await page.locator('.notice').count(), 0);
  assert.deepEqual(mistakes, []);
});

test('the page fits a phone, before a call and in it', { timeout: 2 * TIMEOUT_MS }, async () => {
  const { page, mistakes } = await openPage(browser, url, { viewport: { width: 360, height: 740 } });
  page.setDefaultTimeout(TIMEOUT_MS);
  await assertNoSidewaysScroll(page);
  await page.locator('#call').click();
  await page.locator('.line.bot').first().waitFor();
  await page.locator('#keys').click();
  await page.locator('#keypad button').last().waitFor();
  await page.locator('.waterfall-turn').first().waitFor();
  await assertNoSidewaysScroll(page);
  await assertReadable(page);
  await assertScale(page);
  await page.setViewportSize({ width: 740, height: 360 });
  await page.waitForFunction(() => {
    const picture = document.querySelector('svg.waterfall');
    return Math.abs(picture.viewBox.baseVal.width - picture.parentElement.clientWidth) <= 1;
  });
  await assertReadable(page);
  await assertScale(page);
  await page.locator('#hangup').click();
  await page.waitForFunction(() => document.documentElement.dataset.state === 'ended');
  assert.deepEqual(mistakes, []);
});

test('a refused microphone is said with what to do', { timeout: TIMEOUT_MS }, async () => {
  const refusing = await launchRefusing();
  try {
    const { page } = await openPage(refusing, url);
    await page.locator('#call').click();
    await page.locator('.notice', { hasText: 'The microphone is blocked for this page.' }).waitFor();
    assert.match(await page.locator('.notice').innerText(), /Allow it/);
    assert.ok(await page.locator('#call').isVisible(), 'one can call again');
  } finally {
    await refusing.close();
  }
});

/** @param {import('playwright-core').Page} page */
async function assertNoSidewaysScroll(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `content ${content} px in ${window} px`);
}

/** The waterfall of the call in progress has the turn that was answered. @param {import('playwright-core').Page} page */
async function assertWaterfall(page) {
  const turn = page.locator('.waterfall-turn', { has: page.locator('.lane-caller') }).first();
  await turn.waitFor();
  assert.match(await turn.locator('.waterfall-head').textContent(), /^Turn \d+/);
  for (const lane of ['caller', 'stt', 'llm', 'tts', 'playout']) {
    await turn.locator(`.lane-${lane} rect`).first().waitFor();
  }
  assert.ok(await page.locator('#waterfall-empty').isHidden());
}

/**
 * Each turn says where zero is and when the answer sounded, in letters that can be read and cover no others.
 * @param {import('playwright-core').Page} page
 */
async function assertScale(page) {
  const turns = await page.locator('.waterfall-turn').evaluateAll((groups) =>
    groups.map((group) => ({
      sounds: group.querySelector('.lane-playout') !== null,
      labels: [...group.querySelectorAll('.waterfall-end, .waterfall-step')].map((label) => {
        const { left, right, height } = label.getBoundingClientRect();
        const room = label.closest('.waterfall-picture').getBoundingClientRect();
        return { words: label.textContent, left, right, height, inside: left >= room.left - 1 && right <= room.right + 1 };
      }),
    })),
  );
  assert.ok(turns.length > 0);
  for (const { sounds, labels } of turns) {
    assert.equal(labels[0]?.words, '0 ms');
    if (sounds) assert.match(labels[1]?.words ?? '', /^\+\d+ ms$/);
    const sorted = labels.toSorted((one, other) => one.left - other.left);
    for (const [index, label] of sorted.entries()) {
      assert.ok(label.inside && label.height >= 10, JSON.stringify(label));
      assert.ok(index === 0 || sorted[index - 1].right < label.left, JSON.stringify(sorted));
    }
  }
}

/** It is drawn for the room it has, not shrunk into it. @param {import('playwright-core').Page} page */
async function assertReadable(page) {
  const [drawn, shown, room] = await page.evaluate(() => {
    const picture = document.querySelector('svg.waterfall');
    return [picture.viewBox.baseVal.width, picture.getBoundingClientRect().width, picture.parentElement.clientWidth];
  });
  assert.ok(Math.abs(shown - drawn) < 1, `drawn ${drawn} px wide, shown ${shown}`);
  assert.ok(shown <= room, `${shown} px in ${room}`);
}
