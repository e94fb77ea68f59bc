//! Who speaks when, without socket and clock.

use super::speech::{FRAME_SAMPLES, Samples, Speech};
use ringway_frame::MediaTime;
use ringway_wire::voice_ws::ConversationState;
use std::time::Duration;

/// Says one file after the other, each after the answer to the one before, or into it.
#[derive(Debug)]
pub struct Conversation {
    speeches: Vec<Speech>,
    barge_in_after: Option<Duration>,
    phase: Phase,
    /// The speech and the frame of it that come next.
    mouth: Option<(usize, usize)>,
    state: Option<ConversationState>,
    last_heard: Option<MediaTime>,
    /// What the bot says from now on answers what is being said or was: it is not the rest of an earlier answer.
    fresh: bool,
    answered: usize,
    notes: Vec<Note>,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The end of the bot's first words, if it has any.
    Greeting,
    /// The last loud frame of this speech.
    Saying(usize),
    /// The first loud frame of the answer to what was asked then.
    Asked(usize, MediaTime),
    /// The end of the answer that began then, or the moment to speak into it.
    Answered(usize, MediaTime),
    /// Nothing more.
    Over,
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// This file begins to be said.
    Says(String),
    /// The answer begins, so long after the last loud frame said; `None` when it began before that.
    Answer(Option<Duration>),
    /// No answer came.
    NoAnswer,
}

/// A bot that says nothing for so long has no greeting.
const GREETING_WITHIN: Duration = Duration::from_secs(3);

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bot may take a breath.
const BREATH: Duration = Duration::from_millis(300);

/// A bot that does not say that it listens has finished after so long without a sound.
const STATELESS_BREATH: Duration = Duration::from_secs(2);

impl Conversation {
    /// Says these.
    pub const fn new(speeches: Vec<Speech>, barge_in_after: Option<Duration>) -> Self {
        Self {
            speeches,
            barge_in_after,
            phase: Phase::Greeting,
            mouth: None,
            state: None,
            last_heard: None,
            fresh: true,
            answered: 0,
            notes: Vec::new(),
        }
    }

    /// The 20 ms that end at `now`; what the bot has sent so far is heard until `bot_until`.
    pub fn tick(&mut self, now: MediaTime, bot_until: MediaTime) -> Samples {
        self.advance(now, bot_until);
        let Some((number, frame)) = self.mouth else { return [0; FRAME_SAMPLES] };
        let speech = &self.speeches[number];
        let samples = speech.frame(frame).copied();
        self.mouth = samples.map(|_| (number, frame + 1));
        if speech.is_last_loud(frame) {
            self.said(number, now, bot_until);
        }
        samples.unwrap_or([0; FRAME_SAMPLES])
    }

    /// A loud frame of the bot arrives.
    pub fn hear_loud(&mut self, now: MediaTime) {
        self.last_heard = Some(now);
        if let Phase::Asked(number, asked) = self.phase
            && self.fresh
        {
            self.answer(number, now, Some(now.since(asked)));
        }
    }

    /// The bot says what it does.
    pub const fn state(&mut self, state: ConversationState) {
        self.fresh |= matches!(state, ConversationState::Listening | ConversationState::Thinking);
        self.state = Some(state);
    }

    /// Takes what is worth telling since the last time.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// All is said, and answered or not.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Every file was answered.
    pub const fn is_answered(&self) -> bool {
        self.answered == self.speeches.len()
    }

    fn advance(&mut self, now: MediaTime, bot_until: MediaTime) {
        self.fresh |= !self.is_sounding(now);
        match self.phase {
            Phase::Greeting if self.last_heard.is_none() => {
                if now >= MediaTime::ZERO + GREETING_WITHIN {
                    self.say(0, now);
                }
            }
            Phase::Greeting if self.has_finished(now, bot_until) => self.say(0, now),
            Phase::Asked(number, asked) if now.since(asked) >= PATIENCE => {
                self.notes.push(Note::NoAnswer);
                self.say(number + 1, now);
            }
            Phase::Answered(number, began) if self.is_next(number, began, now, bot_until) => {
                self.say(number + 1, now)
            }
            Phase::Greeting | Phase::Saying(_) | Phase::Asked(..) | Phase::Answered(..) | Phase::Over => {}
        }
    }

    fn is_next(&self, number: usize, began: MediaTime, now: MediaTime, bot_until: MediaTime) -> bool {
        match self.barge_in_after {
            Some(after) if number + 1 < self.speeches.len() => now >= began + after,
            _ => self.has_finished(now, bot_until),
        }
    }

    fn has_finished(&self, now: MediaTime, bot_until: MediaTime) -> bool {
        let breath = match self.state {
            Some(ConversationState::Listening) => BREATH,
            Some(ConversationState::Thinking | ConversationState::Speaking) => return false,
            None => STATELESS_BREATH,
        };
        now >= bot_until && self.last_heard.is_none_or(|heard| now.since(heard) >= breath)
    }

    fn is_sounding(&self, now: MediaTime) -> bool {
        self.last_heard.is_some_and(|heard| now.since(heard) < BREATH)
    }

    fn say(&mut self, number: usize, now: MediaTime) {
        let Some(speech) = self.speeches.get(number) else {
            self.phase = Phase::Over;
            return;
        };
        self.notes.push(Note::Says(speech.name.clone()));
        self.phase = Phase::Saying(number);
        self.fresh = !self.is_sounding(now);
        self.mouth = Some((number, 0));
    }

