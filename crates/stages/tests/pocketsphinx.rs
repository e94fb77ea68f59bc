//! PocketSphinx hears: the real model, recorded people, and Flite's voices where there is no recording.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use ringway_frame::{FRAME, Format, Frame};
use ringway_stages::Expectation;
use ringway_stages::flite::{self, Flite, VoiceName};
use ringway_stages::pocketsphinx::{Config, Dictionary, Model, Pocketsphinx, StartError};
use ringway_stages::spoken::cardinal_words;
use ringway_stages::stt::{
    Segment, SegmentId, SpeechToText, SttCall, SttError, SttEvent, SttMode, SttSession, Urgency,
};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsEvent};
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

/// Where Debian's asterisk-core-sounds-en-wav puts the recordings: s16 at 8 kHz.
const SOUNDS: &str = "/usr/share/asterisk/sounds/en_US_f_Allison";

const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

fn recorded(name: &str) -> Vec<i16> {
    let path = Path::new(SOUNDS).join(name).with_added_extension("wav");
    let mut reader = hound::WavReader::open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: install asterisk-core-sounds-en-wav", path.display()));
    let samples = reader.samples::<i16>().map(|sample| sample.expect("the file is whole"));
    // Silence as a call keeps it around speech.
    [vec![0; 2_400], samples.collect(), vec![0; 800]].concat()
}

/// What `samples` at 8 kHz are in a call of `format`.
fn frames(samples: &[i16], format: Format) -> Vec<Frame> {
    let frame = |samples: &[i16]| {
        let bytes: Vec<u8> = match format {
            Format::Mulaw8k => samples.iter().map(|sample| mulaw(*sample)).collect(),
            Format::Pcm8k => samples.iter().flat_map(|sample| sample.to_le_bytes()).collect(),
            // Each sample twice: it adds mirror images above 4 kHz, as cheap converters do.
            Format::Pcm16k => {
                samples.iter().flat_map(|sample| [*sample; 2]).flat_map(i16::to_le_bytes).collect()
            }
        };
        Frame::new(format, &bytes).unwrap()
    };
    samples.chunks_exact(160).map(frame).collect()
}

/// ITU-T G.711, table 2.
fn mulaw(sample: i16) -> u8 {
    let magnitude = (i32::from(sample).abs() / 4 + 33).min(8_191);
    let segment = (magnitude.ilog2() - 5) as u8;
    let step = ((magnitude >> (segment + 1)) & 0x0f) as u8;
    !((u8::from(sample < 0) << 7) | (segment << 4) | step)
}

fn start(config: Config) -> Pocketsphinx {
    Pocketsphinx::start(config).unwrap()
}

fn one_thread() -> Config {
    Config { threads: NonZeroUsize::MIN, ..Config::default() }
}

fn session(engine: &Pocketsphinx, format: Format) -> Box<dyn SttSession> {
    engine.open(SttCall { format }).unwrap()
}

fn phrases(phrases: &[&str]) -> Expectation {
    let phrases = phrases.iter().map(|phrase| (*phrase).to_owned()).collect();
    Expectation { phrases, ..Expectation::default() }
}

fn digits(most: u8) -> Expectation {
    Expectation { digits: Some(1..=most), ..Expectation::default() }
}

/// Says it all, without asking yet.
fn say(session: &mut dyn SttSession, id: u32, expectation: &Expectation, frames: &[Frame]) {
    let segment = Segment { id: SegmentId(id), urgency: Urgency::Turn, expectation: expectation.clone() };
    session.begin(segment).unwrap();
    frames.iter().for_each(|frame| session.hear(frame).unwrap());
}

async fn answer(session: &mut dyn SttSession) -> SttEvent {
    poll_fn(|cx| session.poll_event(cx)).await.unwrap()
}

/// The transcript of what is said at once.
async fn heard(session: &mut dyn SttSession, expectation: &Expectation, frames: &[Frame]) -> String {
    say(session, 7, expectation, frames);
    session.flush().unwrap();
    match answer(session).await {
        SttEvent::Final { segment: SegmentId(7), text, flushed: true } => text,
        other => panic!("{other:?}"),
    }
}

