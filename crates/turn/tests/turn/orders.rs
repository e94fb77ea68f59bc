//! What the caller's side and the API order.

use crate::line::{Line, at};
use ringway_turn::{
    CallerTurn, Command, Config, Event, Input, Message, Playout, Speaker, StageKind, Stt, TurnNumber,
};
use std::time::Duration;

fn config() -> Config {
    Config { hang_over_fixed: Some(Duration::from_millis(700)), ..Config::default() }
}

const GREETING: &str = "Bot: Hello, this is the booking line, what can I do for you.";

fn text(words: &str) -> Input {
    Input::Text { text: words.into() }
}

fn truncate(turn: u32, millis: u64) -> Input {
    Input::Truncate { turn: TurnNumber::new(turn), until: Duration::from_millis(millis) }
}

#[test]
fn what_is_typed_stops_the_bot_and_is_answered_at_once() {
    let mut line = Line::new(config());
    line.at(1_500, text("on Monday"));
    line.run(6_000);
    let clear = line.when(|command| matches!(command, Command::Playout(Playout::Clear { .. })));
    assert_eq!((clear, line.last_asked()), (Some(1_500), at(1_500)));
    let context = line.context();
    assert!(GREETING.starts_with(&context[0]) && context[0].len() < GREETING.len(), "{context:?}");
    assert_eq!(context[1..], ["Caller: on Monday", "Bot: You said on Monday."]);
}

#[test]
fn an_order_to_respond_ends_the_turn_without_the_hang_over() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table");
    line.at(1_850, Input::RespondNow);
    line.run(8_000);
    let closed = line.when(|command| matches!(command, Command::Stt(Stt::Close { .. })));
    assert!(closed.is_some_and(|closed| closed <= 1_910), "{closed:?}");
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said a table."]);
}

#[test]
fn speech_that_goes_on_behind_the_order_is_not_lost() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table");
    line.says(1_800, 3_400, "and two chairs");
    line.at(1_790, Input::RespondNow);
    line.run(12_000);
    assert_eq!(line.asked()[1], CallerTurn::Said("a table".into()));
    let said: Vec<_> = line.context().into_iter().filter(|line| line.starts_with("Caller")).collect();
    assert_eq!(said, ["Caller: a table and two chairs"], "the answer had not begun to sound");
}

#[test]
fn an_order_to_respond_to_nothing_asks_for_a_reply_to_the_context() {
    let mut line = Line::greeted(config());
    line.at(3_000, Input::RespondNow);
    line.at(3_050, Input::RespondNow);
    line.run(5_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Nothing]);
    assert_eq!(line.context(), ["Bot: Hi.", "Bot: Well then."]);
}

#[test]
fn an_order_to_respond_to_a_noise_asks_for_a_reply_to_the_context() {
    let mut line = Line::greeted(config());
    line.coughs(3_000, 3_400);
    line.at(3_500, Input::RespondNow);
    line.run(6_000);
    assert_eq!(line.asked(), [CallerTurn::Joined, CallerTurn::Nothing]);
    assert_eq!(line.count(|command| matches!(command, Command::Stt(Stt::Drop { .. }))), 1);
}

#[test]
fn an_order_to_respond_completes_keys_and_confirms_who_speaks_over_the_bot() {
    let mut line = Line::greeted(config());
    line.presses(3_000, "12");
    line.at(3_300, Input::RespondNow);
    line.run(3_301);
    assert_eq!(line.asked().last(), Some(&CallerTurn::Pressed("12".into())));
    let mut line = Line::new(config());
    line.says(1_000, 1_150, "yes");
    line.at(1_130, Input::RespondNow);
    line.run(6_000);
    assert_eq!(line.count(|command| matches!(command, Command::Event(Event::BargeIn { .. }))), 1);
    assert_eq!(line.context()[1..], ["Caller: yes", "Bot: You said yes."]);
}

#[test]
fn the_heard_part_of_the_last_answer_is_cut_where_the_client_says() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_800, "a table");
    line.run(5_900);
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said a table."]);
    let tokens = line.turn.context_tokens();
    line.feed(truncate(1, 9_000));
    line.feed(truncate(7, 0));
    assert_eq!(
        line.context()[2],
        "Bot: You said a table.",
        "more than was spoken, and a turn that is not there"
    );
    line.feed(truncate(1, 540));
    assert_eq!(line.context()[1..], ["Caller: a table", "Bot: You said"]);
    assert!(line.turn.context_tokens() < tokens);
    line.feed(truncate(1, 800));
    assert_eq!(line.context()[2], "Bot: You said", "it never grows");
    line.feed(truncate(1, 0));
    assert_eq!(line.context()[1..], ["Caller: a table"]);
    let told = line.events().filter(|(_, event)| matches!(event, Event::Heard { last: true, .. }));
    assert_eq!(told.count(), 4, "greeting, answer, and both cuts");
}

