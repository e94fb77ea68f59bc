use ringway_frame::{MediaTime, OneLine};
use serde::Serialize;
use std::time::Duration;

/// Tells a conversation as it goes on, on standard output.
#[derive(Clone, Copy, Debug)]
pub enum Journal {
    /// A table.
    People,
    /// One object a line.
    Json,
}

/// A line of the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry<'a> {
    /// Milliseconds since the call began.
    pub t_ms: u64,
    /// What happened: `started`, `said`, `transcript`, `answer`, `bot`, `clear`, `dropped`, `resumed`, `error`, `ended`.
    pub event: &'a str,
    /// Number of the turn that it belongs to.
    pub turn: Option<u32>,
    /// What was said, heard or went wrong.
    pub text: Option<&'a str>,
    /// End of the last loud frame said to the first loud frame of the answer.
    pub answer_ms: Option<u64>,
}

impl<'a> Entry<'a> {
    /// Something that happened at `now`.
    pub fn new(now: MediaTime, event: &'a str) -> Self {
        Self { t_ms: now.as_millis(), event, ..Self::default() }
    }

    /// With these words.
    #[must_use]
    pub const fn text(mut self, text: &'a str) -> Self {
        self.text = Some(text);
        self
    }

    /// In this turn.
    #[must_use]
    pub const fn turn(mut self, turn: u32) -> Self {
        self.turn = Some(turn);
        self
    }

    /// After so long.
    #[must_use]
    pub fn answered_after(mut self, after: Option<Duration>) -> Self {
        self.answer_ms = after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        self
    }
}

impl Journal {
    /// Prints the head of the table.
    pub fn begin(self) {
        if matches!(self, Self::People) {
            say!("{:>8}  {:<5}  {:>7}  text", "time", "who", "answer");
        }
    }

    /// Prints a line.
    pub fn tell(self, entry: Entry<'_>) {
        match self {
            Self::Json => say_json!(serde_json::to_string(&entry).expect("every key is a string")),
            Self::People => say!("{}", row(&entry)),
        }
    }
}

fn row(entry: &Entry<'_>) -> String {
    let Entry { t_ms, event, text, answer_ms, .. } = *entry;
    let who = match event {
        "said" => "you",
        "answer" | "bot" | "clear" => "bot",
        "transcript" => "heard",
        _ => "call",
    };
    let quote = |text: Option<&str>| format!("\"{}\"", text.unwrap_or_default());
    let what = match event {
        "said" => format!("says {}", text.unwrap_or_default()),
        "transcript" | "bot" => quote(text),
        "answer" => "begins to answer".to_owned(),
        "clear" => "falls silent".to_owned(),
        "dropped" => "connection dropped".to_owned(),
        "resumed" => "resumed over a new connection".to_owned(),
        event => text.map_or_else(|| event.to_owned(), |text| format!("{event}: {text}")),
    };
    let answer = answer_ms.map_or_else(String::new, |millis| format!("{millis} ms"));
    format!("{:>4}.{:03}  {who:<5}  {answer:>7}  {}", t_ms / 1_000, t_ms % 1_000, OneLine(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> MediaTime {
        MediaTime::from_millis(millis)
    }

    #[test]
    fn every_line_of_json_has_the_same_keys() {
        let entry = Entry::new(at(4_020), "answer").answered_after(Some(Duration::from_micros(281_900)));
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(json, r#"{"tMs":4020,"event":"answer","turn":null,"text":null,"answerMs":281}"#);
        let json = serde_json::to_string(&Entry::new(at(1), "bot").turn(2).text("Hi")).unwrap();
        assert_eq!(json, r#"{"tMs":1,"event":"bot","turn":2,"text":"Hi","answerMs":null}"#);
    }

    #[test]
    fn what_a_server_says_makes_no_row_of_its_own_and_nothing_that_a_terminal_obeys() {
        let row = row(&Entry::new(at(1), "bot").text("Hi\r\n   0.002  you             says \u{1b}[2J"));
        assert!(row.contains("Hi\\r\\n") && !row.contains(char::is_control), "{row}");
    }

    #[test]
    fn rows_are_aligned() {
        let rows = [
            row(&Entry::new(at(12_034), "said").text("friday.wav")),
            row(&Entry::new(at(13_000), "transcript").turn(1).text("friday")),
            row(&Entry::new(at(13_281), "answer").answered_after(Some(Duration::from_millis(281)))),
        ];
        assert_eq!(
            rows,
            [
                "  12.034  you             says friday.wav",
                "  13.000  heard           \"friday\"",
                "  13.281  bot     281 ms  begins to answer",
            ]
        );
    }
}
