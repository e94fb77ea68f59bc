//! What happens to a call, likely or not.

use proptest::prelude::*;
use ringway_turn::{Config, Speculation, StageKind};
use std::time::Duration;

/// A step of a world that need not make sense; ids are taken from what was asked, so that most are answered.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Wait(u64),
    Windows {
        speech: bool,
        count: u8,
    },
    /// The model hears speech, but its energy has fallen.
    Hush(u8),
    Answer {
        known: bool,
    },
    Partial,
    Segment,
    EndOfTurn(f32),
    Token(u8),
    ReplyEnd(u8),
    Made {
        words: u8,
        end: bool,
    },
    Played(u8),
    Sounding,
    Stale(u32),
    Dtmf(char),
    Text,
    Interrupt,
    Mute(bool),
    Stage {
        stage: StageKind,
        ready: bool,
    },
    Busy,
    /// A model's requests usually take so long from now on.
    Usually(u64),
    /// Whether there is a second model from now on.
    Second(bool),
    /// Between two languages, back and forth.
    Language(bool),
    /// The caller's leg has no network, or has it again.
    Leg {
        attached: bool,
    },
    /// Another process takes the call over.
    Handover,
    RespondNow,
    BotAway(bool),
    /// Who speaks from now on.
    Speaking(Option<u8>),
    /// How much of an answer so many turns ago was heard.
    Truncate {
        ago: u32,
        millis: u64,
    },
    /// A stage that was told to is in the call's language.
    Followed,
}

pub(super) fn stage() -> impl Strategy<Value = StageKind> {
    prop_oneof![Just(StageKind::Vad), Just(StageKind::Stt), Just(StageKind::Llm), Just(StageKind::Tts)]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..900u64).prop_map(Step::Wait),
        6 => (any::<bool>(), 1..14u8).prop_map(|(speech, count)| Step::Windows { speech, count }),
        2 => (1..6u8).prop_map(Step::Hush),
        4 => prop::bool::weighted(0.8).prop_map(|known| Step::Answer { known }),
        1 => Just(Step::Partial),
        1 => Just(Step::Segment),
        1 => (0.0..1.0f32).prop_map(Step::EndOfTurn),
        4 => (0..6u8).prop_map(Step::Token),
        2 => (0..8u8).prop_map(Step::ReplyEnd),
        4 => (0..4u8, any::<bool>()).prop_map(|(words, end)| Step::Made { words, end }),
        4 => (1..120u8).prop_map(Step::Played),
        2 => Just(Step::Sounding),
        1 => (0..9u32).prop_map(Step::Stale),
        1 => prop_oneof![Just('1'), Just('#'), Just('x')].prop_map(Step::Dtmf),
        1 => Just(Step::Text),
        1 => Just(Step::Interrupt),
        1 => any::<bool>().prop_map(Step::Mute),
        1 => (stage(), any::<bool>()).prop_map(|(stage, ready)| Step::Stage { stage, ready }),
        1 => Just(Step::Busy),
        2 => (1..900u64).prop_map(Step::Usually),
        1 => any::<bool>().prop_map(Step::Second),
        1 => any::<bool>().prop_map(Step::Language),
        3 => prop::bool::weighted(0.7).prop_map(|attached| Step::Leg { attached }),
        1 => Just(Step::RespondNow),
        1 => prop::bool::weighted(0.3).prop_map(Step::BotAway),
        1 => prop::option::of(0..3u8).prop_map(Step::Speaking),
        1 => (0..2u32, 0..4_000u64).prop_map(|(ago, millis)| Step::Truncate { ago, millis }),
        3 => Just(Step::Followed),
    ]
}

pub(super) fn config() -> impl Strategy<Value = Config> {
    let level = prop_oneof![
        Just(Speculation::Off),
        Just(Speculation::Stt),
        Just(Speculation::Llm),
        Just(Speculation::Tts)
    ];
    let early = prop::option::of((0..60u64).prop_map(Duration::from_millis));
    (level, any::<bool>(), any::<bool>(), prop::option::of(3_000..6_000u64), early, any::<bool>()).prop_map(
        |(speculation, energy, fixed, media, transcribe_after, hedge)| Config {
            hedge,
            speculation,
            transcribe_after,
            speculate_by_energy: energy,
            hang_over_fixed: fixed.then(|| Duration::from_millis(200)),
            media_timeout: media.map(Duration::from_millis),
            max_duration: Duration::from_secs(120),
            ..Config::default()
        },
    )
}
