//! Turns as they should go: their ends, their answers, what is remembered of them.

use crate::line::{Line, at, millis};
use ringway_turn::{
    After, CallerTurn, Command, Config, Event, Input, Latency, Memo, Playout, Purpose, RequestId,
    Speculation, SpeechState, StageKind, Stt, UtteranceId,
};
use std::time::Duration;

fn fixed() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

fn latency(line: &Line) -> Latency {
    let latency = |event: &Event| match event {
        Event::Latency { latency, .. } => Some(*latency),
        _ => None,
    };
    line.events().find_map(|(_, event)| latency(event)).expect("a turn was answered")
}

#[test]
fn the_bot_greets_and_answers_what_was_said() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "a table for two");
    line.run(6_000);
    assert_eq!(line.context(), ["Bot: Hi.", "Caller: a table for two", "Bot: You said a table for two."]);
}

#[test]
fn speculation_hides_the_services_behind_the_hang_over() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "a table");
    line.run(5_000);
    let answer = line.answered_after(1_800);
    assert!(answer <= 400, "{answer}");
    let mut slow = Line::greeted(Config { speculation: Speculation::Off, ..fixed() });
    slow.says(1_000, 1_800, "a table");
    slow.run(5_000);
    assert!(slow.answered_after(1_800) >= answer + 50, "{} {answer}", slow.answered_after(1_800));
}

#[test]
fn nothing_is_heard_before_the_turn_is_over() {
    let mut line = Line::greeted(Config {
        hang_over_fixed: Some(Duration::from_millis(900)),
        hang_over_max: Duration::from_secs(2),
        ..Config::default()
    });
    line.says(1_000, 1_800, "a table");
    line.run(5_000);
    assert_eq!(line.spoken(), ["Hi.", "You said a table."]);
    assert!(!line.sounds_between(1_000, 2_700));
    assert!(line.answered_after(1_800) <= 940);
}

#[test]
fn an_expected_answer_ends_the_turn_sooner_than_an_open_one() {
    let mut short = Line::greeted(Config::default());
    short.answers(1_000, 1_500, "tuesday");
    short.run(6_000);
    let mut long = Line::greeted(Config::default());
    long.says(1_000, 1_500, "well i think");
    long.run(6_000);
    assert!(short.answered_after(1_500) < 450, "{}", short.answered_after(1_500));
    assert!((700..760).contains(&long.answered_after(1_500)), "{}", long.answered_after(1_500));
}

#[test]
fn a_turn_model_shortens_and_extends_the_wait() {
    let answer = |probability| {
        let mut line = Line::greeted(Config::default());
        line.says(1_000, 1_500, "well i think");
        line.at(1_650, Input::EndOfTurn { probability });
        line.run(6_000);
        line.answered_after(1_500)
    };
    assert!(answer(1.0) < 450, "{}", answer(1.0));
    assert!((2_000..2_060).contains(&answer(0.0)), "{}", answer(0.0));
}

#[test]
fn the_silence_is_dated_from_where_the_energy_fell() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "a table");
    line.run(5_000);
    let flushed = line.log.iter().find_map(|(_, command)| match command {
        Command::Stt(Stt::Flush { until, .. }) => Some(*until),
        _ => None,
    });
    assert_eq!(flushed, Some(at(1_800)));
}

#[test]
fn the_parts_of_the_latency_sum_to_the_answer() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "a table");
    line.run(5_000);
    let parts = latency(&line);
    let services = parts.stt + parts.llm + parts.tools + parts.tts + parts.rebuild;
    assert_eq!(parts.end_of_turn + services + parts.playout, parts.answer);
    assert_eq!(millis(parts.answer), line.answered_after(1_800));
    assert!(millis(parts.stt) == 50 && millis(parts.llm) >= 100, "{parts:?}");
}

#[test]
fn speech_that_goes_on_discards_the_speculation() {
    let mut line =
        Line::greeted(Config { hang_over_fixed: Some(Duration::from_millis(700)), ..Config::default() });
    line.says(1_000, 1_500, "a table");
    line.says(2_000, 2_600, "for four");
    line.run(8_000);
    assert_eq!(line.context(), ["Bot: Hi.", "Caller: a table for four", "Bot: You said a table for four."]);
    for stage in [StageKind::Stt, StageKind::Llm, StageKind::Tts] {
        assert_eq!(line.count(|command| *command == Command::Event(Event::Wasted { stage })), 1, "{stage:?}");
    }
    assert_eq!(line.count(|command| matches!(command, Command::Stt(Stt::Continue { .. }))), 1);
    assert!(line.count(|command| matches!(command, Command::Playout(Playout::Clear { .. }))) == 1);
    assert!(!line.sounds_between(1_000, 3_250));
}

