//! Clauses that voices refuse, and marks that nobody reads to a caller.

use ringway_frame::{Epoch, MediaTime};
use ringway_turn::{
    After, ClauseId, Command, Config, Event, Input, Language, Memo, Output, Speculation, StageKind, Turn,
};

/// A call in which the greeting is being spoken.
struct Greeting {
    turn: Turn,
    now: u64,
    spoken: Vec<(Epoch, ClauseId, String)>,
    events: Vec<Event>,
}

impl Greeting {
    fn of(tokens: &[&str]) -> Self {
        let config = Config { speculation: Speculation::Off, ..Config::default() };
        let mut greeting = Self { turn: Turn::new(config), now: 0, spoken: Vec::new(), events: Vec::new() };
        let request = greeting.feed(Input::Started).expect("the greeting is asked for");
        for token in tokens {
            greeting.feed(Input::Token { request, text: (*token).to_owned() });
        }
        let (after, memo) = (After::Nothing, Memo::default());
        greeting.feed(Input::ReplyEnd { request, after, memo });
        greeting
    }

    /// The request that it led to, if it did.
    fn feed(&mut self, input: Input) -> Option<ringway_turn::RequestId> {
        self.now += 20;
        self.turn.handle(input, MediaTime::from_millis(self.now));
        let mut asked = None;
        while let Output::Command(command) = self.turn.poll() {
            match command {
                Command::Reply { request, .. } => asked = Some(request),
                Command::Speak { epoch, clause, text } => self.spoken.push((epoch, clause, text)),
                Command::Event(event) => self.events.push(event),
                _ => {}
            }
        }
        asked
    }

    fn texts(&mut self) -> Vec<String> {
        self.spoken.iter().map(|(_, _, text)| text.clone()).collect()
    }

    /// The voice dies of the first clause that it owes and is back; what it is asked for then.
    fn dies_of(&mut self, owed: usize) -> Vec<(Epoch, ClauseId, String)> {
        let (epoch, clause, _) = self.spoken[owed].clone();
        self.feed(Input::ClauseRefused { epoch, clause, left_out: None });
        self.feed(Input::StageLost { stage: StageKind::Tts });
        self.spoken.clear();
        self.feed(Input::StageReady { stage: StageKind::Tts });
        self.spoken.clone()
    }

    fn is_heard(&mut self, epoch: Epoch, frames: u32) -> Option<String> {
        self.feed(Input::Sounding { epoch });
        self.feed(Input::Played { epoch, frames });
        self.events.iter().rev().find_map(|event| match event {
            Event::Heard { text, .. } => Some(text.clone()),
            _ => None,
        })
    }

    fn left_out(&self) -> usize {
        self.events.iter().filter(|event| matches!(event, Event::Unspoken { .. })).count()
    }
}

const TEXT: &str = "Good morning. See paragraph § 4. Goodbye now.";

#[test]
fn a_clause_that_is_refused_twice_is_left_out_and_the_others_are_heard() {
    let mut greeting = Greeting::of(&[TEXT]);
    assert_eq!(greeting.texts(), ["Good morning.", "See paragraph § 4.", "Goodbye now."]);
    let (epoch, clause, _) = greeting.spoken[0].clone();
    greeting.feed(Input::ClauseEnd { epoch, clause, frames: 30 });
    greeting.dies_of(1);
    assert_eq!((greeting.texts().len(), greeting.left_out()), (2, 0), "it is asked for once more");
    let again = greeting.dies_of(0);
    assert_eq!((greeting.texts(), greeting.left_out()), (vec!["Goodbye now.".to_owned()], 1));
    assert!(greeting.turn.answering().is_some(), "what was said before has still to be heard");
    greeting.feed(Input::Played { epoch, frames: 30 });
    let (epoch, clause, _) = again[0].clone();
    greeting.feed(Input::ClauseEnd { epoch, clause, frames: 30 });
    let heard = greeting.is_heard(epoch, 30);
    assert_eq!(heard.as_deref(), Some("Good morning. Goodbye now."));
}

