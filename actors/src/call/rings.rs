//! A call's rings: their ends belong to the call and are lent to its stages.

use crate::config::RingSizes;
use crate::event::{RingReport, RingState};
use ringway_frame::{FRAME, Format};
use ringway_ring::{Owner, Reader, ReplayReader, Snapshot, Stats, Writer, ring};
use ringway_turn::StageKind;
use std::time::Duration;

/// The ends of all rings, which stages and the leg's pump borrow.
#[derive(Debug)]
pub(crate) struct CallRings {
    pub(crate) mic_in: Owner<Writer>,
    pub(crate) mic: Owner<Reader>,
    pub(crate) speech_in: Owner<Writer>,
    pub(crate) speech_out: Owner<ReplayReader>,
    pub(crate) voice: Owner<Writer>,
    pub(crate) voice_out: Owner<ReplayReader>,
    stats: RingStats,
    reported: [Snapshot; 3],
    looks: u32,
    /// Reports in a row in which no frame moved.
    still: u32,
}

/// Counters of a call's rings.
#[derive(Clone, Debug)]
pub(crate) struct RingStats {
    pub(crate) mic: Stats,
    pub(crate) speech: Stats,
    pub(crate) voice: Stats,
    pub(crate) voice_capacity: u64,
}

/// Looks between two reports of the rings: 5 s, or 25 s where nothing moves.
const REPORT_EVERY: u32 = 50;

/// Reports without a frame until the rings' memory is given back (60 s).
const STILL: u32 = 12;

/// Of *voice*, what is kept until it was heard, so that a leg that lost its network is sent it again.
const UNHEARD: Duration = Duration::from_millis(500);

/// Room in *speech* beside what is kept for a second reading.
const SLACK: Duration = Duration::from_millis(500);

impl CallRings {
    /// All rings of a call.
    pub(crate) fn new(format: Format, sizes: &RingSizes) -> Self {
        let (mic_in, mic_out) = ring(format, frames(sizes.mic));
        let (speech_in, speech_out) = ring(format, frames(sizes.replay + SLACK));
        let (voice_in, voice_out) = ring(format, frames(sizes.voice));
        let stats = RingStats {
            mic: mic_in.stats(),
            speech: speech_in.stats(),
            voice: voice_in.stats(),
            voice_capacity: voice_in.capacity() as u64,
        };
        let unheard = frames(UNHEARD).min(voice_in.capacity() / 2).max(1);
        Self {
            mic_in: Owner::new(mic_in),
            mic: Owner::new(mic_out),
            speech_in: Owner::new(speech_in),
            speech_out: Owner::new(speech_out.replay(frames(sizes.replay))),
            voice: Owner::new(voice_in),
            voice_out: Owner::new(voice_out.replay(unheard)),
            stats,
            reported: [Snapshot::default(); 3],
            looks: 0,
            still: 0,
        }
    }

    pub(crate) fn stats(&self) -> RingStats {
        self.stats.clone()
    }

    /// Fences a dead stage off the ends that it may still hold.
    pub(crate) fn revoke(&mut self, stage: StageKind) {
        match stage {
            StageKind::Vad => {
                self.mic.revoke();
                self.speech_in.revoke();
            }
            StageKind::Stt => self.speech_out.revoke(),
            StageKind::Llm => {}
            StageKind::Tts => self.voice.revoke(),
            StageKind::SpeechToSpeech => {
                self.speech_out.revoke();
                self.voice.revoke();
            }
        }
    }

    /// A report now and then.
    pub(crate) fn report_rings(&mut self) -> Option<RingReport> {
        self.looks += 1;
        self.looks.is_multiple_of(REPORT_EVERY).then(|| self.report())
    }

    /// Whether the last report was the one that found the call idle.
    pub(crate) fn fell_idle(&self) -> bool {
        self.still == STILL
    }

    /// Whether nothing has moved for so long, and does not now.
    pub(crate) fn is_idle(&self) -> bool {
        self.still >= STILL && self.now() == self.reported
    }

    fn now(&self) -> [Snapshot; 3] {
        [&self.stats.mic, &self.stats.speech, &self.stats.voice].map(Stats::snapshot)
    }

    /// What has happened since the last report.
    pub(crate) fn report(&mut self) -> RingReport {
        let names = ["mic", "speech", "voice"];
        let now = self.now();
        let mut rings = [RingState::default(); 3];
        for (index, state) in rings.iter_mut().enumerate() {
            let (was, is) = (self.reported[index], now[index]);
            *state = RingState {
                ring: names[index],
                depth: is.depth(),
                dropped: is.dropped - was.dropped,
                forced: is.forced_commits - was.forced_commits,
            };
        }
        self.still = if now == self.reported { self.still.saturating_add(1) } else { 0 };
        self.reported = now;
        RingReport { rings, legs_dropped: 0 }
    }
}

fn frames(span: Duration) -> usize {
    (span.as_millis() / FRAME.as_millis()).max(1) as usize
}
