//! Times as callers say them: "ten thirty", "half past nine", "quarter to three p m", "noon".

use crate::spoken;
use std::ops::Range;

/// A time among words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spoken {
    pub(super) words: Range<usize>,
    /// Such as `10:30` or `10:30 p.m.`.
    pub(super) value: String,
}

/// The times among the words, without overlaps, from left to right. The words have no fillers.
pub(super) fn find(words: &[String]) -> Vec<Spoken> {
    let mut found: Vec<Spoken> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match time(&words[at..]) {
            Some((len, value)) => {
                found.push(Spoken { words: at..at + len, value });
                at += len;
            }
            // "Half ten" is another hour in other countries: neither is guessed.
            None if words[at] == "half" => at += 2,
            None => at += 1,
        }
    }
    found
}

/// What a recogniser's grammar holds: hours, quarters and halves. Others are understood when they are recognised.
pub(super) fn phrases() -> impl Iterator<Item = String> {
    let of_hour = |hour: String| {
        [
            "{}",
            "{} o'clock",
            "{} fifteen",
            "{} thirty",
            "{} forty five",
            "quarter past {}",
            "half past {}",
            "quarter to {}",
        ]
        .map(|form| form.replace("{}", &hour))
    };
    let named = ["noon", "midnight"].map(str::to_owned);
    (1..=12).map(spoken::cardinal_words).flat_map(of_hour).chain(named)
}

/// The keys as a time: `930`, `1030`.
pub(super) fn keyed(keys: &str) -> Option<String> {
    if !(3..=4).contains(&keys.len()) || !keys.bytes().all(|key| key.is_ascii_digit()) {
        return None;
    }
    let (hour, minute) = keys.split_at(keys.len() - 2);
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then(|| clock(hour, minute))
}

/// The time at the beginning of the words: how many words, which time.
fn time(words: &[String]) -> Option<(usize, String)> {
    let (len, value) = named(words).or_else(|| relative(words)).or_else(|| plain(words))?;
    let half_day = match words.get(len..len + 2).map(|pair| [pair[0].as_str(), pair[1].as_str()]) {
        Some(["a", "m"]) => " a.m.",
        Some(["p", "m"]) => " p.m.",
        _ => return Some((len, value)),
    };
    Some((len + 2, value + half_day))
}

fn named(words: &[String]) -> Option<(usize, String)> {
    match words.first()?.as_str() {
        "noon" | "midday" => Some((1, clock(12, 0))),
        "midnight" => Some((1, clock(0, 0))),
        _ => None,
    }
}

/// "half past nine", "a quarter to ten": "to" is a filler and gone, so a quarter without "past" is before the hour.
fn relative(words: &[String]) -> Option<(usize, String)> {
    let article = usize::from(words.first()?.as_str() == "a");
    let minutes = match words.get(article)?.as_str() {
        "half" => 30,
        "quarter" => 15,
        _ => return None,
    };
    let past = words.get(article + 1).is_some_and(|word| word == "past" || word == "after");
    let at = article + 1 + usize::from(past);
    let hour = hour(words.get(at)?).filter(|hour| *hour <= 12)?;
    match (past, minutes) {
        (true, _) => Some((at + 1, clock(hour, minutes))),
        (false, 15) => Some((at + 1, clock(if hour <= 1 { 12 } else { hour - 1 }, 45))),
        (false, _) => None,
    }
}

/// "ten", "ten o'clock", "ten thirty", "ten oh five", "fifteen thirty".
fn plain(words: &[String]) -> Option<(usize, String)> {
    let hour = hour(words.first()?)?;
    if words.get(1).is_some_and(|word| word == "o'clock") {
        return Some((2, clock(hour, 0)));
    }
    for len in [2, 1] {
        let minute = words.get(1..1 + len).and_then(spoken::cardinal).filter(|minute| *minute < 60);
        if let Some(minute) = minute.filter(|minute| *minute >= 10 || len == 2) {
            return Some((1 + len, clock(hour, minute)));
        }
    }
    (1..=12).contains(&hour).then(|| (1, clock(hour, 0)))
}

fn hour(word: &String) -> Option<u8> {
    spoken::cardinal(std::slice::from_ref(word)).filter(|hour| *hour < 24)
}

fn clock(hour: u8, minute: u8) -> String {
    format!("{hour}:{minute:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(said: &str) -> Option<String> {
        find(&spoken::without_fillers(&spoken::words(said))).pop().map(|time| time.value)
    }

    #[test]
    fn times_are_understood_as_people_say_them() {
        for (said, time) in [
            ("ten", "10:00"),
            ("at ten o'clock please", "10:00"),
            ("ten thirty", "10:30"),
            ("10:30", "10:30"),
            ("ten oh five", "10:05"),
            ("ten twenty five", "10:25"),
            ("half past nine", "9:30"),
            ("a quarter past nine", "9:15"),
            ("quarter to ten", "9:45"),
            ("a quarter to one", "12:45"),
            ("nine a.m.", "9:00 a.m."),
            ("3:15 pm", "3:15 p.m."),
            ("fifteen thirty", "15:30"),
            ("noon", "12:00"),
            ("not nine but ten", "10:00"),
        ] {
            assert_eq!(value(said).as_deref(), Some(time), "{said}");
        }
        for said in ["", "monday", "thirty", "half ten", "quarter", "a"] {
            assert_eq!(value(said), None, "{said}");
        }
    }

    #[test]
    fn every_phrase_of_the_grammar_is_a_whole_time() {
        for phrase in phrases() {
            let words = spoken::without_fillers(&spoken::words(&phrase));
            assert_eq!(find(&words).first().map(|time| time.words.clone()), Some(0..words.len()), "{phrase}");
        }
    }

    #[test]
    fn keys_make_a_time() {
        assert_eq!(keyed("930").as_deref(), Some("9:30"));
        assert_eq!(keyed("1030").as_deref(), Some("10:30"));
        for keys in ["", "9", "93", "2530", "1075", "9*0", "10300"] {
            assert_eq!(keyed(keys), None, "{keys}");
        }
    }
}