/// The frames, at 16 kHz, that one of Flite's voices speaks.
async fn spoken(voice: VoiceName, text: &str) -> Vec<Frame> {
    let flite = Flite::start(flite::Config { voice, ..flite::Config::default() }).unwrap();
    let mut session = flite.open(TtsCall { format: Format::Pcm16k }).unwrap();
    session.speak(Clause { id: 0, text: text.into() }).unwrap();
    let mut frames = vec![Frame::silence(Format::Pcm16k); 15];
    loop {
        let mut frame = Frame::silence(Format::Pcm16k);
        match poll_fn(|cx| session.poll_next(cx, &mut frame)).await.unwrap() {
            TtsEvent::Audio => frames.push(frame),
            TtsEvent::Done { .. } => return frames,
            _ => {}
        }
    }
}

#[tokio::test]
async fn days_are_heard_in_every_format() {
    let engine = start(one_thread());
    for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
        let mut session = session(&engine, format);
        assert_eq!(session.mode(), SttMode::Segments);
        for (number, day) in DAYS.iter().enumerate() {
            let frames = frames(&recorded(&format!("digits/day-{number}")), format);
            assert_eq!(heard(&mut *session, &phrases(&DAYS), &frames).await, *day, "{format}");
        }
    }
}

#[tokio::test]
async fn most_digits_are_heard() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Mulaw8k);
    let mut right = 0;
    for digit in 0..10 {
        let frames = frames(&recorded(&format!("digits/{digit}")), Format::Mulaw8k);
        right += usize::from(heard(&mut *session, &digits(1), &frames).await == cardinal_words(digit));
    }
    assert!(right >= 8, "{right} of 10");
}

#[tokio::test]
async fn a_number_is_heard_digit_by_digit() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Mulaw8k);
    let samples = ["digits/1", "digits/9", "digits/0", "digits/2"].map(recorded).concat();
    let text = heard(&mut *session, &digits(4), &frames(&samples, Format::Mulaw8k)).await;
    assert_eq!(text, "one nine zero two");
}

#[tokio::test]
async fn synthetic_voices_say_yes_and_no() {
    let engine = start(one_thread());
    let expectation = phrases(&["yes", "no", "repeat"]);
    for voice in [VoiceName::Kal16, VoiceName::Rms, VoiceName::Slt] {
        let mut session = session(&engine, Format::Pcm16k);
        for (said, text) in [("Yes.", "yes"), ("No.", "no")] {
            let frames = spoken(voice, said).await;
            assert_eq!(heard(&mut *session, &expectation, &frames).await, text, "{voice}");
        }
    }
}

#[tokio::test]
async fn words_around_an_answer_do_not_hide_it() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Pcm16k);
    let frames = spoken(VoiceName::Rms, "On Monday, please.").await;
    let text = heard(&mut *session, &phrases(&DAYS), &frames).await;
    assert!(phrases(&DAYS).completes(&text) && text.contains("monday"), "{text}");
}

#[tokio::test]
async fn what_is_not_expected_is_not_taken_for_an_answer() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Mulaw8k);
    let expectation = phrases(&["yes", "no"]);
    for prompt in ["check-number-dial-again", "conf-now-muted", "digits/day-3", "digits/mon-9"] {
        let text = heard(&mut *session, &expectation, &frames(&recorded(prompt), Format::Mulaw8k)).await;
        assert!(!text.is_empty() && !expectation.completes(&text), "{prompt}: {text}");
    }
}

#[tokio::test]
async fn free_speech_is_heard_where_anything_may_be_said() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Pcm16k);
    let frames = spoken(VoiceName::Rms, "Please call me back in the morning.").await;
    let text = heard(&mut *session, &Expectation::anything(), &frames).await;
    assert_eq!(text, "please call me back in the morning");
}

#[tokio::test]
async fn silence_is_nothing() {
    let engine = start(one_thread());
    for expectation in [phrases(&DAYS), Expectation::anything()] {
        let mut session = session(&engine, Format::Mulaw8k);
        let silence = vec![Frame::silence(Format::Mulaw8k); 100];
        assert_eq!(heard(&mut *session, &expectation, &silence).await, "");
        assert_eq!(heard(&mut *session, &expectation, &[]).await, "");
    }
}

