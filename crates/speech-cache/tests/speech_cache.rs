//! Speech from memory: the same as from the engine, and only what was complete.

use proptest::prelude::*;
use ringway_frame::{Format, Frame};
use ringway_speech_cache::{Config, Counters, Key, SpeechCache, Tiers};
use ringway_stages::flite::{self, Flite};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsError, TtsEvent, TtsSession};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Speaks two frames a character, and counts the clauses that it was asked for.
#[derive(Default)]
struct Engine {
    asked: Arc<AtomicUsize>,
}

impl Engine {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl TextToSpeech for Engine {
    fn name(&self) -> &str {
        "fake"
    }

    fn open(&self, _: TtsCall) -> Result<Box<dyn TtsSession>, TtsError> {
        Ok(Box::new(Speaking { asked: self.asked.clone(), clauses: VecDeque::new() }))
    }
}

struct Speaking {
    asked: Arc<AtomicUsize>,
    clauses: VecDeque<(Clause, u32, bool)>,
}

impl TtsSession for Speaking {
    fn speak(&mut self, clause: Clause) -> Result<(), TtsError> {
        if clause.text == "busy" {
            return Err(TtsError::Overloaded { queued: 1 });
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.clauses.push_back((clause, 0, false));
        Ok(())
    }

    fn cancel(&mut self) {
        self.clauses.clear();
    }

    fn poll_next(&mut self, _: &mut Context<'_>, frame: &mut Frame) -> Poll<Result<TtsEvent, TtsError>> {
        let Some((clause, frames, marked)) = self.clauses.front_mut() else { return Poll::Pending };
        let text = &clause.text;
        if text == "fails" && *frames == 3 {
            return Poll::Ready(Err(TtsError::Engine {
                engine: "fake".into(),
                reason: "out of voice".into(),
            }));
        }
        let upto = *frames / 2;
        if frames.is_multiple_of(2) && *frames > 0 && !*marked {
            *marked = true;
            return Poll::Ready(Ok(TtsEvent::Word { clause: clause.id, upto }));
        }
        let Some(letter) = text.as_bytes().get(upto as usize) else {
            let id = clause.id;
            self.clauses.pop_front();
            return Poll::Ready(Ok(TtsEvent::Done { clause: id }));
        };
        frame.payload_mut().fill(letter ^ (*frames % 2) as u8);
        (*frames, *marked) = (*frames + 1, false);
        Poll::Ready(Ok(TtsEvent::Audio))
    }
}

fn cache(bytes: u64) -> (Cache, Arc<Engine>) {
    cache_with(&Config { memory: bytes, ..Config::default() })
}

fn cache_with(config: &Config) -> (Cache, Arc<Engine>) {
    let engine = Arc::new(Engine::default());
    let tiers = Tiers::open(config).expect("a folder that can be used");
    (Cache { voice: SpeechCache::new(engine.clone(), "voice", 1.0, tiers.clone()), tiers }, engine)
}

/// A voice and what it remembers.
struct Cache {
    voice: SpeechCache,
    tiers: Arc<Tiers>,
}

impl Cache {
    fn counters(&self) -> Counters {
        self.tiers.counters().memory
    }

    fn disk(&self) -> Counters {
        self.tiers.counters().disk.expect("a disk")
    }
}

impl std::ops::Deref for Cache {
    type Target = SpeechCache;

