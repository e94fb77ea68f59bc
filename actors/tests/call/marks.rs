//! The thread that watches a media core is told whose code runs there.

use crate::common::engines::{self, GREETING, REPLY, Reader, Reciter, Speaker};
use crate::common::hooked::{Act, Hooked};
use crate::common::with_engines;
use ringway_actors::{CoreLoad, Engines};
use ringway_stages::llm::LanguageModel;
use ringway_stages::stt::SpeechToText;
use ringway_stages::tts::TextToSpeech;
use ringway_turn::StageKind;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep as pass;

/// Who did what while which stage was said to run; words count as one.
type Seen = Arc<Mutex<HashSet<(StageKind, Doing, Option<StageKind>)>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Doing {
    Open,
    Ask,
    Word,
}

fn note(seen: &Seen, load: &Arc<CoreLoad>, stage: StageKind) -> impl Fn(Act) -> bool + Send + Sync + 'static {
    let (seen, load) = (seen.clone(), load.clone());
    move |act| {
        let doing = match act {
            Act::Open => Doing::Open,
            Act::Ask => Doing::Ask,
            Act::Word(_) => Doing::Word,
        };
        seen.lock().unwrap().insert((stage, doing, load.running()));
        false
    }
}

#[test]
fn whatever_an_engine_does_is_seen_to_be_its_stages() {
    let seen = Seen::default();
    let of_engines = seen.clone();
    let engines = |load: &Arc<CoreLoad>| {
        let stt: Arc<dyn SpeechToText> = Arc::new(Reader);
        let llm: Arc<dyn LanguageModel> = Arc::new(Reciter);
        let tts: Arc<dyn TextToSpeech> = Arc::new(Speaker);
        Engines {
            stt: vec![Hooked::new(stt, note(&of_engines, load, StageKind::Stt))],
            llm: vec![Hooked::new(llm, note(&of_engines, load, StageKind::Llm))],
            tts: vec![Hooked::new(tts, note(&of_engines, load, StageKind::Tts))],
            ..engines::all()
        }
    };
    with_engines(ringway_turn::Config::default(), engines, |world| async move {
        pass(Duration::from_secs(2)).await;
        world.line.say(&["alpha"]);
        let whole = format!("{GREETING} {REPLY}");
        world.line.until("the answer", |line| line.heard().join(" ") == whole).await;
        assert_eq!(world.load.running(), None, "a test is no stage");
    });
    let stages = [StageKind::Stt, StageKind::Llm, StageKind::Tts];
    let each = |stage| [Doing::Open, Doing::Ask, Doing::Word].map(|doing| (stage, doing, Some(stage)));
    assert_eq!(*seen.lock().unwrap(), stages.into_iter().flat_map(each).collect());
}