    /// The last loud frame was said.
    fn said(&mut self, number: usize, now: MediaTime, bot_until: MediaTime) {
        if self.fresh && self.is_sounding(now) && now < bot_until {
            self.answer(number, now, None);
        } else {
            self.phase = Phase::Asked(number, now);
        }
    }

    fn answer(&mut self, number: usize, now: MediaTime, after: Option<Duration>) {
        self.answered += 1;
        self.phase = Phase::Answered(number, now);
        self.notes.push(Note::Answer(after));
    }
}

#[cfg(test)]
mod tests {
    use super::super::speech::tests::speech;
    use super::*;
    use ringway_frame::FRAME;

    /// A call in virtual time.
    struct Call {
        conversation: Conversation,
        now: MediaTime,
        bot_until: MediaTime,
        told: Vec<(u64, Note)>,
    }

    impl Call {
        fn new(files: &[&str], barge_in_after: Option<Duration>) -> Self {
            let speeches = files.iter().map(|frames| speech(frames)).collect();
            let conversation = Conversation::new(speeches, barge_in_after);
            Self { conversation, now: MediaTime::ZERO, bot_until: MediaTime::ZERO, told: Vec::new() }
        }

        /// Lets time pass up to `millis`, the bot speaking or not.
        fn until(&mut self, millis: u64, is_speaking: bool) {
            use ConversationState::{Listening, Speaking};
            self.conversation.state(if is_speaking { Speaking } else { Listening });
            while self.now < MediaTime::from_millis(millis) {
                self.now += FRAME;
                if is_speaking {
                    self.conversation.hear_loud(self.now);
                    self.bot_until = self.now + FRAME;
                }
                self.conversation.tick(self.now, self.bot_until);
                let notes = self.conversation.notes().into_iter();
                self.told.extend(notes.map(|note| (self.now.as_millis(), note)));
            }
        }

        fn bot_silent_until(&mut self, millis: u64) {
            self.until(millis, false);
        }

        fn bot_speaks_until(&mut self, millis: u64) {
            self.until(millis, true);
        }
    }

    fn says() -> Note {
        Note::Says("said.wav".into())
    }

    const fn after(millis: u64) -> Note {
        Note::Answer(Some(Duration::from_millis(millis)))
    }

    #[test]
    fn each_file_is_said_after_the_answer_to_the_one_before() {
        let mut call = Call::new(&["####.", "####."], None);
        call.bot_speaks_until(1_000);
        // 300 ms of breath behind the greeting's last frame; the first file takes 80 ms.
        call.bot_silent_until(1_700);
        call.bot_speaks_until(3_000);
        call.bot_silent_until(4_000);
        call.bot_speaks_until(5_000);
        call.bot_silent_until(6_000);
        assert_eq!(call.told, [(1_300, says()), (1_720, after(360)), (3_300, says()), (4_020, after(660))]);
        assert!(call.conversation.is_over() && call.conversation.is_answered());
    }

    #[test]
    fn a_bot_without_a_greeting_is_spoken_to() {
        let mut call = Call::new(&["##"], None);
        call.bot_silent_until(3_500);
        assert_eq!(call.told, [(3_000, says())]);
    }

    #[test]
    fn later_files_are_spoken_into_the_answer() {
        let mut call = Call::new(&["##", "##"], Some(Duration::from_millis(800)));
        call.bot_silent_until(3_300);
        call.bot_speaks_until(4_120);
        assert_eq!(call.told, [(3_000, says()), (3_320, after(300)), (4_120, says())]);
    }

    #[test]
    fn the_last_answer_is_heard_out_though_others_are_not() {
        let mut call = Call::new(&["##"], Some(Duration::from_millis(100)));
        call.bot_silent_until(3_300);
        call.bot_speaks_until(5_000);
        assert!(!call.conversation.is_over());
        call.bot_silent_until(5_400);
        assert!(call.conversation.is_over());
    }

    #[test]
    fn no_answer_is_told_and_the_next_file_said() {
        let mut call = Call::new(&["##", "##"], None);
        call.bot_silent_until(14_000);
        assert_eq!(call.told, [(3_000, says()), (13_020, Note::NoAnswer), (13_020, says())]);
        assert!(!call.conversation.is_answered());
    }

    #[test]
    fn a_bot_that_talks_on_has_not_answered() {
        let mut call = Call::new(&["##", "##"], Some(Duration::from_millis(500)));
        call.bot_silent_until(3_300);
        call.bot_speaks_until(20_000);
        let told = [(3_000, says()), (3_320, after(300)), (3_820, says()), (13_840, Note::NoAnswer)];
        assert_eq!(call.told, told);
        assert!(!call.conversation.is_answered());
    }

    #[test]
    fn a_bot_that_yields_and_answers_at_once_has_answered() {
        let mut call = Call::new(&["##", "##########"], Some(Duration::from_millis(500)));
        call.bot_silent_until(3_300);
        call.bot_speaks_until(3_900);
        call.bot_silent_until(4_060);
        call.bot_speaks_until(5_000);
        assert_eq!(call.told[2..], [(3_820, says()), (4_080, after(80))]);
    }

    #[test]
    fn an_answer_that_began_before_the_end_has_no_time() {
        let mut call = Call::new(&["##########"], None);
        call.bot_silent_until(3_040);
        call.bot_speaks_until(4_000);
        assert_eq!(call.told, [(3_000, says()), (3_180, Note::Answer(None))]);
    }
}
