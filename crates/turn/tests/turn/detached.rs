//! The caller's leg loses its network and is attached again.

use crate::line::{Line, at};
use ringway_frame::Skew;
use ringway_turn::{
    After, CallerTurn, Command, Config, EndReason, Event, Input, Output, Playout, StageKind, Stt, Turn,
    Window,
};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

const GREETING: &str = "Bot: Hello, this is the booking line, what can I do for you.";

fn is_pause(command: &Command) -> bool {
    *command == Command::Playout(Playout::Pause)
}

fn is_resume(command: &Command) -> bool {
    *command == Command::Playout(Playout::Resume)
}

/// Commands between these moments.
fn commands(line: &Line, from: u64, until: u64) -> Vec<&Command> {
    let within = |(time, _): &&(_, Command)| (at(from)..at(until)).contains(time);
    line.log.iter().filter(within).map(|(_, command)| command).collect()
}

#[test]
fn a_reply_that_sounds_goes_on_where_the_ear_was() {
    let mut whole = Line::new(config());
    whole.run(20_000);
    let mut line = Line::new(config());
    line.detaches(1_500, 15_000);
    line.run(10_000);
    assert!(line.turn.is_detached());
    line.run(35_000);
    assert_eq!(line.context()[0], GREETING);
    assert_eq!(line.count(|command| matches!(command, Command::Playout(Playout::Clear { .. }))), 0);
    let greeting = |line: &Line| line.sound.iter().filter(|(_, epoch)| epoch.number() == 1).count();
    assert_eq!(greeting(&line), greeting(&whole), "every frame once");
}

#[test]
fn no_deadline_comes_nearer_while_nobody_is_there() {
    let prompted = |line: &Line| {
        let cue = |command: &Command| matches!(command, Command::Reply { caller: CallerTurn::Silent(1), .. });
        line.when(cue).expect("a silent caller is asked")
    };
    let mut whole = Line::greeted(config());
    whole.run(20_000);
    let mut line = Line::greeted(config());
    line.detaches(3_000, 60_000);
    line.run(90_000);
    assert_eq!(prompted(&line), prompted(&whole) + 60_000);
}

#[test]
fn nothing_is_decided_while_it_is_away() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table");
    line.recogniser_takes(400);
    line.loses(StageKind::Llm, 2_500, 500);
    line.at(3_000, Input::Text { text: "for two".into() });
    line.at(3_100, Input::Dtmf { digit: '7' });
    line.at(3_200, Input::Interrupt);
    line.detaches(1_900, 8_000);
    line.run(9_899);
    assert_eq!(commands(&line, 1_901, 9_899), [] as [&Command; 0]);
    line.run(20_000);
    let said: Vec<_> = line.context().into_iter().filter(|message| message.starts_with("Caller")).collect();
    assert_eq!(said.join(" ").matches("a table").count(), 1, "{said:?}");
    assert_eq!(said.join(" ").matches("for two").count(), 1, "{said:?}");
}

#[test]
fn an_utterance_goes_on_over_the_hole_and_none_of_it_is_lost() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_640, "I would like");
    line.says(6_500, 7_200, "a table");
    line.detaches(1_640, 4_800);
    line.run(12_000);
    assert_eq!(line.context()[1..], ["Caller: I would like a table", "Bot: You said I would like a table."]);
    assert_eq!(line.count(|command| matches!(command, Command::Stt(Stt::Begin { .. }))), 1);
    let until = line.log.iter().find_map(|(_, command)| match command {
        Command::Stt(Stt::Close { until, .. }) => Some(until.as_millis()),
        _ => None,
    });
    assert!(
        until.is_some_and(|until| (7_000..7_400).contains(&until)),
        "dates are those of the audio: {until:?}"
    );
}

#[test]
fn the_pause_before_the_hole_ends_the_turn_behind_it() {
    let mut line = Line::greeted(Config { hang_over_fixed: Some(Duration::from_millis(600)), ..config() });
    line.says(1_000, 1_600, "a table");
    line.detaches(1_800, 5_000);
    line.run(12_000);
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said a table."]);
    let told = line.events().find(|(_, event)| matches!(event, Event::Transcript { last: true, .. }));
    let (when, _) = told.expect("a turn");
    assert!((7_000..7_400).contains(&when), "400 ms were left of the hang-over: {when}");
}

#[test]
fn a_pause_of_the_bot_ends_once_however_long_the_leg_was_away() {
    let mut line = Line::new(config());
    line.coughs(1_000, 1_050);
    line.detaches(1_100, 30_000);
    line.run(60_000);
    assert_eq!((line.count(is_pause), line.count(is_resume)), (1, 1));
    assert_eq!(line.context()[0], GREETING);
}

#[test]
fn what_is_typed_meanwhile_is_answered_when_it_is_back() {
    let mut line = Line::new(config());
    line.detaches(1_500, 5_000);
    line.at(3_000, Input::Text { text: "on Monday".into() });
    line.run(12_000);
    let asked = line.asked();
    assert_eq!(asked[..2], [CallerTurn::Joined, CallerTurn::Said("on Monday".into())]);
    assert_eq!(line.last_asked(), at(6_500));
    assert!(line.context()[0].len() < GREETING.len(), "typing interrupts the bot: {:?}", line.context());
    assert_eq!(line.context()[1..], ["Caller: on Monday", "Bot: You said on Monday."]);
}

