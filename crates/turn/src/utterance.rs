use crate::endpoint::{EVEN, hang_over};
use crate::spoken::letters;
use crate::{AskId, Config, Probability, TurnNumber, UtteranceId};
use ringway_frame::{MediaTime, Skew};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Where an utterance of the caller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// The caller speaks. `=> Quiet` when speech stops.
    Speaking,
    /// The caller has paused. `=> Speaking` when speech goes on, `=> Over` when the hang-over is up.
    Quiet {
        /// End of the speech.
        since: MediaTime,
    },
    /// The turn is over, but for its transcript. `=> Speaking` when speech goes on.
    Over {
        /// End of the speech.
        since: MediaTime,
    },
}

/// One utterance of the caller, from its first sign until its words are in a turn or it was no speech.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Utterance {
    pub(crate) id: UtteranceId,
    pub(crate) turn: TurnNumber,
    pub(crate) from: MediaTime,
    pub(crate) phase: Phase,
    /// How much speech is in it.
    pub(crate) voiced: Duration,
    /// How much speech there was without a pause, last.
    pub(crate) burst: Duration,
    /// The question that waits for its answer.
    pub(crate) ask: Option<AskId>,
    /// Where the speech ended that it was asked about.
    pub(crate) asked_until: MediaTime,
    /// Its words are there before the pause is long enough for the model to begin on them.
    pub(crate) held: bool,
    /// End of its last sound.
    loud_until: MediaTime,
    /// What a turn model said last, and when.
    likely: Option<(Probability, MediaTime)>,
    /// A service that hears the caller has told of it too: it also tells its end.
    pub(crate) spotted: bool,
    /// It made the bot stop.
    pub(crate) barged_in: bool,
    /// Its end was ordered: speech that goes on is none of it.
    ordered: bool,
    /// Who speaks, where it is not the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) party: Option<Arc<str>>,
    /// Its words as others know them.
    told: String,
    /// How much later than its date the end of its last sound arrived.
    pub(crate) skew: Skew,
    /// When its transcript was asked for.
    pub(crate) asked_at: Option<MediaTime>,
    /// When it came.
    pub(crate) answered_at: Option<MediaTime>,
    /// Words of the turn before it, which it continues.
    prefix: String,
    segments: String,
    guess: Guess,
    guessed: Option<MediaTime>,
    answer: Option<Guess>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Guess {
    text: String,
    complete: bool,
}

impl Utterance {
    pub(crate) fn new(id: UtteranceId, turn: TurnNumber, from: MediaTime, party: Option<Arc<str>>) -> Self {
        Self {
            id,
            turn,
            from,
            phase: Phase::Speaking,
            voiced: Duration::ZERO,
            burst: Duration::ZERO,
            ask: None,
            asked_until: from,
            held: false,
            loud_until: from,
            likely: None,
            spotted: false,
            barged_in: false,
            ordered: false,
            party,
            told: String::new(),
            skew: Skew::ZERO,
            asked_at: None,
            answered_at: None,
            prefix: String::new(),
            segments: String::new(),
            guess: Guess::default(),
            guessed: None,
            answer: None,
        }
    }

    /// The pause since then may or may not be the end of the turn.
    pub(crate) fn pause(&mut self, since: MediaTime) {
        self.phase = Phase::Quiet { since };
    }

    /// The pause since then is the end of the turn.
    pub(crate) fn end(&mut self, since: MediaTime) {
        self.phase = Phase::Over { since };
    }

    /// Its end was ordered, while speech had come until then.
    pub(crate) fn order_end(&mut self, until: MediaTime) {
        self.ordered = true;
        if self.phase == Phase::Speaking {
            self.pause(until);
        }
    }

    /// Its end was ordered.
    pub(crate) fn is_ordered(&self) -> bool {
        self.ordered
    }

    /// It made the bot stop, or is worth an answer as if it had.
    pub(crate) fn barge_in(&mut self) {
        self.barged_in = true;
    }

