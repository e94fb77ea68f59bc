//! Flite speaks: real voices, real audio.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ringway_frame::{Format, Frame};
use ringway_stages::flite::{Config, Flite, VoiceName};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use std::future::poll_fn;
use std::num::NonZeroUsize;

struct Spoken {
    events: Vec<TtsEvent>,
    /// Root mean square of each frame, in dBFS.
    levels: Vec<f64>,
    audio: Vec<u8>,
}

impl Spoken {
    fn words(&self) -> Vec<u32> {
        let upto = |event: &TtsEvent| match event {
            TtsEvent::Word { upto, .. } => Some(*upto),
            _ => None,
        };
        self.events.iter().filter_map(upto).collect()
    }

    fn loud_frames(&self) -> usize {
        self.levels.iter().filter(|level| **level > -40.0).count()
    }
}

/// Hears the session out until it has done `last`.
async fn listen(session: &mut dyn TtsSession, format: Format, last: u32) -> Spoken {
    let mut frame = Frame::silence(format);
    let mut spoken = Spoken { events: Vec::new(), levels: Vec::new(), audio: Vec::new() };
    while spoken.events.last() != Some(&TtsEvent::Done { clause: last }) {
        let event = poll_fn(|cx| session.poll_next(cx, &mut frame)).await.unwrap();
        if event == TtsEvent::Audio {
            spoken.levels.push(level(&frame));
            spoken.audio.extend_from_slice(frame.payload());
        }
        spoken.events.push(event);
    }
    spoken
}

fn level(frame: &Frame) -> f64 {
    let samples: Vec<f64> = match frame.format() {
        Format::Mulaw8k => frame.payload().iter().map(|byte| mulaw(*byte)).collect(),
        Format::Pcm8k | Format::Pcm16k => (frame.payload().chunks_exact(2))
            .map(|bytes| f64::from(i16::from_le_bytes([bytes[0], bytes[1]])))
            .collect(),
    };
    let energy = samples.iter().map(|sample| (sample / 32_768.0).powi(2)).sum::<f64>();
    10.0 * (energy / samples.len() as f64).max(1e-12).log10()
}

/// ITU-T G.711, table 2.
fn mulaw(byte: u8) -> f64 {
    let byte = !byte;
    let magnitude =
        ((f64::from(byte & 0x0f) * 2.0 + 33.0) * f64::from(1_u32 << ((byte >> 4) & 7)) - 33.0) * 4.0;
    if byte & 0x80 == 0 { magnitude } else { -magnitude }
}

fn session(flite: &Flite, format: Format) -> Box<dyn TtsSession> {
    flite.open(TtsCall { format }).unwrap()
}

fn clause(id: u32, text: &str) -> Clause {
    Clause { id, text: text.into() }
}

const SENTENCE: &str = "Your table is booked for Monday at ten thirty, is that right?";

#[tokio::test]
async fn a_sentence_is_loud_and_its_words_end_one_after_the_other() {
    let flite = Flite::start(Config::default()).unwrap();
    for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
        let mut session = session(&flite, format);
        session.speak(clause(1, SENTENCE)).unwrap();
        let spoken = listen(&mut *session, format, 1).await;
        let frames = spoken.levels.len();
        assert!((100..300).contains(&frames), "{format}: {frames} frames");
        assert!(spoken.loud_frames() * 2 > frames, "{format}: {} of {frames} are loud", spoken.loud_frames());
        let word_ends: Vec<u32> = (SENTENCE.char_indices())
            .filter_map(|(at, c)| (c == ' ').then_some(at as u32))
            .chain([SENTENCE.len() as u32])
            .collect();
        assert_eq!(spoken.words(), word_ends);
        let first = spoken.events.iter().position(|event| matches!(event, TtsEvent::Word { .. })).unwrap();
        assert!((5..25).contains(&first), "{format}: the first word ends after {first} frames");
        let early = spoken.levels[..3].iter().any(|level| *level > -50.0);
        assert!(early, "{format}: begins with {:?} dBFS", &spoken.levels[..3]);
        let tail = spoken.levels.iter().rev().take_while(|level| **level < -50.0).count();
        assert!(tail <= 6, "{format}: ends with {tail} silent frames");
    }
}