#[test]
fn a_stage_that_was_rebuilt_meanwhile_is_asked_again_when_it_is_back() {
    let mut line = Line::new(config());
    line.loses(StageKind::Tts, 400, 300);
    line.detaches(330, 5_000);
    line.run(20_000);
    assert_eq!(line.context()[0], GREETING);
    assert!(line.log.iter().all(|(time, command)| {
        !matches!(command, Command::Speak { .. }) || !(at(331)..at(5_330)).contains(time)
    }));
}

#[test]
fn a_call_that_ends_meanwhile_holds_what_was_heard_and_said() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table");
    line.recogniser_takes(400);
    line.detaches(1_900, 60_000);
    line.at(20_000, Input::Ended { reason: EndReason::Operator });
    line.run(25_000);
    assert!(line.turn.is_over());
    assert_eq!(line.context(), ["Bot: Hi.", "Caller: a table"]);
}

#[test]
fn the_longest_call_ends_while_nobody_is_there() {
    let mut line = Line::new(Config { max_duration: Duration::from_secs(9), ..config() });
    line.detaches(1_500, 60_000);
    line.run(30_000);
    let end = line.when(|command| matches!(command, Command::HangUp { reason: EndReason::MaxDuration }));
    assert_eq!(end, Some(9_000));
}

#[test]
fn a_last_clause_and_an_apology_wait_for_the_ear() {
    let mut line = Line::new(config());
    line.at(1_000, Input::StageGone { stage: StageKind::Tts });
    line.detaches(1_200, 20_000);
    line.run(15_000);
    assert!(!line.turn.is_over());
    line.run(30_000);
    let end = line.when(|command| matches!(command, Command::HangUp { .. }));
    assert!(end.is_some_and(|end| end > 21_200), "{end:?}");
}

#[test]
fn a_frame_that_is_told_late_counts_and_none_is_taken_back() {
    let mut line = Line::new(config());
    line.run(1_500);
    let (epoch, heard) = (line.sound[0].1, line.sound.len() as u32);
    line.at(1_501, Input::Detached);
    line.at(1_600, Input::Played { epoch, frames: heard + 40 });
    line.at(1_700, Input::Played { epoch, frames: heard });
    line.at(1_800, Input::Ended { reason: EndReason::Caller });
    line.run(2_000);
    let said = line.context()[0].strip_prefix("Bot: ").expect("the greeting").len() as u32;
    assert!(said * 3 > heard, "{said} characters in {heard} frames");
}

#[test]
fn windows_of_the_hole_are_neither_silence_nor_speech() {
    let mut turn = Turn::new(config());
    let window = |millis: u64, probability| {
        Input::Window(Window { until: at(millis), probability, loud_until: at(millis), skew: Skew::ZERO })
    };
    turn.handle(Input::BotAway { away: true }, at(0));
    turn.handle(Input::Started, at(0));
    for millis in (32..=512).step_by(32) {
        turn.handle(window(millis, 0.9), at(millis));
    }
    turn.handle(Input::Detached, at(512));
    for millis in (544..=9_000).step_by(32) {
        turn.handle(window(millis, 0.0), at(millis));
    }
    turn.handle(Input::Attached, at(9_000));
    turn.handle(window(9_032, 0.9), at(9_032));
    assert!(turn.caller_has_the_floor());
    while let Output::Command(command) = turn.poll() {
        assert!(!matches!(command, Command::Stt(Stt::Flush { .. } | Stt::Drop { .. })), "{command:?}");
    }
}

#[test]
fn attaching_what_is_attached_changes_nothing_and_detaching_twice_is_detaching_once() {
    let mut line = Line::greeted(config());
    line.at(1_000, Input::Attached);
    line.detaches(2_000, 4_000);
    line.at(3_000, Input::Detached);
    line.at(7_000, Input::Attached);
    line.dialogue(|_| ("Hi.".into(), After::Nothing));
    line.run(30_000);
    let prompt = line.when(|command| matches!(command, Command::Reply { caller: CallerTurn::Silent(1), .. }));
    let mut whole = Line::greeted(config());
    whole.run(20_000);
    let usual = whole.when(|command| matches!(command, Command::Reply { caller: CallerTurn::Silent(1), .. }));
    assert_eq!(prompt, usual.map(|usual| usual + 4_000));
}

#[test]
fn what_could_not_wait_for_the_leg_is_counted_when_it_is_back() {
    let mut line = Line::greeted(config());
    line.feed(Input::Detached);
    for number in 0..4_096 + 3 {
        let request = ringway_turn::RequestId::new(1_000 + number);
        line.feed(Input::Token { request, text: "stale".into() });
    }
    let overflows = |line: &Line| {
        let of =
            |event: &Event| if let Event::DeferralOverflow { inputs } = event { Some(*inputs) } else { None };
        line.events().filter_map(|(_, event)| of(event)).collect::<Vec<_>>()
    };
    assert!(overflows(&line).is_empty());
    line.feed(Input::Attached);
    assert_eq!(overflows(&line), [3]);
    line.feed(Input::Detached);
    line.feed(Input::Attached);
    assert_eq!(overflows(&line), [3], "once");
}