#[test]
fn a_clause_that_the_voice_goes_on_without_was_not_heard() {
    let mut greeting = Greeting::of(&[TEXT]);
    let spoken = greeting.spoken.clone();
    let epoch = spoken[0].0;
    greeting.feed(Input::ClauseEnd { epoch, clause: spoken[0].1, frames: 30 });
    greeting.feed(Input::ClauseRefused { epoch, clause: spoken[1].1, left_out: Some(30) });
    greeting.feed(Input::ClauseEnd { epoch, clause: spoken[2].1, frames: 60 });
    assert_eq!(greeting.is_heard(epoch, 60).as_deref(), Some("Good morning. Goodbye now."));
    assert_eq!(greeting.left_out(), 1);
}

#[test]
fn what_was_said_before_a_last_clause_that_is_left_out_is_still_heard() {
    let mut greeting = Greeting::of(&["Good morning. See § 4."]);
    let (epoch, clause, _) = greeting.spoken[0].clone();
    greeting.feed(Input::ClauseEnd { epoch, clause, frames: 30 });
    greeting.dies_of(1);
    greeting.dies_of(0);
    assert!(greeting.turn.answering().is_some());
    assert_eq!(greeting.is_heard(epoch, 30).as_deref(), Some("Good morning."));
    assert_eq!(greeting.turn.answering(), None);
}

#[test]
fn a_reply_whose_last_clause_is_left_out_is_over() {
    let mut greeting = Greeting::of(&["See § 4."]);
    greeting.dies_of(0);
    assert_eq!(greeting.dies_of(0), []);
    assert_eq!((greeting.left_out(), greeting.turn.answering()), (1, None));
}

const MARKED: &str = "**Great!** 😀\n\n| Day | Open |\n|---|---|\n| Mon | 9–12 |\n\n```py\nprint(1)\n```\nSee [us](https://ex.am/p?x=1).\n---\n";

#[test]
fn what_is_spoken_has_no_marks_however_it_came_and_what_was_heard_has_them() {
    let pieces: Vec<String> = MARKED.chars().map(String::from).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    for tokens in [&[MARKED][..], &pieces] {
        let mut greeting = Greeting::of(tokens);
        assert_eq!(greeting.texts(), ["Great!", "Day, Open.", "Mon, 9–12.", "See us."]);
        let spoken = greeting.spoken.clone();
        for (at, (epoch, clause, _)) in spoken.iter().enumerate() {
            greeting.feed(Input::ClauseEnd { epoch: *epoch, clause: *clause, frames: 10 * (at as u32 + 1) });
        }
        assert_eq!(greeting.is_heard(spoken[0].0, 40).as_deref(), Some(MARKED.trim()));
    }
}

#[test]
fn words_are_counted_where_they_are_written() {
    let mut greeting = Greeting::of(&["Call **us** at &quot;once&quot; please."]);
    let (epoch, clause, text) = greeting.spoken[0].clone();
    assert_eq!(text, "Call us at \"once\" please.");
    greeting.feed(Input::Word { epoch, clause, upto: 7, frames: 10 });
    assert_eq!(greeting.is_heard(epoch, 10).as_deref(), Some("Call **us"));
}

#[test]
fn a_reply_of_nothing_but_code_is_read() {
    let mut greeting = Greeting::of(&["```\nHello there.\n```"]);
    assert_eq!(greeting.texts(), ["Hello there."]);
}

#[test]
fn another_language_ends_sentences_in_its_own_way() {
    let mut greeting = Greeting::of(&[]);
    let german = Language { code: "de".into(), name: "German".into(), filler: "Moment.".into() };
    greeting.feed(Input::Language(german));
    greeting.feed(Input::StageFollowed { stage: StageKind::Tts });
    let request = greeting.feed(Input::Dtmf { digit: '1' });
    let request =
        request.or_else(|| greeting.feed(Input::Dtmf { digit: '#' })).expect("a reply is asked for");
    greeting
        .feed(Input::Token { request, text: "Am 3. Oktober um 10. Wir haben ca. 20 Plätze. Gut?".into() });
    greeting.feed(Input::ReplyEnd { request, after: After::Nothing, memo: Memo::default() });
    assert_eq!(greeting.texts(), ["Am 3. Oktober um 10. Wir haben ca. 20 Plätze.", "Gut?"]);
}