#[tokio::test]
async fn every_voice_speaks() {
    for voice in [VoiceName::Awb, VoiceName::Kal, VoiceName::Kal16, VoiceName::Rms, VoiceName::Slt] {
        let flite = Flite::start(Config { voice, ..Config::default() }).unwrap();
        let mut session = session(&flite, Format::Mulaw8k);
        session.speak(clause(1, "Good morning.")).unwrap();
        let spoken = listen(&mut *session, Format::Mulaw8k, 1).await;
        assert!(spoken.loud_frames() > 15, "{voice}: {} loud frames", spoken.loud_frames());
        assert_eq!(spoken.words(), [4, 13], "{voice}");
    }
}

#[tokio::test]
async fn two_threads_speak_with_one_voice_at_once() {
    for voice in [VoiceName::Kal16, VoiceName::Slt] {
        let threads = NonZeroUsize::new(2).unwrap();
        let flite = Flite::start(Config { voice, threads, ..Config::default() }).unwrap();
        let mut sessions = [session(&flite, Format::Pcm16k), session(&flite, Format::Pcm16k)];
        for id in 0..8 {
            for session in &mut sessions {
                session.speak(clause(id, SENTENCE)).unwrap();
            }
        }
        let [one, other] = &mut sessions;
        let (one, other) =
            tokio::join!(listen(&mut **one, Format::Pcm16k, 7), listen(&mut **other, Format::Pcm16k, 7));
        assert_eq!(one.words(), other.words(), "{voice}");
        // The breath in the other voices is noise, new each time: a word may end a frame earlier.
        let alike = one.events == other.events && one.audio == other.audio;
        assert!(voice != VoiceName::Kal16 || alike, "{voice}");
    }
}

#[tokio::test]
async fn clauses_come_in_order_and_the_unspeakable_are_silent() {
    let flite = Flite::start(Config::default()).unwrap();
    let mut session = session(&flite, Format::Mulaw8k);
    for (id, text) in ["One.", " …", "", "Two."].into_iter().enumerate() {
        session.speak(clause(id as u32, text)).unwrap();
    }
    let spoken = listen(&mut *session, Format::Mulaw8k, 3).await;
    let rest: Vec<_> = spoken.events.into_iter().filter(|event| *event != TtsEvent::Audio).collect();
    let (word, done) = (|clause, upto| TtsEvent::Word { clause, upto }, |clause| TtsEvent::Done { clause });
    assert_eq!(rest, [word(0, 4), done(0), word(1, 4), done(1), done(2), word(3, 4), done(3)]);
}

#[tokio::test]
async fn a_cancelled_session_forgets_and_speaks_on() {
    let flite = Flite::start(Config::default()).unwrap();
    let mut session = session(&flite, Format::Mulaw8k);
    for id in 0..8 {
        session.speak(clause(id, SENTENCE)).unwrap();
    }
    session.cancel();
    session.speak(clause(9, "Yes?")).unwrap();
    let spoken = listen(&mut *session, Format::Mulaw8k, 9).await;
    assert_eq!(spoken.words(), [4]);
}

#[tokio::test]
async fn many_calls_share_a_small_pool() {
    let config = Config { voice: VoiceName::Kal, queue: 1, ..Config::default() };
    let flite = Flite::start(config).unwrap();
    let mut sessions: Vec<_> = (0..4).map(|_| session(&flite, Format::Mulaw8k)).collect();
    for id in 0..3 {
        for session in &mut sessions {
            session.speak(clause(id, "Good morning.")).unwrap();
        }
    }
    for session in &mut sessions {
        assert_eq!(listen(&mut **session, Format::Mulaw8k, 2).await.words(), [4, 13].repeat(3));
    }
}

#[tokio::test]
async fn too_many_clauses_are_refused() {
    let flite = Flite::start(Config::default()).unwrap();
    let mut session = session(&flite, Format::Mulaw8k);
    for id in 0..64 {
        session.speak(clause(id, SENTENCE)).unwrap();
    }
    assert!(matches!(session.speak(clause(64, SENTENCE)), Err(TtsError::Overloaded { .. })));
}

#[tokio::test]
async fn speed_changes_the_length() {
    let mut frames = Vec::new();
    for speed in [0.8, 1.0, 1.25] {
        let speed = speed.try_into().unwrap();
        let flite = Flite::start(Config { speed, ..Config::default() }).unwrap();
        let mut session = session(&flite, Format::Mulaw8k);
        session.speak(clause(1, SENTENCE)).unwrap();
        frames.push(listen(&mut *session, Format::Mulaw8k, 1).await.levels.len());
    }
    assert!(frames[0] > frames[1] * 11 / 10 && frames[1] > frames[2] * 11 / 10, "{frames:?}");
}