#[test]
fn the_energy_tells_the_first_silence_before_the_model_does() {
    let answer = |speculate_by_energy| {
        let mut line = Line::greeted(Config { speculate_by_energy, ..fixed() });
        line.says(1_000, 1_800, "a table");
        line.run(5_000);
        line.answered_after(1_800)
    };
    assert!(answer(true) + 40 <= answer(false), "{} {}", answer(true), answer(false));
}

/// A caller whose last words were guessed `age` before the end of them.
fn guessed(guess: &str, age: u64, config: Config) -> Line {
    let mut line = Line::greeted(config);
    line.says(1_000, 1_800, "a table");
    let (utterance, text) = (UtteranceId::default(), guess.to_owned());
    line.at(1_800 - age, Input::Partial { utterance, text, complete: false });
    line.run(5_000);
    line
}

#[test]
fn a_fresh_guess_spares_the_wait_for_the_transcript() {
    let waits = |config| guessed("A table.", 20, config).answered_after(1_800);
    let patient = waits(Config { speculate_on_guess: None, ..fixed() });
    assert!(waits(fixed()) + 40 <= patient, "{} {patient}", waits(fixed()));
    let line = guessed("A table.", 20, fixed());
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said("A table.".into())]);
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said A table.."]);
}

#[test]
fn a_wrong_guess_costs_a_request_and_nothing_else() {
    let line = guessed("a cable", 20, fixed());
    let said = |words: &str| CallerTurn::Said(words.into());
    assert_eq!(line.asked(), [CallerTurn::Joined, said("a cable"), said("a table")]);
    assert_eq!(line.count(|command| *command == Command::Event(Event::Wasted { stage: StageKind::Llm })), 1);
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said a table."]);
}

#[test]
fn an_old_guess_is_not_acted_on() {
    assert_eq!(guessed("a", 400, fixed()).asked().len(), 2);
}

/// Answered at so many milliseconds after the end of the speech, when the recogniser takes `delay`.
fn answered_by(delay: u64, transcribe_after: Option<u64>) -> (u64, Line) {
    let transcribe_after = transcribe_after.map(Duration::from_millis);
    let mut line = Line::greeted(Config { transcribe_after, ..fixed() });
    line.recogniser_takes(delay);
    line.says(1_000, 1_800, "a table");
    line.run(5_000);
    (line.answered_after(1_800), line)
}

#[test]
fn a_recogniser_that_is_asked_sooner_answers_sooner() {
    let ((usual, _), (sooner, line)) = (answered_by(100, None), answered_by(100, Some(20)));
    assert!(sooner + 30 <= usual, "{sooner} {usual}");
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said("a table".into())]);
}

#[test]
fn the_model_waits_for_the_pause_though_the_words_are_there() {
    let begins = |transcribe_after| {
        let (_, line) = answered_by(1, transcribe_after);
        line.last_asked().since(at(1_800))
    };
    assert!(begins(Some(20)) >= Duration::from_millis(60), "{:?}", begins(Some(20)));
    assert!(begins(Some(20)) <= begins(None), "{:?} {:?}", begins(Some(20)), begins(None));
}

#[test]
fn a_dip_of_the_energy_inside_a_sentence_costs_a_transcript_and_nothing_else() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_400, "an octo");
    line.says(1_480, 1_900, "pus");
    line.run(6_000);
    assert_eq!(line.count(|command| matches!(command, Command::Stt(Stt::Continue { .. }))), 1);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said("an octo pus".into())]);
}

#[test]
fn each_level_of_speculation_goes_so_far_and_no_further() {
    for (level, stages) in
        [(Speculation::Off, 0), (Speculation::Stt, 1), (Speculation::Llm, 2), (Speculation::Tts, 3)]
    {
        let mut line = Line::greeted(Config {
            hang_over_fixed: Some(Duration::from_millis(700)),
            speculation: level,
            ..Config::default()
        });
        line.says(1_000, 1_500, "a table");
        line.says(2_000, 2_600, "for four");
        line.run(8_000);
        assert_eq!(
            line.count(|command| matches!(command, Command::Event(Event::Wasted { .. }))),
            stages,
            "{level:?}"
        );
        assert_eq!(line.context()[1], "Caller: a table for four");
    }
}

#[test]
fn without_speculation_the_transcript_is_asked_for_at_the_end_of_the_turn() {
    let mut line = Line::greeted(Config { speculation: Speculation::Off, ..Config::default() });
    line.says(1_000, 1_500, "a table");
    line.run(5_000);
    let flush =
        line.when(|command| matches!(command, Command::Stt(Stt::Flush { purpose: Purpose::Turn, .. })));
    assert_eq!(flush, Some(2_200));
}

