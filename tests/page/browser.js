/** The real browser of these tests: Chromium, headless, with a file as its microphone. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { writeWav } from './wav.js';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The browser to drive; `RINGWAY_CHROMIUM` names another one. */
const EXECUTABLE = process.env.RINGWAY_CHROMIUM ?? '/usr/bin/chromium';

/** @param {string[]} [more] flags */
export function launch(more = []) {
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args: [...FLAGS, ...more] });
}

/**
 * A browser that allows the microphone, and hears this over and over.
 * @param {{samples: Int16Array, sampleRate: number}} spoken
 * @param {string[]} [more] flags
 */
export function launchSpeaking({ samples, sampleRate }, more = []) {
  const path = join(mkdtempSync(join(tmpdir(), 'ringway-page-')), 'microphone.wav');
  writeWav(path, samples, sampleRate);
  const microphone = ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'];
  return launch([...microphone, `--use-file-for-fake-audio-capture=${path}`, ...more]);
}

/** A browser whose user refuses the microphone. */
export function launchRefusing() {
  return launch(['--use-fake-device-for-media-stream', '--deny-permission-prompts']);
}

/**
 * A page that fails the test on any script error or violation of the content security policy.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  /** @type {string[]} */
  const mistakes = [];
  page.on('pageerror', (error) => mistakes.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') mistakes.push(message.text());
  });
  await page.goto(url);
  return { page, mistakes };
}

/**
 * Presses Tab until the element has the focus, as somebody without a mouse does.
 * @param {import('playwright-core').Page} page
 * @param {string} id
 */
export async function tabTo(page, id) {
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement?.id === wanted, id)) return;
  }
  throw new Error(`#${id} cannot be reached with the keyboard`);
}