    /// A service that hears the caller has told of it.
    pub(crate) fn spot(&mut self) {
        self.spotted = true;
    }

    /// This party speaks, unless words of another are in it.
    pub(crate) fn speak_as(&mut self, party: Option<Arc<str>>) {
        if !self.has_words() {
            self.party = party;
        }
    }

    /// A turn model takes this for its probability to be over.
    pub(crate) fn judge(&mut self, probability: Probability, now: MediaTime) {
        let probability = if probability.is_nan() { EVEN } else { probability.clamp(0.0, 1.0) };
        self.likely = Some((probability, now));
    }

    /// Its words as others will know them; `None`: they know them already, or there are none.
    pub(crate) fn news(&mut self) -> Option<String> {
        let text = self.words();
        if text.is_empty() || text == self.told {
            return None;
        }
        self.told.clone_from(&text);
        Some(text)
    }

    /// It began earlier, with these words of this turn.
    pub(crate) fn begin_earlier(&mut self, from: MediaTime, turn: TurnNumber, words: String) {
        self.from = from;
        self.continue_turn(turn, words);
    }

    /// What was said until now can not be heard again: the words that are known of it stand.
    pub(crate) fn lose_audio(&mut self, now: MediaTime) {
        self.segments = self.own_words();
        self.guess = Guess::default();
        self.answer = None;
        self.guessed = None;
        self.held = false;
        (self.from, self.asked_until) = (now, now);
    }

    /// It continues the turn `turn`, which had these words.
    pub(crate) fn continue_turn(&mut self, turn: TurnNumber, words: String) {
        self.turn = turn;
        self.prefix = words;
    }

    /// All words of the turn, as far as known.
    pub(crate) fn words(&self) -> String {
        let guess = self.answer.as_ref().unwrap_or(&self.guess);
        join(&[&self.prefix, &self.segments, &guess.text])
    }

    /// All words of this utterance alone, as far as known.
    pub(crate) fn own_words(&self) -> String {
        let guess = self.answer.as_ref().unwrap_or(&self.guess);
        join(&[&self.segments, &guess.text])
    }

    /// Words of it that will not change.
    pub(crate) fn stands(&self) -> bool {
        !self.segments.is_empty()
    }

    pub(crate) fn has_words(&self) -> bool {
        !self.own_words().is_empty()
    }

    /// The words answer what the dialogue expects.
    pub(crate) fn is_complete(&self) -> bool {
        self.answer.as_ref().unwrap_or(&self.guess).complete
    }

    /// The answer to a flush stands.
    pub(crate) fn is_answered(&self) -> bool {
        self.answer.is_some()
    }

    /// Nothing has been asked about the present pause.
    pub(crate) fn is_unasked(&self) -> bool {
        self.ask.is_none() && self.answer.is_none()
    }

    pub(crate) fn partial(&mut self, text: String, complete: bool, now: MediaTime) {
        if self.answer.is_none() {
            self.guess = Guess { text, complete };
            self.guessed = Some(now);
        }
    }

    /// The question about the present pause is not answered yet, but a guess from so shortly before it may be right.
    pub(crate) fn is_guessed(&self, fresh: Duration) -> bool {
        self.ask.is_some() && self.guessed.is_some_and(|at| self.asked_until.since(at) <= fresh)
    }

    pub(crate) fn segment(&mut self, text: &str) {
        self.segments = join(&[&self.segments, text]);
        self.guess = Guess::default();
        self.answer = None;
    }

    pub(crate) fn asked(&mut self, ask: AskId, until: MediaTime, now: MediaTime) {
        self.ask = Some(ask);
        self.asked_until = until;
        self.asked_at = Some(now);
    }

