//! The caller's side: speech, its end, its words.

use super::bot::Asked;
use crate::latency::Waits;
use crate::reply::Model;
use crate::speech::Change;
use crate::spoken::{Standing, consists_of, spoken};
use crate::utterance::{Phase, Utterance, same_words};
use crate::{
    AskId, CallerTurn, Command, Event, Probability, Purpose, Speculation, StageKind, Stt, Turn, UtteranceId,
    Window,
};
use ringway_frame::{MediaTime, Skew};
use std::time::Duration;

impl Turn {
    pub(super) fn hear(&mut self, window: &Window) {
        let change = self.speech.window(window, self.now, &self.config);
        self.changed(change);
        if let Some(utterance) = &mut self.utterance {
            utterance.came(window.loud_until, window.skew);
        }
    }

    pub(super) fn gap(&mut self) {
        let change = self.speech.tick(self.now, &self.config);
        self.changed(change);
    }

    pub(super) fn mute(&mut self, muted: bool) {
        let change = self.speech.mute(muted, &self.config);
        self.changed(change);
    }

    fn changed(&mut self, change: Option<Change>) {
        if self.utterance.as_ref().is_some_and(Utterance::is_ordered) {
            // Speech that is still there when its words have come is another utterance.
            return self.speech.cut();
        }
        match change {
            None => {}
            Some(Change::Started { from }) => self.speech_started(from),
            Some(Change::WentOn { by, until, loud_until }) => {
                if let Some(utterance) = &mut self.utterance {
                    utterance.voice(by);
                }
                self.judge();
                self.follow_energy(until, loud_until);
            }
            Some(Change::Stopped { since }) => self.speech_stopped(since),
        }
    }

    fn speech_started(&mut self, from: MediaTime) {
        if self.utterance.is_some() {
            self.speech_went_on();
        } else {
            self.begin(from);
        }
        if self.reply.as_ref().is_some_and(|reply| reply.released) {
            self.pause(self.speech.arrival(from, self.now));
        }
        let by = self.speech.heard_until().map_or(Duration::ZERO, |until| until - from);
        if let Some(utterance) = &mut self.utterance {
            utterance.voice(by);
        }
        self.judge();
    }

    pub(super) fn begin(&mut self, from: MediaTime) {
        if !self.health.converses() {
            // A recogniser follows one utterance at a time.
            self.pending.clear();
        }
        let id = self.ids.utterance;
        self.ids.utterance = id.next();
        self.utterance = Some(Utterance::new(id, self.turn.next(), from, self.party.clone()));
        self.push(Command::Stt(Stt::Begin { utterance: id, from }));
    }

    /// A pause was not the end: what was made of it is thrown away.
    fn speech_went_on(&mut self) {
        let Some(utterance) = &mut self.utterance else { return };
        let (id, asked) = (utterance.id, utterance.go_on());
        if asked {
            self.push(Command::Stt(Stt::Continue { utterance: id }));
            self.tell(Event::Wasted { stage: StageKind::Stt });
        }
        self.discard_speculation();
        if let Some(filler) = self.reply.take_if(|reply| reply.model == Model::Idle) {
            self.silence_reply(&filler);
            self.settle_doubt();
        }
    }

    /// The energy falls some 100 ms before the model is sure: time enough to have the transcript. It may also fall
    /// in the middle of a word: then the answer is not wanted.
    fn follow_energy(&mut self, until: MediaTime, loud_until: MediaTime) {
        self.outdate(loud_until);
        let Some(utterance) = self.utterance.as_ref().filter(|_| !self.interruption.is_any()) else { return };
        let early = self.config.speculate_by_energy && self.speculation() >= Speculation::Stt;
        let worth = utterance.is_unasked() && !utterance.is_noise(&self.config);
        if early && worth && until - loud_until >= self.transcribe_after() {
            self.flush(Purpose::Speculation, loud_until.max(utterance.from));
        }
    }

    pub(super) fn transcribe_after(&self) -> Duration {
        self.config.transcribe_after.unwrap_or(self.config.speculate_after)
    }

    /// What was asked does not cover speech until `loud_until`.
    fn outdate(&mut self, loud_until: MediaTime) {
        if self.utterance.as_ref().is_some_and(|it| !it.is_unasked() && it.asked_until < loud_until) {
            self.speech_went_on();
        }
    }

    fn speech_stopped(&mut self, since: MediaTime) {
        self.outdate(since);
        let Some(utterance) = &mut self.utterance else { return };
        utterance.pause(since);
        if !utterance.is_noise(&self.config) {
            return;
        }
        if self.interruption.is_any() { self.false_alarm() } else { self.forget() }
    }