#[tokio::test]
async fn two_engines_hear_two_calls_at_once() {
    let engine = start(Config::default());
    let mut sessions = [session(&engine, Format::Mulaw8k), session(&engine, Format::Mulaw8k)];
    let days = phrases(&DAYS);
    for round in 0..4 {
        let said = [round, 6 - round];
        for (session, day) in sessions.iter_mut().zip(said) {
            say(&mut **session, 1, &days, &frames(&recorded(&format!("digits/day-{day}")), Format::Mulaw8k));
            session.flush().unwrap();
        }
        for (session, day) in sessions.iter_mut().zip(said) {
            let text = DAYS[day].to_owned();
            let expected = SttEvent::Final { segment: SegmentId(1), text, flushed: true };
            assert_eq!(answer(&mut **session).await, expected);
        }
    }
    assert_eq!(engine.counters().finished, 8);
}

#[tokio::test]
async fn more_grammars_than_are_kept_are_compiled_again() {
    let engine = start(Config { grammars: NonZeroUsize::MIN, ..one_thread() });
    let mut session = session(&engine, Format::Mulaw8k);
    let monday = frames(&recorded("digits/day-1"), Format::Mulaw8k);
    for other in ["tuesday", "sunday", "tuesday", "sunday"] {
        assert_eq!(heard(&mut *session, &phrases(&["monday", other]), &monday).await, "monday");
    }
}

#[tokio::test]
async fn a_phrase_that_cannot_be_pronounced_leaves_the_others() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Mulaw8k);
    let monday = frames(&recorded("digits/day-1"), Format::Mulaw8k);
    assert_eq!(heard(&mut *session, &phrases(&["zyzzx road", "monday", "friday"]), &monday).await, "monday");
}

#[tokio::test]
async fn an_abandoned_segment_is_never_answered() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Mulaw8k);
    let long = frames(&recorded("conf-usermenu"), Format::Mulaw8k);
    for again in [true, false] {
        say(&mut *session, 1, &Expectation::anything(), &long);
        session.flush().unwrap();
        // Either by word or by beginning another.
        if again {
            session.abandon();
        }
        let monday = frames(&recorded("digits/day-1"), Format::Mulaw8k);
        assert_eq!(heard(&mut *session, &phrases(&DAYS), &monday).await, "monday");
    }
}

#[tokio::test]
async fn beyond_the_queue_a_segment_is_refused_and_before_it_waits() {
    let engine = start(Config { queue: 2, ..one_thread() });
    let long = frames(&recorded("conf-usermenu"), Format::Mulaw8k);
    let mut sessions: Vec<_> = (0..4).map(|_| session(&engine, Format::Mulaw8k)).collect();
    let mut outcomes = Vec::new();
    for session in &mut sessions {
        say(&mut **session, 1, &Expectation::anything(), &long);
        outcomes.push(session.flush());
    }
    assert!(outcomes[0].is_ok() && outcomes[1].is_ok(), "{outcomes:?}");
    assert!(matches!(outcomes[3], Err(SttError::Overloaded { .. })), "{outcomes:?}");
    assert!(sessions[1].is_queued() && !sessions[3].is_queued());
    assert!(engine.counters().overloads > 0);
}

#[tokio::test]
async fn a_guess_is_not_queued_behind_others() {
    let engine = start(one_thread());
    let long = frames(&recorded("conf-usermenu"), Format::Mulaw8k);
    let mut turn = session(&engine, Format::Mulaw8k);
    say(&mut *turn, 1, &Expectation::anything(), &long);
    turn.flush().unwrap();
    let mut guess = session(&engine, Format::Mulaw8k);
    let expectation = Expectation::anything();
    guess.begin(Segment { id: SegmentId(1), urgency: Urgency::Partial, expectation }).unwrap();
    guess.hear(&Frame::silence(Format::Mulaw8k)).unwrap();
    assert!(matches!(guess.flush(), Err(SttError::Overloaded { .. })));
}