#[test]
fn the_heard_part_of_a_running_answer_is_cut_and_the_answer_goes_on() {
    let mut line = Line::new(config());
    line.at(1_500, truncate(0, 400));
    line.run(2_000);
    assert!(line.turn.is_released());
    line.run(6_000);
    assert_eq!(line.context(), ["Bot: Hello,"]);
    assert_eq!(line.count(|command| matches!(command, Command::Playout(Playout::Clear { .. }))), 0);
}

#[test]
fn a_bot_that_is_away_listens_and_says_nothing() {
    let mut line = Line::new(config());
    line.at(1_000, Input::BotAway { away: true });
    line.says(2_000, 2_800, "to a person");
    line.presses(5_000, "12#");
    line.at(6_000, text("and this"));
    line.at(6_500, Input::RespondNow);
    line.run(60_000);
    assert_eq!(line.asked(), [CallerTurn::Joined]);
    assert!(!line.sounds_between(1_001, 60_000) && !line.turn.is_over());
    assert!(line.context()[0].starts_with("Bot: Hello"), "what was heard stays");
    assert_eq!(line.context()[1..], ["Caller: to a person", "Caller: 12", "Caller: and this"]);
}

#[test]
fn a_bot_that_is_back_answers_the_next_turn_or_when_it_is_told_to() {
    let mut line = Line::new(config());
    line.at(0, Input::BotAway { away: true });
    line.says(2_000, 2_800, "to a person");
    line.at(5_000, Input::BotAway { away: false });
    line.at(6_000, Input::RespondNow);
    line.says(8_500, 9_000, "thanks");
    line.run(14_000);
    assert_eq!(
        line.context(),
        ["Caller: to a person", "Bot: Well then.", "Caller: thanks", "Bot: You said thanks."]
    );
}

#[test]
fn a_stage_that_is_gone_while_the_bot_is_away_is_apologised_for_when_it_is_back() {
    let mut line = Line::greeted(config());
    line.at(2_000, Input::BotAway { away: true });
    line.at(3_000, Input::StageGone { stage: StageKind::Llm });
    line.at(20_000, Input::BotAway { away: false });
    line.run(30_000);
    assert_eq!(line.when(|command| matches!(command, Command::Apologise { .. })), Some(20_000));
}

#[test]
fn words_of_another_party_are_known_as_theirs() {
    let mut line = Line::greeted(config());
    line.says(1_000, 1_600, "a table");
    line.at(5_000, Input::Speaking { party: Some("Agent".into()) });
    line.says(5_500, 6_000, "for two");
    line.at(9_000, Input::Speaking { party: None });
    line.says(9_500, 10_000, "yes");
    line.run(14_000);
    let said = |party: Option<&str>, text: &str| Message {
        who: Speaker::Caller,
        party: party.map(Into::into),
        text: text.into(),
    };
    let messages = &line.turn.context().messages;
    let caller: Vec<_> = messages.iter().filter(|message| message.who == Speaker::Caller).cloned().collect();
    assert_eq!(caller, [said(None, "a table"), said(Some("Agent"), "for two"), said(None, "yes")]);
    let parties: Vec<_> = line
        .log
        .iter()
        .filter_map(|(_, command)| match command {
            Command::Reply { caller: CallerTurn::Said(_), context, .. } => Some(context.party.as_deref()),
            _ => None,
        })
        .collect();
    assert_eq!(parties, [None, Some("Agent"), None]);
}

#[test]
fn two_parties_make_two_turns_even_before_the_answer_sounds() {
    let mut line = Line::greeted(config());
    line.model_delay = 1_500;
    line.says(1_000, 1_600, "a table");
    line.at(2_450, Input::Speaking { party: Some("Agent".into()) });
    line.says(2_500, 3_200, "for two");
    line.run(12_000);
    let caller = line.context().into_iter().filter(|line| line.starts_with("Caller")).collect::<Vec<_>>();
    assert_eq!(caller, ["Caller: a table", "Caller: for two"]);
}

#[test]
fn a_name_is_bounded_and_old_contexts_are_read_as_before() {
    let mut line = Line::greeted(config());
    line.at(900, Input::Speaking { party: Some("ä".repeat(1_000).into()) });
    line.says(1_000, 1_600, "a table");
    line.run(5_000);
    let party = line.turn.context().messages[1].party.clone();
    assert_eq!(party.as_deref(), Some("ä".repeat(32).as_str()));
    let old: Message = serde_json::from_str(r#"{"who":"caller","text":"hi"}"#).unwrap();
    assert_eq!(old, Message { who: Speaker::Caller, party: None, text: "hi".into() });
    assert_eq!(serde_json::to_string(&old).unwrap(), r#"{"who":"caller","text":"hi"}"#);
}