    pub(super) fn end_likely(&mut self, probability: Probability) {
        let Some(utterance) = &mut self.utterance else { return };
        if matches!(utterance.phase, Phase::Over { .. }) {
            return;
        }
        utterance.judge(probability, self.now);
        if probability <= 0.0 && utterance.is_answered() {
            self.take_back();
        }
    }

    /// The words that came may be but the beginning: they are asked for again.
    fn take_back(&mut self) {
        let Some(utterance) = &mut self.utterance else { return };
        utterance.take_back();
        let utterance = utterance.id;
        self.push(Command::Stt(Stt::Continue { utterance }));
        self.tell(Event::Wasted { stage: StageKind::Stt });
        self.discard_speculation();
    }

    pub(super) fn partial(&mut self, id: UtteranceId, text: String, complete: bool) {
        let now = self.now;
        if let Some(utterance) = self.running(id) {
            utterance.partial(text, complete, now);
            self.words_came();
            self.speculate();
        }
    }

    pub(super) fn segment(&mut self, id: UtteranceId, text: &str) {
        if let Some(utterance) = self.running(id) {
            utterance.segment(text);
            self.words_came();
        }
    }

    pub(super) fn answered(&mut self, id: UtteranceId, ask: AskId, text: String, complete: bool) {
        let now = self.now;
        let Some(utterance) = self.running(id) else { return };
        if !utterance.answered(ask, text, complete, now) {
            return;
        }
        let over = matches!(utterance.phase, Phase::Over { .. });
        self.words_came();
        if over { self.accept() } else { self.speculate() }
    }

    /// What of a transcript the caller said; all that recognisers tell comes through here.
    pub(super) fn words_of(&self, text: &str, standing: Standing) -> String {
        let words = spoken(text, standing);
        let alone = self.utterance.as_ref().is_none_or(|utterance| !utterance.stands());
        if alone && consists_of(&words, &self.config.ignored_phrases) { String::new() } else { words }
    }

    pub(super) fn running(&mut self, id: UtteranceId) -> Option<&mut Utterance> {
        self.utterance.as_mut().filter(|utterance| utterance.id == id)
    }

    fn words_came(&mut self) {
        if self.interruption.is_any() { self.judge() } else { self.tell_transcript() }
    }

    /// The caller's words so far.
    pub(super) fn tell_transcript(&mut self) {
        let Some(utterance) = &mut self.utterance else { return };
        let Some(text) = utterance.news() else { return };
        let turn = utterance.turn;
        self.tell(Event::Transcript { turn, text, last: false });
    }

    /// Asks the recogniser what was said.
    pub(super) fn flush(&mut self, purpose: Purpose, until: MediaTime) {
        let (ask, now) = (self.ids.ask, self.now);
        let Some(utterance) = &mut self.utterance else { return };
        utterance.asked(ask, until, now);
        let utterance = utterance.id;
        self.ids.ask = ask.next();
        self.deadlines.asked(StageKind::Stt, now);
        self.push(Command::Stt(Stt::Flush { utterance, ask, until, purpose }));
        self.speculate();
    }

    /// The pause was long enough: the turn is over as soon as its words are there.
    pub(super) fn end_turn(&mut self) {
        let Some(utterance) = &mut self.utterance else { return };
        let Phase::Quiet { since } = utterance.phase else { return };
        utterance.end(since);
        if self.health.converses() {
            return self.hand_over(since);
        }
        let (answered, asked) = (utterance.is_answered(), utterance.ask.is_some());
        if answered {
            self.accept();
        } else if !asked {
            self.flush(Purpose::Turn, since);
        }
    }

    /// The model may begin on words that may not be all, or are only guessed.
    pub(super) fn speculate(&mut self) {
        let level = self.speculation();
        let Some(utterance) = &mut self.utterance else { return };
        utterance.held = false;
        let utterance = &*utterance;
        let guessed = self.config.speculate_on_guess.is_some_and(|fresh| utterance.is_guessed(fresh));
        let ready = utterance.is_answered() || guessed;
        let early = !matches!(utterance.phase, Phase::Over { .. }) && level >= Speculation::Llm;
        let words = utterance.words();
        let (turn, skew, ended) = (utterance.turn, utterance.skew, utterance.asked_until);
        let party = utterance.party.clone();
        if self.bot_away
            || !ready
            || !early
            || words.is_empty()
            || !self.keys.is_empty()
            || self.is_answering(&words)
        {
            return;
        }
        if self.holds_back() {
            return;
        }
        if let Some(utterance) = &self.utterance {
            self.waits.answered(utterance, self.now);
        }
        self.discard_speculation();
        if self.reply.is_none() {
            self.ask(CallerTurn::Said(words), Asked { turn, ended, skew, party });
        }
    }

