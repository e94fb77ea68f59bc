use crate::Input;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What happened while the leg is detached, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Deferred(VecDeque<Input>);

impl Deferred {
    /// One more. When there are too many, gives the oldest, which can not wait any longer.
    pub(crate) fn push(&mut self, input: Input) -> Option<Input> {
        match (self.0.back_mut(), input) {
            (Some(Input::Token { request, text }), Input::Token { request: of, text: more })
                if *request == of =>
            {
                text.push_str(&more);
            }
            (
                Some(Input::Partial { utterance, text, complete }),
                Input::Partial { utterance: of, text: newer, complete: now },
            ) if *utterance == of => {
                (*text, *complete) = (newer, now);
            }
            (Some(Input::Played { epoch, frames }), Input::Played { epoch: of, frames: more })
                if *epoch == of =>
            {
                *frames = more.max(*frames);
            }
            (Some(last), input) if *last == input && is_repeatable(&input) => {}
            (_, input) => self.0.push_back(input),
        }
        if self.0.len() > MOST { self.0.pop_front() } else { None }
    }

    pub(crate) fn pop(&mut self) -> Option<Input> {
        self.0.pop_front()
    }
}

/// Ordering it twice is ordering it once.
fn is_repeatable(input: &Input) -> bool {
    matches!(input, Input::Interrupt | Input::RespondNow | Input::Mute { .. } | Input::BotAway { .. })
}

/// Some times more than a reply whose words a voice tells one by one.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RequestId;
    use ringway_frame::Epoch;

    fn token(request: u32, text: &str) -> Input {
        Input::Token { request: RequestId::new(request), text: text.into() }
    }

    fn all(mut deferred: Deferred) -> Vec<Input> {
        std::iter::from_fn(|| deferred.pop()).collect()
    }

    #[test]
    fn what_adds_to_the_last_one_is_one_with_it() {
        let mut deferred = Deferred::default();
        let epoch = Epoch::new(3);
        for input in [
            token(1, "Hel"),
            token(1, "lo"),
            token(2, "!"),
            Input::Played { epoch, frames: 7 },
            Input::Played { epoch, frames: 5 },
            Input::Interrupt,
            Input::Interrupt,
        ] {
            assert_eq!(deferred.push(input), None);
        }
        let kept = [token(1, "Hello"), token(2, "!"), Input::Played { epoch, frames: 7 }, Input::Interrupt];
        assert_eq!(all(deferred), kept);
    }

    #[test]
    fn the_oldest_can_not_wait_when_there_are_too_many() {
        let mut deferred = Deferred::default();
        let given: Vec<_> =
            (0..MOST as u32 + 2).filter_map(|number| deferred.push(token(number, "x"))).collect();
        assert_eq!(given, [token(0, "x"), token(1, "x")]);
        assert_eq!(all(deferred).len(), MOST);
    }
}