    fn deref(&self) -> &SpeechCache {
        &self.voice
    }
}

fn call(cache: &SpeechCache, format: Format) -> Box<dyn TtsSession> {
    cache.open(TtsCall { format }).expect("the engine serves every call")
}

fn clause(id: u32, text: &str) -> Clause {
    Clause { id, text: text.into() }
}

/// What comes of a session until it waits: events, and the payload of each frame.
fn drain(session: &mut dyn TtsSession, format: Format) -> Result<(Vec<TtsEvent>, Vec<u8>), TtsError> {
    let mut frame = Frame::silence(format);
    let (mut events, mut audio) = (Vec::new(), Vec::new());
    while let Poll::Ready(event) = session.poll_next(&mut Context::from_waker(Waker::noop()), &mut frame) {
        let event = event?;
        if event == TtsEvent::Audio {
            audio.extend_from_slice(frame.payload());
        }
        events.push(event);
    }
    Ok((events, audio))
}

fn say(cache: &SpeechCache, format: Format, text: &str) -> (Vec<TtsEvent>, Vec<u8>) {
    let mut session = call(cache, format);
    session.speak(clause(7, text)).expect("the queue is empty");
    drain(&mut *session, format).expect("the text does not fail")
}

const MEGABYTE: u64 = 1 << 20;

#[test]
fn a_clause_is_made_once_for_all_calls_and_sounds_the_same_from_memory() {
    for format in [Format::Mulaw8k, Format::Pcm8k, Format::Pcm16k] {
        let (cache, engine) = cache(MEGABYTE);
        let made = say(&cache, format, "yes it is");
        assert_eq!(made.1.len(), 18 * format.bytes());
        assert_eq!(say(&cache, format, "yes it is"), made);
        assert_eq!(engine.asked(), 1);
        let Counters { hits, misses, evictions, clauses, bytes, .. } = cache.counters();
        assert_eq!((hits, misses, evictions, clauses), (1, 1, 0, 1));
        assert!((made.1.len()..made.1.len() + 1_000).contains(&(bytes as usize)), "{bytes}");
    }
}

#[test]
fn another_format_is_another_clause() {
    let (cache, engine) = cache(MEGABYTE);
    say(&cache, Format::Mulaw8k, "yes");
    say(&cache, Format::Pcm8k, "yes");
    assert_eq!((engine.asked(), cache.counters().clauses), (2, 2));
}

#[test]
fn clauses_from_memory_and_from_the_engine_keep_their_order() {
    let (cache, engine) = cache(MEGABYTE);
    say(&cache, Format::Pcm8k, "b");
    let mut session = call(&cache, Format::Pcm8k);
    for (id, text) in (0..).zip(["a", "b", "c", "b"]) {
        session.speak(clause(id, text)).unwrap();
    }
    let (events, audio) = drain(&mut *session, Format::Pcm8k).unwrap();
    let done: Vec<_> = events.into_iter().filter(|event| matches!(event, TtsEvent::Done { .. })).collect();
    assert_eq!(done, [0, 1, 2, 3].map(|clause| TtsEvent::Done { clause }));
    let letters: Vec<u8> = audio.chunks(2 * Format::Pcm8k.bytes()).map(|frames| frames[0]).collect();
    assert_eq!(letters, b"abcb");
    assert_eq!(engine.asked(), 3);
}

#[test]
fn what_was_cancelled_is_not_kept() {
    let (cache, engine) = cache(MEGABYTE);
    let mut session = call(&cache, Format::Mulaw8k);
    session.speak(clause(1, "hello")).unwrap();
    session.speak(clause(2, "there")).unwrap();
    let mut frame = Frame::silence(Format::Mulaw8k);
    for _ in 0..4 {
        assert!(session.poll_next(&mut Context::from_waker(Waker::noop()), &mut frame).is_ready());
    }
    session.cancel();
    assert_eq!(drain(&mut *session, Format::Mulaw8k).unwrap().0, []);
    assert_eq!(cache.counters().clauses, 0);
    session.speak(clause(3, "hello")).unwrap();
    assert_eq!(drain(&mut *session, Format::Mulaw8k).unwrap().0.last(), Some(&TtsEvent::Done { clause: 3 }));
    assert_eq!((engine.asked(), cache.counters().clauses), (3, 1));
}

#[test]
fn what_failed_is_told_and_not_kept() {
    let (cache, _) = cache(MEGABYTE);
    let mut session = call(&cache, Format::Mulaw8k);
    session.speak(clause(1, "fails")).unwrap();
    assert!(matches!(drain(&mut *session, Format::Mulaw8k), Err(TtsError::Engine { .. })));
    assert!(matches!(session.speak(clause(2, "busy")), Err(TtsError::Overloaded { queued: 1 })));
    assert_eq!(cache.counters().clauses, 0);
}

#[test]
fn two_calls_that_ask_at_once_both_hear_all_of_it() {
    let (cache, engine) = cache(MEGABYTE);
    let mut sessions = [call(&cache, Format::Mulaw8k), call(&cache, Format::Mulaw8k)];
    for session in &mut sessions {
        session.speak(clause(7, "yes")).unwrap();
    }
    let [one, other] = sessions.map(|mut session| drain(&mut *session, Format::Mulaw8k).unwrap());
    assert_eq!(one, other);
    assert_eq!((engine.asked(), cache.counters().clauses), (2, 1));
    assert_eq!(say(&cache, Format::Mulaw8k, "yes"), one);
}

#[test]
fn what_was_not_asked_for_the_longest_goes_first() {
    let (large, _) = cache(MEGABYTE);
    say(&large, Format::Mulaw8k, "a");
    let (cache, engine) = cache(9 * large.counters().bytes);
    for letter in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        say(&cache, Format::Mulaw8k, letter);
    }
    assert_eq!((cache.counters().clauses, cache.counters().evictions), (9, 0));
    say(&cache, Format::Mulaw8k, "a");
    say(&cache, Format::Mulaw8k, "j");
    assert_eq!((cache.counters().clauses, cache.counters().evictions), (9, 1));
    let asked = engine.asked();
    for (letter, more) in [("a", 0), ("c", 0), ("b", 1)] {
        say(&cache, Format::Mulaw8k, letter);
        assert_eq!(engine.asked() - asked, more, "{letter}");
    }
}

#[test]
fn a_clause_that_would_drive_out_the_others_is_played_and_not_kept() {
    let (cache, engine) = cache(16_000);
    for _ in 0..2 {
        let (events, audio) = say(&cache, Format::Mulaw8k, "a long one");
        assert_eq!(audio.len(), 20 * 160);
        assert_eq!(events.last(), Some(&TtsEvent::Done { clause: 7 }));
    }
    assert_eq!((engine.asked(), cache.counters()), (2, Counters { misses: 2, ..Counters::default() }));
}

#[test]
fn a_cache_of_no_bytes_keeps_nothing() {
    let (cache, engine) = cache(0);
    for text in ["yes", "yes", "", ""] {
        say(&cache, Format::Mulaw8k, text);
    }
    assert_eq!((engine.asked(), cache.counters().clauses), (4, 0));
}

#[test]
fn too_many_clauses_from_memory_are_refused() {
    let (cache, _) = cache(MEGABYTE);
    say(&cache, Format::Mulaw8k, "yes");
    let mut session = call(&cache, Format::Mulaw8k);
    for id in 0..64 {
        session.speak(clause(id, "yes")).unwrap();
    }
    assert!(matches!(session.speak(clause(64, "yes")), Err(TtsError::Overloaded { queued: 64 })));
}

#[test]
fn phrases_can_be_made_before_the_first_call() {
    let (cache, engine) = cache(MEGABYTE);
    assert_eq!(cache.prefill(Format::Mulaw8k, ["yes", "no", "yes"]).unwrap(), 2);
    assert_eq!(cache.prefill(Format::Mulaw8k, ["no", "perhaps"]).unwrap(), 1);
    for text in ["yes", "no", "perhaps"] {
        say(&cache, Format::Mulaw8k, text);
    }
    assert_eq!(engine.asked(), 3);
    assert!(matches!(cache.prefill(Format::Mulaw8k, ["fails"]), Err(TtsError::Engine { .. })));
}

#[test]
fn a_voice_that_remembers_serves_as_long_as_its_engine_does() {
    let config = flite::Config { threads: NonZeroUsize::new(2).unwrap(), ..flite::Config::default() };
    let flite = Arc::new(Flite::start(config).unwrap());
    let tiers = Tiers::open(&Config { memory: 0, ..Config::default() }).unwrap();
    let cache = SpeechCache::new(flite.clone(), "slt", 1.0, tiers);
    assert_eq!(cache.slots(), Some(2));
    flite.shut_down(Duration::from_secs(3_600));
    assert_eq!(cache.slots(), Some(0));
}

#[tokio::test]
async fn flites_speech_is_the_same_from_memory() {
    let flite = Flite::start(flite::Config::default()).unwrap();
    let tiers = Tiers::open(&Config::default()).unwrap();
    let cache = SpeechCache::new(Arc::new(flite), "slt", 1.0, tiers.clone());
    let text = "Welcome. What day would you like?";
    // Within a runtime, as an async main would call it.
    assert_eq!(cache.prefill(Format::Pcm16k, [text]).unwrap(), 1);
    assert_eq!(cache.name(), "flite");
    let (events, audio) = say(&cache, Format::Pcm16k, text);
    let word = |upto| TtsEvent::Word { clause: 7, upto };
    let words: Vec<_> = events.iter().filter(|event| matches!(event, TtsEvent::Word { .. })).collect();
    assert_eq!(words, [8, 13, 17, 23, 27, 33].map(word).iter().collect::<Vec<_>>());
    let frames = audio.len() / Format::Pcm16k.bytes();
    assert!((60..200).contains(&frames), "{frames} frames");
    let mut session = call(&cache, Format::Pcm16k);
    session.speak(clause(8, "Something new.")).unwrap();
    let mut frame = Frame::silence(Format::Pcm16k);
    while poll_fn(|cx| session.poll_next(cx, &mut frame)).await.unwrap() != (TtsEvent::Done { clause: 8 }) {}
    let counters = tiers.counters().memory;
    assert_eq!((counters.hits, counters.clauses), (1, 2));
}

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ringway-speech-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.0).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// A process that begins with nothing in memory, and has looked through the folder.
    async fn opened(&self, memory: u64, disk: u64) -> (Cache, Arc<Engine>) {
        let dir = Some(self.0.clone());
        let (cache, engine) = cache_with(&Config { memory, disk, dir, ..Config::default() });
        settled(&cache).await;
        (cache, engine)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Orders are carried out one after the other, so that all before this one have been.
async fn settled(cache: &Cache) {
    assert!(cache.tiers.get(Key::of_phrase("nobody", "has said", 1.0)).await.is_none());
}

/// The same as [`say`], waiting for the disk.
async fn say_slowly(cache: &Cache, texts: &[&str]) -> Vec<u8> {
    let mut session = call(cache, Format::Mulaw8k);
    for (id, text) in (0..).zip(texts) {
        session.speak(clause(id, text)).expect("the queue is empty");
    }
    let (mut frame, mut audio, mut done) = (Frame::silence(Format::Mulaw8k), Vec::new(), Vec::new());
    while done.len() < texts.len() {
        match poll_fn(|cx| session.poll_next(cx, &mut frame)).await.expect("the text does not fail") {
            TtsEvent::Audio => audio.extend_from_slice(frame.payload()),
            TtsEvent::Word { .. } => {}
            TtsEvent::Done { clause } => done.push(clause),
        }
    }
    assert_eq!(done, (0..texts.len() as u32).collect::<Vec<_>>());
    drop(session);
    settled(cache).await;
    audio
}

#[tokio::test]
async fn what_was_said_is_still_there_after_a_restart() {
    let folder = Folder::new("restart");
    let (cache, engine) = folder.opened(MEGABYTE, MEGABYTE).await;
    let made = say_slowly(&cache, &["good day", "and welcome"]).await;
    assert_eq!((engine.asked(), cache.disk().clauses), (2, 2));
    assert_eq!(folder.files().len(), 2);

    let (restarted, engine) = folder.opened(MEGABYTE, MEGABYTE).await;
    assert_eq!(say_slowly(&restarted, &["good day", "and welcome"]).await, made);
    assert_eq!((engine.asked(), restarted.disk().hits, restarted.counters().clauses), (0, 2, 2));
    say_slowly(&restarted, &["good day"]).await;
    assert_eq!((restarted.disk().hits, restarted.counters().hits), (2, 1));
}

#[tokio::test]
async fn clauses_of_disk_memory_and_engine_keep_their_order() {
    let folder = Folder::new("order");
    let (cache, _) = folder.opened(MEGABYTE, MEGABYTE).await;
    say_slowly(&cache, &["b", "d"]).await;
    let (cache, engine) = folder.opened(MEGABYTE, MEGABYTE).await;
    say_slowly(&cache, &["a"]).await;
    // From engine, disk, engine, disk, memory, engine.
    let audio = say_slowly(&cache, &["x", "b", "y", "d", "a", "z"]).await;
    let letters: Vec<u8> = audio.chunks(2 * Format::Mulaw8k.bytes()).map(|frames| frames[0]).collect();
    assert_eq!(letters, b"xbydaz");
    assert_eq!(engine.asked(), 4);
}

#[tokio::test]
async fn a_damaged_file_is_dropped_counted_and_made_again() {
    let folder = Folder::new("damaged");
    let (cache, _) = folder.opened(MEGABYTE, MEGABYTE).await;
    let made = say_slowly(&cache, &["good day"]).await;
    let [file] = &folder.files()[..] else { panic!("one file") };
    let whole = std::fs::read(file).unwrap();
    for damaged in [&whole[..whole.len() - 7], &[&whole[..100], b"x", &whole[101..]].concat(), b""] {
        std::fs::write(file, damaged).unwrap();
        let (cache, engine) = folder.opened(MEGABYTE, MEGABYTE).await;
        assert_eq!(say_slowly(&cache, &["good day"]).await, made);
        assert_eq!((engine.asked(), cache.disk().damaged, cache.disk().hits), (1, 1, 0));
        assert_eq!(std::fs::read(file).unwrap(), whole);
    }
}

#[tokio::test]
async fn on_the_disk_too_what_was_not_asked_for_the_longest_goes_first() {
    let folder = Folder::new("oldest");
    let (cache, _) = folder.opened(MEGABYTE, MEGABYTE).await;
    say_slowly(&cache, &["a"]).await;
    let eight = 8 * cache.disk().bytes;
    let (cache, engine) = folder.opened(0, eight).await;
    for text in ["b", "c", "d", "e", "f", "g", "h", "a", "i"] {
        say_slowly(&cache, &[text]).await;
    }
    assert_eq!((cache.disk().evictions, cache.disk().clauses, folder.files().len()), (1, 8, 8));
    assert!(cache.disk().bytes <= eight);
    let asked = engine.asked();
    for (text, more) in [("a", 0), ("c", 0), ("i", 0), ("b", 1)] {
        say_slowly(&cache, &[text]).await;
        assert_eq!(engine.asked() - asked, more, "{text}");
    }
    // Another process finds the order in the files: "e" is the oldest now that "d" has gone for "b".
    let (restarted, other) = folder.opened(0, eight).await;
    for (text, more) in [("j", 1), ("b", 1), ("a", 1), ("e", 2)] {
        say_slowly(&restarted, &[text]).await;
        assert_eq!(other.asked(), more, "{text}");
    }
}

#[tokio::test]
async fn two_processes_on_one_folder_do_not_break_one_another() {
    let folder = Folder::new("two");
    let (one, one_engine) = folder.opened(0, MEGABYTE).await;
    let (other, other_engine) = folder.opened(0, 4 * 1_024).await;
    for text in ["a", "b", "c", "d", "e", "f", "g", "h", "a", "b"].repeat(6) {
        let said = say_slowly(&one, &[text]).await;
        assert_eq!(say_slowly(&other, &[text]).await, said);
        assert_eq!(say_slowly(&one, &[text]).await, said);
    }
    assert!(one_engine.asked() < 120, "{}", one_engine.asked());
    assert!(other_engine.asked() <= 60, "{}", other_engine.asked());
    assert_eq!((one.disk().damaged, other.disk().damaged), (0, 0));
    assert!(folder.files().iter().all(|file| file.extension().unwrap() == "wav"));
}

#[tokio::test]
async fn what_is_cleared_is_gone_from_both_tiers_and_other_files_stay() {
    let folder = Folder::new("clear");
    let (cache, engine) = folder.opened(MEGABYTE, MEGABYTE).await;
    say_slowly(&cache, &["a", "b", "c"]).await;
    let other = folder.0.join("notes.wav");
    std::fs::write(&other, "of somebody else").unwrap();
    assert_eq!(cache.tiers.clear().await.unwrap(), 3);
    assert_eq!((cache.counters().clauses, cache.disk().clauses, folder.files()), (0, 0, vec![other]));
    say_slowly(&cache, &["a"]).await;
    assert_eq!(engine.asked(), 4);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let dir = Some("/dev/null/speech".into());
    let error = Tiers::open(&Config { dir, ..Config::default() }).unwrap_err().to_string();
    assert!(error.starts_with("tts_cache.dir: /dev/null/speech: "), "{error}");
}

proptest! {
    #[test]
    fn the_bound_holds_whatever_is_said(bytes in 0_u64..12_000, said in prop::collection::vec("[a-d]{0,4}", 0..60)) {
        let (cache, engine) = cache(bytes);
        for (nth, text) in (1..).zip(&said) {
            let (events, audio) = say(&cache, Format::Mulaw8k, text);
            prop_assert_eq!(events.last(), Some(&TtsEvent::Done { clause: 7 }));
            let letters: Vec<u8> = audio.chunks(320).map(|frames| frames[0]).collect();
            prop_assert_eq!(letters, text.as_bytes());
            let counters = cache.counters();
            prop_assert!(counters.bytes <= bytes);
            prop_assert_eq!(counters.hits + counters.misses, nth);
            prop_assert_eq!(counters.misses, engine.asked() as u64);
        }
    }
}
