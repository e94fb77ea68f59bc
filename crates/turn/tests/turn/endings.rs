//! How calls end, each of them by itself.

use crate::line::{Line, at};
use ringway_frame::{Epoch, Skew};
use ringway_turn::{
    After, CallerTurn, ClauseId, Command, Config, EndReason, Input, Memo, Output, Playout, RequestId,
    StageKind, Turn, Window,
};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

fn hang_up(line: &Line) -> Option<(u64, EndReason)> {
    line.log.iter().find_map(|(time, command)| match command {
        Command::HangUp { reason } => Some((time.as_millis(), reason.clone())),
        _ => None,
    })
}

fn says_goodbye(line: &mut Line, after: After) {
    line.dialogue(move |cue| match cue {
        CallerTurn::Joined => ("Hi.".into(), After::Nothing),
        CallerTurn::Said(words) if words == "bye" => ("Good bye and thank you.".into(), after.clone()),
        _ => ("Fine.".into(), After::Nothing),
    });
}

#[test]
fn a_silent_caller_is_asked_twice_and_then_the_call_ends() {
    let mut line = Line::greeted(config());
    line.run(60_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Silent(1), CallerTurn::Silent(2)]);
    assert_eq!(hang_up(&line).unwrap().1, EndReason::Silence);
}

#[test]
fn a_word_starts_the_prompts_again() {
    let mut line = Line::greeted(config());
    line.says(10_000, 10_500, "here");
    line.run(22_000);
    let said = CallerTurn::Said("here".into());
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Silent(1), said, CallerTurn::Silent(1)]);
}

#[test]
fn the_call_ends_when_the_goodbye_has_been_heard() {
    let mut line = Line::greeted(config());
    says_goodbye(&mut line, After::HangUp);
    line.says(1_000, 1_500, "bye");
    line.run(8_000);
    assert_eq!(hang_up(&line).unwrap().1, EndReason::Completed);
    assert_eq!(line.context().last().unwrap(), "Bot: Good bye and thank you.");
}

#[test]
fn the_call_is_transferred_when_the_words_have_been_heard() {
    let mut line = Line::greeted(config());
    says_goodbye(&mut line, After::Transfer("+4912345".into()));
    line.says(1_000, 1_500, "bye");
    line.run(8_000);
    let transfer = line.when(|command| matches!(command, Command::Transfer { to } if to == "+4912345"));
    assert!(transfer.is_some_and(|at| at > 3_000), "{transfer:?}");
    assert!(line.turn.is_over());
}

#[test]
fn a_caller_who_speaks_over_a_goodbye_is_listened_to() {
    let mut line = Line::greeted(config());
    says_goodbye(&mut line, After::HangUp);
    line.says(1_000, 1_500, "bye");
    line.says(2_200, 2_900, "wait one more thing");
    line.run(6_000);
    assert_eq!(hang_up(&line), None);
    assert_eq!(line.context().last().unwrap(), "Bot: Fine.");
}

#[test]
fn a_noise_over_a_goodbye_does_not_keep_the_line_open() {
    let mut line = Line::greeted(config());
    says_goodbye(&mut line, After::HangUp);
    line.says(1_000, 1_500, "bye");
    line.says(2_200, 2_600, "");
    line.run(6_000);
    assert_eq!(hang_up(&line).unwrap().1, EndReason::Completed);
}

#[test]
fn keys_pressed_over_a_goodbye_are_answered() {
    let mut line = Line::greeted(config());
    says_goodbye(&mut line, After::HangUp);
    line.says(1_000, 1_500, "bye");
    line.says(2_150, 2_600, "");
    line.presses(2_300, "1#");
    line.run(6_000);
    assert_eq!(hang_up(&line), None);
    assert_eq!(line.asked().last(), Some(&CallerTurn::Pressed("1".into())));
}

#[test]
fn audio_that_the_playout_never_reports_is_void_after_a_while() {
    let mut turn = Turn::new(Config::default());
    let (epoch, clause) = (Epoch::new(1), ClauseId::default());
    turn.handle(Input::Started, at(0));
    turn.handle(Input::Token { request: RequestId::default(), text: "Hello.".into() }, at(0));
    let request = RequestId::default();
    turn.handle(Input::ReplyEnd { request, after: After::Nothing, memo: Memo::default() }, at(0));
    turn.handle(Input::ClauseEnd { epoch, clause, frames: 50 }, at(0));
    while let Output::Command(_) = turn.poll() {}
    assert_eq!(turn.poll(), Output::Timeout(at(2_000)), "50 frames and the grace of a second");
    turn.handle(Input::Tick, at(2_000));
    assert_eq!(turn.poll(), Output::Command(Command::CancelSpeech { epoch }));
    let clear = Playout::Clear { epoch: epoch.next(), turn: ringway_turn::TurnNumber::default() };
    assert_eq!(turn.poll(), Output::Command(Command::Playout(clear)));
    assert_eq!(turn.context().messages, []);
}

