/**
 * What was really played, for tests and for the curious: `ringway.played` in the browser's console. Loud means 20 ms
 * with an RMS above -40 dBFS, measured in the playback worklet on the samples it handed to the sound card.
 */

const LOUD = 10 ** (-40 / 20);
const REPORT_MS = 20;

export class Tap {
  /** Milliseconds of audio that went out in this call, silence included, and how many of them were loud. */
  ms = 0;
  loudMs = 0;
  /** RMS of the last 20 ms, and the highest of this call; 1 being full scale. */
  rms = 0;
  highestRms = 0;
  /** Audio waiting, the most that ever waited, gaps inside an utterance, audio lost to a full buffer. */
  depthMs = 0;
  deepestMs = 0;
  gaps = 0;
  droppedMs = 0;

  /** @param {import('./playback-worklet.js').Played} played */
  record({ rms, depthMs, gaps, droppedMs }) {
    this.ms += REPORT_MS;
    if (rms > LOUD) this.loudMs += REPORT_MS;
    this.rms = rms;
    this.highestRms = Math.max(this.highestRms, rms);
    this.depthMs = depthMs;
    this.deepestMs = Math.max(this.deepestMs, depthMs);
    this.gaps = gaps;
    this.droppedMs = droppedMs;
  }
}