#[test]
fn a_turn_waits_for_its_transcript_however_late() {
    let mut line = Line::greeted(fixed());
    line.recogniser_takes(1_500);
    line.says(1_000, 1_800, "a table");
    line.run(8_000);
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said a table."]);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said("a table".into())]);
}

#[test]
fn a_pause_inside_a_sentence_is_one_turn_even_when_the_turn_seemed_over() {
    let mut line = Line::greeted(fixed());
    line.model_delay = 600;
    line.says(1_000, 1_500, "a table");
    line.says(2_000, 2_600, "for four please");
    line.run(8_000);
    assert_eq!(
        line.context()[1..],
        ["Caller: a table for four please", "Bot: You said a table for four please."]
    );
    assert!(line.count(|command| matches!(command, Command::CancelReply { .. })) >= 1);
    let last: Vec<_> = line
        .events()
        .filter_map(|(_, event)| match event {
            Event::Transcript { turn, text, last: true } => Some((turn.number(), text.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(last, [(1, "a table"), (1, "a table for four please")]);
    assert_eq!(line.count(|command| matches!(command, Command::Event(Event::BargeIn { .. }))), 0);
}

#[test]
fn the_first_clause_is_spoken_before_the_reply_is_complete() {
    let mut line = Line::greeted(fixed());
    line.dialogue(|cue| match cue {
        CallerTurn::Joined => ("Hi.".into(), After::Nothing),
        _ => ("Of course. There are tables by the window, and there are others in the garden, where it is quiet.".into(), After::Nothing),
    });
    line.says(1_000, 1_800, "a table");
    line.run(16_000);
    assert_eq!(line.spoken()[1], "Of course.");
    let first =
        line.when(|command| matches!(command, Command::Speak { text, .. } if text == "Of course.")).unwrap();
    let second = line
        .when(|command| matches!(command, Command::Speak { text, .. } if text.starts_with("There")))
        .unwrap();
    assert!(second >= first + 50, "{first} {second}");
    assert_eq!(
        line.context()[2],
        "Bot: Of course. There are tables by the window, and there are others in the garden, where it is quiet."
    );
}

#[test]
fn each_reply_is_told_the_conversation_without_the_cue() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "a table");
    line.says(5_000, 5_800, "for two");
    line.run(9_000);
    let (context, memo) = line
        .log
        .iter()
        .rev()
        .find_map(|(_, command)| match command {
            Command::Reply { context, .. } => Some((crate::line::said(context), context.memo.0.clone())),
            _ => None,
        })
        .unwrap();
    assert_eq!(context, ["Bot: Hi.", "Caller: a table", "Bot: You said a table."]);
    assert_eq!(memo, "after Said(\"a table\")");
}

#[test]
fn the_state_of_the_line_is_told_when_it_changes() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "a table");
    line.run(4_500);
    let states: Vec<_> = line
        .events()
        .filter_map(|(_, event)| match event {
            Event::State(state) => Some(*state),
            _ => None,
        })
        .collect();
    use SpeechState::{Listening, Speaking, Thinking};
    assert_eq!(states, [Thinking, Speaking, Listening, Thinking, Speaking, Listening]);
}

#[test]
fn what_was_heard_is_told_word_by_word() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 1_800, "a table");
    line.run(5_000);
    let heard: Vec<_> = line
        .events()
        .filter_map(|(_, event)| match event {
            Event::Heard { turn, text, last } if turn.number() == 1 => Some((text.as_str(), *last)),
            _ => None,
        })
        .collect();
    assert_eq!(
        heard,
        [
            ("You", false),
            ("You said", false),
            ("You said a", false),
            ("You said a table.", false),
            ("You said a table.", true),
        ]
    );
}

#[test]
fn a_click_is_not_even_recognised() {
    let mut line = Line::greeted(Config { noise_below: Duration::from_millis(200), ..fixed() });
    line.coughs(1_000, 1_020);
    line.run(3_000);
    assert_eq!(line.count(|command| matches!(command, Command::Stt(Stt::Flush { .. }))), 0);
    assert_eq!(line.count(|command| matches!(command, Command::Stt(Stt::Drop { .. }))), 1);
}

#[test]
fn a_cough_in_the_callers_turn_is_no_turn() {
    let mut line = Line::greeted(fixed());
    line.coughs(1_000, 1_200);
    line.run(5_000);
    assert_eq!(line.asked(), [CallerTurn::Joined]);
    assert_eq!(line.count(|command| matches!(command, Command::Stt(Stt::Drop { .. }))), 1);
}