#[test]
fn a_goodbye_that_was_interrupted_by_hand_is_followed_after_silence() {
    let mut line = Line::greeted(config());
    says_goodbye(&mut line, After::HangUp);
    line.says(1_000, 1_500, "bye");
    line.at(2_200, Input::Interrupt);
    line.run(20_000);
    assert_eq!(hang_up(&line), Some((9_200, EndReason::Completed)));
}

#[test]
fn the_longest_call_ends_with_the_clause_that_is_spoken() {
    let mut line = Line::new(Config { max_duration: Duration::from_secs(1), ..config() });
    line.dialogue(|_| {
        ("This is the first sentence. This is the second sentence. And the third.".into(), After::Nothing)
    });
    line.run(10_000);
    let (time, reason) = hang_up(&line).unwrap();
    assert_eq!(reason, EndReason::MaxDuration);
    assert!((1_500..2_200).contains(&time), "{time}");
    assert_eq!(line.context(), ["Bot: This is the first sentence."]);
}

#[test]
fn the_longest_call_ends_at_once_when_nothing_is_spoken() {
    let mut line = Line::greeted(Config { max_duration: Duration::from_secs(3), ..config() });
    line.run(10_000);
    assert_eq!(hang_up(&line), Some((3_000, EndReason::MaxDuration)));
}

#[test]
fn a_carrier_without_media_is_ended() {
    let mut turn = Turn::new(Config { media_timeout: Some(Duration::from_secs(10)), ..Config::default() });
    turn.handle(Input::Started, at(0));
    turn.handle(
        Input::Window(Window { until: at(32), probability: 0.0, loud_until: at(0), skew: Skew::ZERO }),
        at(32),
    );
    assert_eq!(end(&mut turn), (10_032, EndReason::NoMedia));
}

#[test]
fn a_browser_without_media_is_only_silent() {
    let mut turn = Turn::new(Config { media_timeout: None, give_up_after: None, ..Config::default() });
    turn.handle(Input::Started, at(0));
    assert_eq!(end(&mut turn).1, EndReason::MaxDuration, "the greeting never came");
}

#[test]
fn missing_windows_end_the_turn_like_silence() {
    let mut turn = Turn::new(Config::default());
    turn.handle(Input::Started, at(0));
    turn.handle(Input::Interrupt, at(0));
    for until in [32, 64, 96, 128] {
        turn.handle(
            Input::Window(Window {
                until: at(until),
                probability: 0.9,
                loud_until: at(until),
                skew: Skew::ZERO,
            }),
            at(until),
        );
    }
    while let Output::Command(_) = turn.poll() {}
    assert_eq!(turn.poll(), Output::Timeout(at(228)));
    turn.handle(Input::Tick, at(228));
    assert!(
        matches!(turn.poll(), Output::Command(Command::Stt(ringway_turn::Stt::Flush { until, .. })) if until == at(128))
    );
}

#[test]
fn a_stage_that_is_gone_is_apologised_for_before_the_call_ends() {
    for stage in [StageKind::Vad, StageKind::Stt, StageKind::Llm, StageKind::Tts] {
        let mut line = Line::new(config());
        line.at(1_000, Input::StageGone { stage });
        line.run(10_000);
        let apology = line.when(|command| matches!(command, Command::Apologise { .. })).unwrap();
        let (time, reason) = hang_up(&line).unwrap();
        assert_eq!((apology, reason), (1_000, EndReason::StageFailed(stage)));
        assert!((1_980..2_100).contains(&time), "50 frames of apology end at {time}");
    }
}

#[test]
fn an_apology_that_nobody_plays_ends_the_call_too() {
    let mut turn = Turn::new(Config::default());
    turn.handle(Input::Started, at(0));
    turn.handle(Input::StageGone { stage: StageKind::Tts }, at(500));
    assert_eq!(end(&mut turn), (8_500, EndReason::StageFailed(StageKind::Tts)));
}

#[test]
fn a_call_that_others_ended_closes_its_books_and_says_nothing_more() {
    let mut line = Line::new(config());
    line.at(1_500, Input::Ended { reason: EndReason::Caller });
    line.run(30_000);
    assert_eq!(hang_up(&line), None);
    assert!(line.turn.is_over() && line.context().len() == 1);
}

/// Runs the timers of a silent world to the end of the call.
fn end(turn: &mut Turn) -> (u64, EndReason) {
    let mut now = at(0);
    loop {
        match turn.poll() {
            Output::Command(Command::HangUp { reason }) => return (now.as_millis(), reason),
            Output::Command(_) => {}
            Output::Timeout(next) => {
                assert!(next > now && !turn.is_over(), "no end");
                now = next;
                turn.handle(Input::Tick, now);
            }
        }
    }
}
