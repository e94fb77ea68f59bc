use crate::key::is_key;
use crate::{CallerTurn, Config};
use ringway_frame::MediaTime;
use serde::{Deserialize, Serialize};

/// Keys and typed text on their way to an answer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Keys {
    pressed: String,
    last: MediaTime,
    wanted: Option<u8>,
    complete: bool,
    /// What was typed, which completes the answer.
    typed: Option<String>,
}

impl Keys {
    /// So many keys complete the next answer, if that is known.
    pub(crate) fn expect(&mut self, digits: Option<u8>) {
        self.wanted = digits;
    }

    /// A key was pressed. Says whether it is one.
    pub(crate) fn press(&mut self, key: char, now: MediaTime, config: &Config) -> bool {
        if !is_key(key) {
            return false;
        }
        self.last = now;
        if key == config.key_end && !self.pressed.is_empty() {
            self.complete = true;
        } else if self.pressed.len() < MOST_KEYS {
            self.pressed.push(key);
        }
        self.complete |= key == config.key_end || self.pressed.len() == self.limit();
        true
    }

    /// Text was typed: the answer is complete. Text that waits already stays before it.
    pub(crate) fn type_text(&mut self, text: String, now: MediaTime) {
        self.last = now;
        self.complete = true;
        self.typed = Some(match self.typed.take() {
            Some(before) => format!("{before} {text}"),
            None => text,
        });
    }

    /// Nothing has been pressed or typed since the last answer.
    pub(crate) fn is_empty(&self) -> bool {
        self.pressed.is_empty() && self.typed.is_none()
    }

    /// When a pause completes them.
    pub(crate) fn deadline(&self, config: &Config) -> Option<MediaTime> {
        (!self.is_empty() && !self.complete).then(|| self.last + config.key_pause)
    }

    /// The pause is up.
    pub(crate) fn pause(&mut self) {
        self.complete = !self.is_empty();
    }

    /// The answer and when the last of it came. Typed text takes the keys before it along.
    pub(crate) fn take(&mut self) -> Option<(CallerTurn, MediaTime)> {
        if !self.complete {
            return None;
        }
        self.complete = false;
        let pressed = std::mem::take(&mut self.pressed);
        let answer = match self.typed.take() {
            Some(text) if pressed.is_empty() => CallerTurn::Said(text),
            Some(text) => CallerTurn::Said(format!("{pressed} {text}")),
            None => CallerTurn::Pressed(pressed),
        };
        Some((answer, self.last))
    }

    fn limit(&self) -> usize {
        self.wanted.map_or(MOST_KEYS, |wanted| usize::from(wanted).clamp(1, MOST_KEYS))
    }
}

/// More than the longest card number with its check digits; further keys are ignored.
const MOST_KEYS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn press(keys: &mut Keys, pressed: &str) {
        for key in pressed.chars() {
            keys.press(key, MediaTime::from_millis(500), &Config::default());
        }
    }

    fn answer(keys: &mut Keys) -> Option<String> {
        let (answer, _) = keys.take()?;
        let (CallerTurn::Pressed(keys) | CallerTurn::Said(keys)) = answer else { return None };
        Some(keys)
    }

    #[test]
    fn typed_text_completes_an_answer_and_takes_waiting_keys_along() {
        let mut keys = Keys::default();
        press(&mut keys, "4");
        keys.type_text("on Monday".into(), MediaTime::from_millis(700));
        assert!(!keys.is_empty());
        let answer = keys.take();
        assert_eq!(answer, Some((CallerTurn::Said("4 on Monday".into()), MediaTime::from_millis(700))));
        assert!(keys.is_empty() && keys.take().is_none());
    }

    #[test]
    fn the_hash_ends_an_answer_and_is_no_part_of_it() {
        let mut keys = Keys::default();
        press(&mut keys, "12*");
        assert_eq!(answer(&mut keys), None);
        press(&mut keys, "#");
        assert_eq!(answer(&mut keys).as_deref(), Some("12*"));
        press(&mut keys, "#");
        assert_eq!(answer(&mut keys).as_deref(), Some("#"));
    }

    #[test]
    fn as_many_keys_as_expected_are_an_answer() {
        let mut keys = Keys::default();
        keys.expect(Some(2));
        press(&mut keys, "1");
        assert_eq!(answer(&mut keys), None);
        press(&mut keys, "2");
        assert_eq!(answer(&mut keys).as_deref(), Some("12"));
    }

    #[test]
    fn a_pause_ends_an_answer() {
        let mut keys = Keys::default();
        press(&mut keys, "7");
        assert_eq!(keys.deadline(&Config::default()), Some(MediaTime::from_millis(2_500)));
        keys.pause();
        assert_eq!(answer(&mut keys).as_deref(), Some("7"));
        assert_eq!(keys.deadline(&Config::default()), None);
    }

    #[test]
    fn what_is_no_key_is_refused_and_the_number_of_keys_is_bounded() {
        let mut keys = Keys::default();
        assert!(!keys.press('x', MediaTime::ZERO, &Config::default()));
        press(&mut keys, &"5".repeat(1_000));
        assert_eq!(answer(&mut keys).map(|keys| keys.len()), Some(MOST_KEYS));
    }
}
