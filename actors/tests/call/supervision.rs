//! A stage dies, in each of three ways, and the caller hardly notices.

use crate::common::engines::REPLY;
use crate::common::{World, with_call};
use ringway_actors::{CallEventKind, Cause, Fault};
use ringway_turn::{Event, Speaker, StageKind};
use std::time::Duration;
use tokio::time::sleep as pass;

const SENTENCE: [&str; 6] = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"];

/// What a conversation with a fault in it came to.
struct Outcome {
    caller: Vec<String>,
    bot: Vec<&'static str>,
    deaths: Vec<(StageKind, Cause)>,
    pauses: Vec<Duration>,
    ended: bool,
}

impl Outcome {
    async fn of(mut world: World) -> Self {
        pass(Duration::from_secs(2)).await;
        let (bot, ended) = (world.line.heard(), world.line.ended().is_some());
        let mut outcome = Self { caller: Vec::new(), bot, deaths: Vec::new(), pauses: Vec::new(), ended };
        for event in world.drain() {
            match event {
                CallEventKind::Turn(Event::Message { who: Speaker::Caller, text, .. }) => {
                    outcome.caller.push(text)
                }
                CallEventKind::StageDied { stage, cause, .. } => outcome.deaths.push((stage, cause)),
                CallEventKind::StageRestarted { pause, .. } => outcome.pauses.push(pause),
                _ => {}
            }
        }
        outcome
    }

    /// The bot's answer word by word: each once, one at most begun twice.
    fn assert_answered(&self) {
        let reply: Vec<&str> = REPLY.split(' ').collect();
        let start = self.bot.iter().position(|word| *word == reply[0]).expect("an answer");
        let mut said = self.bot[start..].to_vec();
        let before = said.len();
        said.dedup();
        assert_eq!(said, reply, "each word is heard, in order");
        assert!(before - said.len() <= 1, "at most the word in progress is said twice: {:?}", self.bot);
    }
}

fn cause(fault: Fault) -> Cause {
    match fault {
        Fault::Error => Cause::Error,
        Fault::Panic => Cause::Panic,
        Fault::Stall => Cause::Stall,
    }
}

/// When the fault is injected.
#[derive(Clone, Copy)]
enum Moment {
    CallerSpeaks,
    BetweenTokens,
    BotSpeaks,
}

async fn wait_for(moment: Moment, world: &mut World) {
    match moment {
        Moment::CallerSpeaks => {
            world.line.until("the middle of the sentence", |line| line.left_to_say() <= 3).await
        }
        Moment::BetweenTokens => {
            world.line.until("the end of the sentence", |line| line.left_to_say() == 0).await;
            world.drain();
            // The first tokens come 60 ms after the request, the last 360 ms after it.
            while !world.drain().iter().any(is_request) {
                pass(Duration::from_millis(20)).await;
            }
            pass(Duration::from_millis(150)).await;
        }
        Moment::BotSpeaks => world.line.until("the third word", |line| line.heard().contains(&"india")).await,
    }
}

fn is_request(event: &CallEventKind) -> bool {
    let (llm, working) = (StageKind::Llm, ringway_actors::StageState::Working);
    matches!(event, CallEventKind::Stage { stage, state } if *stage == llm && *state == working)
}

/// A conversation in which `stage` gets `fault` at `moment`.
fn survives(stage: StageKind, fault: Fault, moment: Moment) {
    with_call(ringway_turn::Config::default(), |mut world| async move {
        pass(Duration::from_secs(2)).await;
        world.line.say(&SENTENCE);
        wait_for(moment, &mut world).await;
        world.line.call.inject(stage, fault).expect("the call lives");
        world.line.until("the answer's last word", |line| line.heard().last() == Some(&"papa")).await;
        let outcome = Outcome::of(world).await;
        assert_eq!(outcome.caller, [SENTENCE.join(" ")], "no word of the caller is lost");
        outcome.assert_answered();
        assert_eq!(outcome.deaths, [(stage, cause(fault))]);
        assert!(!outcome.ended, "the call goes on");
        println!("{stage:?} {fault:?}: pause {} ms", outcome.pauses[0].as_millis());
    });
}

macro_rules! survives {
    ($($name:ident: $stage:ident $fault:ident $moment:ident;)*) => {
        $(#[test]
        fn $name() {
            survives(StageKind::$stage, Fault::$fault, Moment::$moment);
        })*
    };
}

survives! {
    an_error_of_the_vad_while_the_caller_speaks_loses_no_word: Vad Error CallerSpeaks;
    a_panic_of_the_vad_while_the_caller_speaks_loses_no_word: Vad Panic CallerSpeaks;
    a_stall_of_the_vad_while_the_caller_speaks_loses_no_word: Vad Stall CallerSpeaks;
    an_error_of_the_recogniser_while_the_caller_speaks_loses_no_word: Stt Error CallerSpeaks;
    a_panic_of_the_recogniser_while_the_caller_speaks_loses_no_word: Stt Panic CallerSpeaks;
    a_stall_of_the_recogniser_while_the_caller_speaks_loses_no_word: Stt Stall CallerSpeaks;
    an_error_of_the_language_model_between_tokens_leaves_the_answer_whole: Llm Error BetweenTokens;
    a_panic_of_the_language_model_between_tokens_leaves_the_answer_whole: Llm Panic BetweenTokens;
    a_stall_of_the_language_model_between_tokens_leaves_the_answer_whole: Llm Stall BetweenTokens;
    an_error_of_the_voice_while_the_bot_speaks_repeats_a_word_at_most: Tts Error BotSpeaks;
    a_panic_of_the_voice_while_the_bot_speaks_repeats_a_word_at_most: Tts Panic BotSpeaks;
    a_stall_of_the_voice_while_the_bot_speaks_repeats_a_word_at_most: Tts Stall BotSpeaks;
}
