//! A call goes on in another language.

use crate::line::{Line, said};
use ringway_turn::{
    After, CallerTurn, Command, Config, Event, Input, Language, Memo, Playout, RequestId, StageKind, Stt,
    ToolOutcome,
};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(200)), ..Config::default() }
}

fn german() -> Language {
    Language { code: "de".into(), name: "German".into(), filler: "Einen Moment, bitte.".into() }
}

fn english() -> Language {
    Language { code: "en".into(), name: "English".into(), filler: "One moment.".into() }
}

/// A caller who has asked for another language; the model's own words are far off.
fn asked() -> (Line, RequestId) {
    Line::waiting(config(), "german please")
}

fn began(request: RequestId) -> Input {
    Input::ToolBegan { request, tool: "switch_language".into(), filler: None }
}

fn ended(request: RequestId) -> Input {
    let (outcome, after) = (ToolOutcome::Done, Duration::from_millis(1));
    Input::ToolEnded {
        request,
        tool: "switch_language".into(),
        bytes: 17,
        outcome,
        after,
        tokens: 0,
        arguments: None,
    }
}

fn token(request: RequestId, text: &str) -> Input {
    Input::Token { request, text: text.into() }
}

fn follow(stage: StageKind) -> impl Fn(&Command) -> bool {
    move |command| *command == Command::Follow { stage }
}

fn speak<'t>(words: &'t str) -> impl Fn(&Command) -> bool + 't {
    move |command| matches!(command, Command::Speak { text, .. } if text == words)
}

/// The tool in the middle of a reply: words before it, and words behind it that come at once.
fn switched() -> (Line, RequestId) {
    let (mut line, request) = asked();
    line.at(2_150, token(request, "One second "));
    line.at(2_200, began(request));
    line.at(2_210, ended(request));
    line.at(2_210, Input::Language(german()));
    line.at(2_220, token(request, "Guten Tag. "));
    (line, request)
}

#[test]
fn the_words_behind_the_tool_are_the_new_voices_and_those_before_it_the_old_ones() {
    let (mut line, request) = switched();
    line.at(2_230, Input::ReplyEnd { request, after: After::Nothing, memo: Memo::default() });
    line.run(6_000);
    let [before, goes_over, behind] =
        [&speak("One second") as &dyn Fn(&Command) -> bool, &follow(StageKind::Tts), &speak("Guten Tag.")]
            .map(|wanted| line.when(wanted).expect("it came"));
    assert_eq!(before, 2_200);
    // Ten letters take some milliseconds to make, and the voice some to go over.
    assert!(before < goes_over && goes_over + 7 <= behind, "{before} {goes_over} {behind}");
    assert_eq!(line.spoken().iter().filter(|words| **words == "One second").count(), 1);
    assert_eq!(line.context()[1..], ["Caller: german please", "Bot: One second Guten Tag."]);
}

#[test]
fn the_new_voice_speaks_in_an_epoch_of_its_own() {
    let (mut line, _) = switched();
    line.run(4_000);
    let epochs: Vec<_> = line
        .log
        .iter()
        .filter_map(|(_, command)| match command {
            Command::Speak { epoch, text, .. } if text != "Hi." => Some(*epoch),
            _ => None,
        })
        .collect();
    assert_eq!(epochs.len(), 2);
    assert_eq!(epochs[0].next(), epochs[1]);
    let released = Command::Playout(Playout::Release(epochs[1]));
    assert_eq!(line.count(|command| *command == released), 1);
}

#[test]
fn the_recogniser_goes_over_between_two_utterances() {
    let (mut line, _) = asked();
    line.model_delay = 100;
    line.says(2_150, 3_000, "quickly");
    line.at(2_700, Input::Language(german()));
    line.run(6_000);
    let goes_over = line.when(follow(StageKind::Stt)).expect("it follows");
    let closed = line.log.iter().rfind(|(_, command)| matches!(command, Command::Stt(Stt::Close { .. })));
    let closed = closed.expect("the utterance is over").0.as_millis();
    assert!(goes_over >= closed && closed > 3_000, "{goes_over} {closed}");
    assert!(line.context()[1].ends_with("quickly"), "{:?}", line.context());
}