#[tokio::test]
async fn a_guess_that_gave_way_is_told_and_the_next_one_is_heard() {
    let engine = start(one_thread());
    let long = frames(&recorded("conf-usermenu"), Format::Mulaw8k);
    let monday = frames(&recorded("digits/day-1"), Format::Mulaw8k);
    let mut guess = session(&engine, Format::Mulaw8k);
    let expectation = Expectation::anything();
    guess.begin(Segment { id: SegmentId(1), urgency: Urgency::Partial, expectation }).unwrap();
    long.iter().for_each(|frame| guess.hear(frame).unwrap());
    guess.flush().unwrap();
    while engine.counters().running == 0 {
        std::thread::yield_now();
    }
    let mut turn = session(&engine, Format::Mulaw8k);
    assert_eq!(heard(&mut *turn, &phrases(&DAYS), &monday).await, "monday");
    let told = poll_fn(|cx| guess.poll_event(cx)).await;
    assert!(matches!(told, Err(SttError::Overloaded { .. })), "{told:?}");
    assert_eq!(heard(&mut *guess, &phrases(&DAYS), &monday).await, "monday");
}

#[tokio::test]
async fn a_segment_that_is_too_long_keeps_its_end() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Mulaw8k);
    let monday = frames(&recorded("digits/day-1"), Format::Mulaw8k);
    let silent = (Duration::from_secs(30).as_millis() / FRAME.as_millis()) as usize;
    let all = [vec![Frame::silence(Format::Mulaw8k); silent], monday.clone()].concat();
    assert_eq!(heard(&mut *session, &phrases(&DAYS), &all).await, "monday");
    assert_eq!(engine.dropped_frames(), monday.len() as u64);
}

#[test]
fn a_frame_in_another_format_is_refused() {
    let engine = start(one_thread());
    let mut session = session(&engine, Format::Mulaw8k);
    let error = session.hear(&Frame::silence(Format::Pcm16k)).unwrap_err();
    assert_eq!(error.to_string(), "pocketsphinx: a pcm-16k frame in a mulaw-8k call");
}

#[test]
fn a_missing_model_is_refused_by_its_path() {
    for (model, path) in [
        (Model { acoustic: "/nowhere".into(), ..Model::default() }, "/nowhere/feat.params"),
        (Model { language: "/nowhere.lm".into(), ..Model::default() }, "/nowhere.lm"),
        (Model { dictionary: "/nowhere.dict".into(), ..Model::default() }, "/nowhere.dict"),
    ] {
        let error = Pocketsphinx::start(Config { model, ..Config::default() }).unwrap_err();
        assert!(error.to_string().starts_with(&format!("speech model {path}: no such file")), "{error}");
        let StartError::Model(error) = error else { panic!("{error}") };
        assert!(
            matches!(SttError::from(error), SttError::Model { path: named, .. } if named == Path::new(path))
        );
    }
}

#[test]
fn another_file_is_refused_before_the_library_sees_it() {
    let path = Model::default().dictionary;
    let model = Model { language: path.clone(), ..Model::default() };
    let error = Pocketsphinx::start(Config { model, ..Config::default() }).unwrap_err();
    let expected =
        format!("speech model {}: it is not the file of Debian's pocketsphinx-en-us", path.display());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn the_dictionary_tells_words_without_a_pronunciation() {
    let dictionary = Dictionary::open(&Model::default().dictionary).unwrap();
    let expectation = phrases(&["half past nine", "zyzzx road", "I'd like the 3rd", "ten o'clock"]);
    assert_eq!(dictionary.missing_words(&expectation), ["zyzzx"]);
    assert!(dictionary.pronounceable("yes") && !dictionary.pronounceable("yes(2)x"));
    let error = Dictionary::open(Path::new("/nowhere")).unwrap_err();
    assert_eq!(error.path, Path::new("/nowhere"));
}

#[test]
fn it_shuts_down() {
    let engine = start(Config::default());
    assert!(engine.shut_down(Duration::from_secs(60)));
}
