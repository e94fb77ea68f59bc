//! How soon a phrase begins that was said before: from memory, and from the disk.
//!
//! `cargo bench -p ringway-speech-cache --bench speech_cache`

use criterion::{Criterion, criterion_group, criterion_main};
use ringway_frame::{Format, Frame};
use ringway_speech_cache::{Config, SpeechCache, Tiers};
use ringway_stages::scripted::{self, ScriptedTts};
use ringway_stages::tts::{Clause, TextToSpeech, TtsCall, TtsEvent};
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const FORMAT: Format = Format::Mulaw8k;
const PHRASE: &str = "Of course. I will look that up for you.";

fn cache(memory: u64, dir: &Path) -> SpeechCache {
    let script = scripted::Config { tts: Duration::ZERO, ..scripted::Config::default() };
    let config = Config { memory, dir: Some(dir.to_owned()), ..Config::default() };
    let tiers = Tiers::open(&config).expect("a folder for temporary files");
    SpeechCache::new(Arc::new(ScriptedTts::new(&script)), "tone", 1.0, tiers)
}

/// A session is opened, asked for the phrase, and gives its first frame.
fn begin(runtime: &Runtime, cache: &SpeechCache) -> TtsEvent {
    runtime.block_on(async {
        let mut session = cache.open(TtsCall { format: FORMAT }).expect("a tone is always there");
        session.speak(Clause { id: 0, text: PHRASE.to_owned() }).expect("nothing waits");
        let mut frame = Frame::silence(FORMAT);
        poll_fn(|cx| session.poll_next(cx, &mut frame)).await.expect("a phrase")
    })
}

fn first_frame(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let dir = std::env::temp_dir().join(format!("ringway-bench-{}", std::process::id()));
    let mut group = criterion.benchmark_group("cached_phrase_first_frame");
    for (tier, memory) in [("memory", 32 << 20), ("disk", 0)] {
        let cache = cache(memory, &dir);
        cache.prefill(FORMAT, [PHRASE]).expect("a tone is always there");
        group.bench_function(tier, |bencher| {
            bencher.iter(|| assert_eq!(begin(&runtime, &cache), TtsEvent::Audio));
        });
    }
    group.finish();
    let _ = std::fs::remove_dir_all(dir);
}

criterion_group!(benches, first_frame);
criterion_main!(benches);