#[test]
fn the_next_request_tells_the_model_its_language_and_so_does_one_after_a_restart() {
    let (mut line, _) = switched();
    line.dialogue(|_| ("One second Guten Tag. Bitte?".into(), After::Nothing));
    line.loses(StageKind::Llm, 2_300, 50);
    line.run(2_400);
    let told: Vec<_> = line
        .log
        .iter()
        .filter_map(|(_, command)| match command {
            Command::Reply { context, .. } => Some(context.language.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(told.last(), Some(&"German"));
    assert!(told[..told.len() - 1].iter().all(|language| language.is_empty()));
}

#[test]
fn it_is_told_once_and_the_same_language_again_is_no_news() {
    let (mut line, _) = switched();
    line.at(2_300, Input::Language(german()));
    line.run(4_000);
    let told: Vec<_> = line
        .events()
        .filter_map(|(_, event)| match event {
            Event::Language { turn, language } => Some((turn.number(), language.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(1, "de".to_owned())]);
    assert_eq!(line.count(follow(StageKind::Stt)), 1);
}

#[test]
fn a_reply_that_is_broken_off_keeps_the_switch() {
    let (mut line, _) = switched();
    line.at(2_215, Input::Interrupt);
    line.run(3_000);
    assert_eq!(line.turn.language(), Some("de"));
    assert_eq!((line.count(follow(StageKind::Tts)), line.count(follow(StageKind::Stt))), (1, 1));
    line.model_delay = 100;
    line.says(3_200, 3_800, "hello");
    line.run(7_000);
    assert_eq!(line.context().last().map(String::as_str), Some("Bot: You said hello."));
}

#[test]
fn a_voice_that_dies_before_it_goes_over_ends_its_words_first() {
    let (mut line, _) = switched();
    line.loses(StageKind::Tts, 2_212, 100);
    line.run(5_000);
    let words: Vec<_> = line.spoken().into_iter().filter(|words| *words != "Hi.").collect();
    assert_eq!(words, ["One second", "One second", "Guten Tag."]);
    let goes_over = line.when(follow(StageKind::Tts)).expect("it follows");
    assert!(goes_over > 2_312, "{goes_over}");
}

#[test]
fn keys_behind_the_switch_are_the_new_voices_too_and_none_is_lost() {
    let (mut line, request) = switched();
    line.at(2_221, Input::Press { request, keys: "12#".into() });
    line.run(4_000);
    let order: Vec<_> = line
        .log
        .iter()
        .filter_map(|(_, command)| match command {
            Command::Follow { stage: StageKind::Tts } => Some("follow".to_owned()),
            Command::Speak { text, .. } if text != "Hi." => Some(text.clone()),
            Command::Press { keys, .. } => Some(keys.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["One second", "follow", "Guten Tag.", "12#"]);
}

#[test]
fn a_language_that_is_left_at_once_is_followed_out_again() {
    let (mut line, _) = switched();
    line.at(2_212, Input::Language(english()));
    line.run(5_000);
    assert_eq!(line.turn.language(), Some("en"));
    let last = line.log.iter().rposition(|(_, command)| matches!(command, Command::Language { .. }));
    let voice = line.log.iter().rposition(|(_, command)| follow(StageKind::Tts)(command));
    assert!(last < voice, "the voice is told after the language");
    assert_eq!(line.spoken().last(), Some(&"Guten Tag."), "nothing that was to be said is lost");
}

#[test]
fn the_filler_is_that_of_the_language() {
    let (mut line, request) = switched();
    line.at(2_230, Input::ReplyEnd { request, after: After::Nothing, memo: Memo::default() });
    line.run(5_000);
    line.says(6_000, 6_500, "hm hm");
    line.run(20_000);
    assert!(line.spoken().contains(&"Einen Moment, bitte."), "{:?}", line.spoken());
    assert!(!line.spoken().contains(&"One moment."));
}

#[test]
fn a_call_may_begin_in_another_language() {
    let mut line = Line::new(config());
    line.feed(Input::Language(german()));
    line.run(3_000);
    let greeting = line.log.iter().find_map(|(_, command)| match command {
        Command::Reply { caller: CallerTurn::Joined, context, .. } => Some(context.clone()),
        _ => None,
    });
    let greeting = greeting.expect("it is greeted");
    assert_eq!((greeting.language.as_str(), said(&greeting).len()), ("German", 0));
    let told = line.count(|it| matches!(it, Command::Language { .. } | Command::Follow { .. }));
    assert_eq!(told, 0, "its stages were built so");
}