#[test]
fn long_speech_of_which_nothing_was_understood_is_answered() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 2_000, "");
    line.run(5_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said(String::new())]);
    assert_eq!(line.context(), ["Bot: Hi.", "Bot: You said ."]);
}

#[test]
fn a_filler_bridges_a_slow_answer_once_and_is_not_remembered() {
    let mut line = Line::greeted(fixed());
    line.model_delay = 6_000;
    line.says(10_000, 10_800, "a table");
    line.run(22_000);
    assert_eq!(line.count(|command| matches!(command, Command::Event(Event::Filler { .. }))), 1);
    assert_eq!(line.when(|command| matches!(command, Command::Event(Event::Filler { .. }))), Some(13_300));
    let answer = millis(latency(&line).answer);
    assert!(answer > 6_000, "{answer}");
    assert!(line.context().iter().all(|said| !said.contains("moment")), "{:?}", line.context());
    assert_eq!(line.context().last().unwrap(), "Bot: You said a table.");
}

#[test]
fn a_filler_comes_sooner_when_a_stage_is_busy() {
    let mut line = Line::greeted(fixed());
    line.recogniser_takes(4_000);
    line.says(1_000, 1_800, "a table");
    line.at(2_000, Input::StageBusy { stage: StageKind::Stt });
    line.run(12_000);
    assert_eq!(line.when(|command| matches!(command, Command::Event(Event::Filler { .. }))), Some(2_800));
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said a table."]);
}

#[test]
fn speech_during_a_filler_continues_the_turn() {
    let mut line = Line::greeted(fixed());
    line.model_delay = 4_000;
    line.says(6_000, 6_800, "a table");
    line.says(9_600, 10_300, "for four");
    line.run(20_000);
    assert_eq!(line.context()[1..], ["Caller: a table for four", "Bot: You said a table for four."]);
}

#[test]
fn a_muted_caller_has_finished() {
    let mut line = Line::greeted(fixed());
    line.says(1_000, 9_000, "a table");
    line.at(1_800, Input::Mute { muted: true });
    line.run(6_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Said("a table".into())]);
}

#[test]
fn a_voice_without_word_marks_is_remembered_too() {
    let mut line = Line::greeted(fixed());
    line.word_marks = false;
    line.says(1_000, 1_800, "a table");
    line.run(6_000);
    assert_eq!(line.context()[2], "Bot: You said a table.");
}

#[test]
fn an_answer_that_a_turn_model_takes_back_is_asked_for_again() {
    let mut line =
        Line::greeted(Config { hang_over_fixed: Some(Duration::from_millis(700)), ..Config::default() });
    line.says(1_000, 1_500, "a table");
    line.at(1_700, Input::EndOfTurn { probability: 0.0 });
    line.run(6_000);
    let asked = line.count(|command| matches!(command, Command::Stt(Stt::Flush { .. })));
    let taken_back = line.count(|command| matches!(command, Command::Stt(Stt::Continue { .. })));
    assert_eq!((asked, taken_back), (2, 1));
    let wasted = Command::Event(Event::Wasted { stage: StageKind::Llm });
    assert_eq!(line.count(|command| *command == wasted), 1);
    assert_eq!(line.context(), ["Bot: Hi.", "Caller: a table", "Bot: You said a table."]);
}

#[test]
fn what_a_turn_model_said_before_the_voice_fell_counts_for_nothing() {
    let answer = |said_at| {
        let mut line = Line::greeted(Config::default());
        line.says(1_000, 1_500, "well i think");
        line.at(said_at, Input::EndOfTurn { probability: 1.0 });
        line.run(6_000);
        line.answered_after(1_500)
    };
    assert!((700..760).contains(&answer(1_400)), "{}", answer(1_400));
    // The detector's model is not sure yet that it fell.
    assert!(answer(1_540) < 450, "{}", answer(1_540));
}

#[test]
fn a_hundred_clauses_at_once_are_given_to_the_voice_as_it_has_made_those_before() {
    let mut line = Line::new(Config::default());
    let text: String = (0..100).map(|number| format!("Word{number}. ")).collect();
    let (request, memo) = (RequestId::default(), Memo::default());
    line.at(10, Input::Token { request, text: text.clone() });
    line.at(10, Input::ReplyEnd { request, after: After::Nothing, memo });
    line.run(20);
    assert_eq!(line.spoken().len(), 32);
    line.run(90_000);
    let spoken = line.spoken()[..100].join(" ");
    assert_eq!(spoken, text.trim());
    assert_eq!(line.context()[0], format!("Bot: {spoken}"));
}