    /// The answer to a flush; says whether it is the one that is waited for.
    pub(crate) fn answered(&mut self, ask: AskId, text: String, complete: bool, now: MediaTime) -> bool {
        if self.ask != Some(ask) {
            return false;
        }
        self.ask = None;
        self.answered_at = Some(now);
        self.answer = Some(Guess { text, complete });
        true
    }

    /// Its last sound ended at `loud_until`; audio of that date arrived later by `skew`.
    pub(crate) fn came(&mut self, loud_until: MediaTime, skew: Skew) {
        if loud_until > self.loud_until {
            (self.loud_until, self.skew) = (loud_until, skew);
        }
    }

    /// More speech.
    pub(crate) fn voice(&mut self, by: Duration) {
        self.voiced += by;
        self.burst += by;
    }

    /// The answer is but a guess, and nothing has been asked.
    pub(crate) fn take_back(&mut self) {
        if let Some(answer) = self.answer.take() {
            self.guess = Guess { complete: false, ..answer };
        }
        self.ask = None;
        self.held = false;
    }

    /// What a turn model says of a pause since `since`.
    pub(crate) fn likely_over(&self, since: MediaTime) -> Option<Probability> {
        self.likely.filter(|(_, at)| *at >= since).map(|(probability, _)| probability)
    }

    /// Speech goes on: what was asked is void. Says whether something had been asked.
    pub(crate) fn go_on(&mut self) -> bool {
        let asked = !self.is_unasked();
        self.take_back();
        self.likely = None;
        (self.asked_at, self.answered_at) = (None, None);
        self.phase = Phase::Speaking;
        self.burst = Duration::ZERO;
        asked
    }

    /// End of its speech, once that has come.
    pub(crate) fn silent_since(&self) -> Option<MediaTime> {
        match self.phase {
            Phase::Speaking => None,
            Phase::Quiet { since } | Phase::Over { since } => Some(since),
        }
    }

    /// End of its speech, once that was the end of the turn.
    pub(crate) fn over_since(&self) -> Option<MediaTime> {
        match self.phase {
            Phase::Over { since } => Some(since),
            Phase::Speaking | Phase::Quiet { .. } => None,
        }
    }

    /// End of its speech, while that may or may not be the end of the turn.
    pub(crate) fn quiet_since(&self) -> Option<MediaTime> {
        match self.phase {
            Phase::Quiet { since } => Some(since),
            Phase::Speaking | Phase::Over { .. } => None,
        }
    }

    /// Nothing but its words is missing.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.over_since().is_some() && self.ask.is_some()
    }

    /// When the pause is long enough for the model to begin on words that are there.
    pub(crate) fn speculate_at(&self, config: &Config) -> Option<MediaTime> {
        self.held.then(|| self.asked_until + config.speculate_after)
    }

    /// When the pause is long enough to be the end of the turn.
    pub(crate) fn end_of_turn_at(&self, config: &Config) -> Option<MediaTime> {
        let since = self.quiet_since()?;
        let usual = hang_over(config, self.is_complete(), self.likely_over(since));
        Some(since + if self.spotted { config.hang_over_max } else { usual })
    }

    /// Its name in the table of states.
    pub(crate) fn name(&self) -> &'static str {
        match self.phase {
            Phase::Speaking => "speaking",
            Phase::Quiet { .. } => "quiet",
            Phase::Over { .. } => "over",
        }
    }

    /// Nobody said anything: too short for speech, and no word was understood.
    pub(crate) fn is_noise(&self, config: &Config) -> bool {
        self.voiced < config.noise_below && !self.has_words()
    }
}

/// Whether the words are the same, however they are written.
pub(crate) fn same_words(one: &str, other: &str) -> bool {
    letters(one) == letters(other)
}

/// The pieces that are not empty, one blank between.
pub(crate) fn join(pieces: &[&str]) -> String {
    let mut joined = String::new();
    for piece in pieces.iter().map(|piece| piece.trim()).filter(|piece| !piece.is_empty()) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(piece);
    }
    joined
}