    /// The recogniser was asked before the pause was long enough for the model, and it still is not.
    fn holds_back(&mut self) -> bool {
        let Some(utterance) = &mut self.utterance else { return false };
        utterance.held = self.config.transcribe_after.is_some()
            && self.now < utterance.asked_until + self.config.speculate_after;
        utterance.held
    }

    /// The reply under way answers these words.
    fn is_answering(&self, words: &str) -> bool {
        let cue = self.reply.as_ref().and_then(|reply| reply.cue.as_ref());
        matches!(cue, Some(CallerTurn::Said(said)) if same_words(said, words))
    }

    /// The turn is over and its words are there.
    pub(super) fn accept(&mut self) {
        let Some(utterance) = self.utterance.take() else { return };
        let words = utterance.words();
        let long = utterance.voiced >= self.config.unclear_after;
        let worth = !utterance.is_ordered() && (utterance.barged_in || long);
        if words.is_empty() && (!worth || self.farewell.is_some() || !self.keys.is_empty()) {
            self.utterance = Some(utterance);
            return self.forget();
        }
        self.turn = utterance.turn;
        let until = utterance.silent_since().unwrap_or(self.now);
        self.push(Command::Stt(Stt::Close { utterance: utterance.id, until }));
        self.tell(Event::Transcript { turn: self.turn, text: words.clone(), last: true });
        self.silence.broken();
        self.farewell = None;
        if self.keys.is_empty() && !self.bot_away {
            self.answer(words, &utterance, until);
        } else {
            self.discard_speculation();
            self.remember_caller(self.turn, words, utterance.party);
            self.keys_pressed();
        }
    }

    /// Releases the speculative reply to these words, or asks for one.
    fn answer(&mut self, words: String, utterance: &Utterance, ended: MediaTime) {
        if !self.is_answering(&words) {
            self.waits.answered(utterance, self.now);
            self.discard_speculation();
            let Utterance { turn, skew, party, .. } = utterance;
            let of = Asked { turn: *turn, ended, skew: *skew, party: party.clone() };
            self.ask(CallerTurn::Said(words.clone()), of);
        }
        if let Some(reply) = &mut self.reply {
            reply.answer_to(words, ended, utterance.skew);
        }
        self.release();
    }

    /// It was no speech.
    pub(super) fn forget(&mut self) {
        let Some(utterance) = self.utterance.take() else { return };
        self.push(Command::Stt(Stt::Drop { utterance: utterance.id }));
        self.discard_speculation();
        let ordered = utterance.is_ordered();
        if let Some(filler) = self.reply.take_if(|reply| reply.model == Model::Idle) {
            self.silence_reply(&filler);
        }
        if !self.keys.is_empty() {
            self.keys_pressed();
        } else if ordered {
            self.reply_to_context();
        } else if let Some(after) = self.farewell.take() {
            self.follow(after);
        }
    }

    pub(super) fn key(&mut self, key: char) {
        if !self.keys.press(key, self.now, &self.config) {
            return;
        }
        self.interrupt();
        self.keys_pressed();
    }

    /// What was typed interrupts the bot and is an answer at once, like keys that are complete.
    pub(super) fn typed(&mut self, text: String) {
        self.keys.type_text(text, self.now);
        self.interrupt();
        self.keys_pressed();
    }

    /// Nobody but people is there to hear it.
    fn remember_answer(&mut self, answer: CallerTurn) {
        if let CallerTurn::Said(text) | CallerTurn::Pressed(text) = answer {
            self.remember_caller(self.turn, text, self.party.clone());
        }
    }

    /// Keys that make an answer are one, unless the caller is speaking too: then when that has been understood.
    pub(super) fn keys_pressed(&mut self) {
        if self.utterance.is_some() {
            return;
        }
        let Some((answer, ended)) = self.keys.take() else { return };
        self.turn = self.turn.next();
        self.silence.broken();
        self.farewell = None;
        match answer.clone() {
            CallerTurn::Said(text) => self.tell(Event::Transcript { turn: self.turn, text, last: true }),
            CallerTurn::Pressed(keys) => self.tell(Event::Keys { turn: self.turn, keys }),
            CallerTurn::Joined | CallerTurn::Silent(_) | CallerTurn::Nothing => {}
        }
        if self.bot_away {
            return self.remember_answer(answer);
        }
        self.waits = Waits::default();
        let (turn, party) = (self.turn, self.party.clone());
        self.ask(answer, Asked { turn, ended, skew: Skew::ZERO, party });
        self.release();
    }
}
