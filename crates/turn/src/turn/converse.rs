//! Turns with a stage that hears and speaks by itself: it is told when to answer, and tells what was said afterwards.

use super::bot::Asked;
use crate::pending_transcript::PendingTranscript;
use crate::reply::{Model, Reply};
use crate::utterance::{Utterance, join};
use crate::{
    AskId, CallerTurn, Command, Converse, Event, Playout, Purpose, RequestId, Speaker, Speculation,
    StageKind, Stt, Turn, TurnNumber,
};
use ringway_frame::MediaTime;
use std::sync::Arc;

impl Turn {
    /// What may be done ahead of a turn's end: nothing by a stage that can not take it back.
    pub(super) fn speculation(&self) -> Speculation {
        if self.health.converses() { Speculation::Off } else { self.config.speculation }
    }

    /// The turn is over, and the stage that heard it answers.
    pub(super) fn hand_over(&mut self, until: MediaTime) {
        let Some(utterance) = self.utterance.take() else { return };
        let Utterance { id, turn, from, skew, .. } = utterance;
        let (ask, party) = (self.ids.ask, utterance.party.clone());
        self.ids.ask = ask.next();
        self.turn = turn;
        self.silence.broken();
        self.farewell = None;
        self.push(Command::Stt(Stt::Flush { utterance: id, ask, until, purpose: Purpose::Turn }));
        let prefix = utterance.words();
        let unread = PendingTranscript {
            utterance: id,
            ask,
            turn,
            from,
            until,
            party: party.clone(),
            prefix,
            place: None,
        };
        self.pending.push(unread);
        self.stop_waiting_for_words();
        if self.keys.is_empty() && !self.bot_away {
            let of = Asked { turn, ended: until, skew, party };
            self.ask(CallerTurn::Said(String::new()), of);
            self.release();
        } else {
            self.leave_room(turn);
            self.keys_pressed();
        }
    }

    /// Wants an answer of its own making to what the caller did.
    pub(super) fn converse(&mut self, request: RequestId, caller: CallerTurn, already: String) {
        let clause = self.ids.clause;
        self.ids.clause = clause.next();
        let Some(reply) = &mut self.reply else { return };
        let (epoch, spoken) = (reply.epoch, reply.answer());
        reply.ledger.answer(epoch, clause, spoken);
        self.next_epoch = self.next_epoch.max(epoch.next());
        let context = self.context_of_reply();
        let answer = Converse::Answer { request, epoch, clause, caller, context, already };
        self.push(Command::Converse(answer));
    }

    /// Nothing more of the answer is wanted, nor is what was made of it.
    pub(super) fn silence_answer(&mut self, reply: &Reply) {
        let (epoch, heard) = (reply.epoch, reply.ledger.frames_heard(reply.epoch));
        self.next_epoch = epoch.next();
        self.deadlines.came(StageKind::SpeechToSpeech);
        self.push(Command::Converse(Converse::Cancel { epoch, heard }));
        self.push(Command::Playout(Playout::Clear { epoch: self.next_epoch, turn: reply.turn }));
    }

    /// The words of this turn, when they come, belong before what is put into the context now.
    pub(super) fn leave_room(&mut self, turn: TurnNumber) {
        let place = self.context.messages.len();
        for unread in self.pending.iter_mut().filter(|unread| unread.turn == turn) {
            unread.place.get_or_insert(place);
        }
    }

    pub(super) fn is_unread(&self, ask: AskId) -> bool {
        self.pending.iter().any(|unread| unread.ask == ask)
    }

    /// What the caller said in a turn that was answered by ear.
    pub(super) fn read(&mut self, ask: AskId, text: &str) {
        let Some(index) = self.pending.iter().position(|unread| unread.ask == ask) else { return };
        let PendingTranscript { utterance, turn, until, prefix, place, party, .. } =
            self.pending.remove(index);
        self.push(Command::Stt(Stt::Close { utterance, until }));
        let words = join(&[&prefix, text]);
        if words.is_empty() || self.goes_on(turn, &words) {
            return;
        }
        self.tell(Event::Transcript { turn, text: words.clone(), last: true });
        match &mut self.reply {
            Some(reply) if place.is_none() && reply.turn == turn => {
                let announced = reply.announced;
                reply.cue = Some(CallerTurn::Said(words.clone()));
                if announced {
                    self.tell(Event::Message { turn, who: Speaker::Caller, text: words });
                }
            }
            _ => self.insert(turn, place, words, party),
        }
    }

    /// A service that never tells words does not keep all audio of the call.
    fn stop_waiting_for_words(&mut self) {
        if self.pending.len() > MOST_UNREAD {
            let oldest = self.pending[0].ask;
            self.read(oldest, "");
        }
    }

    /// The caller went on before the answer sounded: these words begin the turn that still runs.
    fn goes_on(&mut self, turn: TurnNumber, words: &str) -> bool {
        let running = self.utterance.as_mut().filter(|utterance| utterance.turn == turn);
        let later = self.pending.iter_mut().find(|unread| unread.turn == turn);
        match (running, later) {
            (Some(utterance), _) => utterance.continue_turn(turn, words.to_owned()),
            (None, Some(later)) => later.prefix = join(&[words, &later.prefix]),
            (None, None) => return false,
        }
        true
    }

    /// The answer to these words is in the context already.
    fn insert(&mut self, turn: TurnNumber, place: Option<usize>, text: String, party: Option<Arc<str>>) {
        let messages = self.context.messages.len();
        let place = place.unwrap_or(messages).min(messages);
        let place = self.keep_at(place, text.clone(), party);
        for unread in &mut self.pending {
            unread.place = unread.place.map(|later| later + usize::from(later >= place));
        }
        self.keep_within_budget();
        self.tell(Event::Message { turn, who: Speaker::Caller, text });
    }

    /// A service that hears the caller tells of speech.
    pub(super) fn service_heard_speech(&mut self) {
        if self.utterance.is_none() {
            self.begin(self.now);
            if self.reply.as_ref().is_some_and(|reply| reply.released) {
                self.pause(self.now);
            }
        }
        if let Some(utterance) = &mut self.utterance {
            utterance.spot();
        }
        self.judge();
    }

    /// It tells that the speech is over: no hang-over is waited for.
    pub(super) fn service_heard_silence(&mut self) {
        let now = self.now;
        let Some(utterance) = self.utterance.as_mut().filter(|utterance| utterance.spotted) else { return };
        let since = utterance.silent_since().unwrap_or(now);
        utterance.pause(since);
        self.end_turn();
    }

    /// The three have served until now. Of their reply, what is not made is asked of it behind what was heard.
    pub(super) fn take_from_three(&mut self) {
        self.discard_speculation();
        if let Some(filler) = self.reply.take_if(|reply| reply.model == Model::Idle) {
            self.silence_reply(&filler);
            self.settle_doubt();
        }
        let request = self.ids.request;
        if let Some(reply) = self.reply.as_mut().filter(|reply| reply.owes_voice()) {
            reply.ask_again(request);
        }
    }

    /// It is back, and knows nothing: what it has not told the words of is heard again, the rest is told.
    pub(super) fn converse_again(&mut self) {
        for index in 0..self.pending.len() {
            let ask = self.ids.ask;
            self.ids.ask = ask.next();
            let PendingTranscript { utterance, from, until, .. } = self.pending[index];
            self.pending[index].ask = ask;
            self.push(Command::Stt(Stt::Begin { utterance, from }));
            self.push(Command::Stt(Stt::Flush { utterance, ask, until, purpose: Purpose::Turn }));
        }
        self.answer_again();
        if let Some(utterance) = &self.utterance {
            let (utterance, from) = (utterance.id, utterance.from);
            self.push(Command::Stt(Stt::Begin { utterance, from }));
            self.hand_over_again();
        }
    }

    /// The three had only the words of the turn to wait for. If they can not be heard again, those that are known are all.
    fn hand_over_again(&mut self) {
        let Some(utterance) = &self.utterance else { return };
        match utterance.over_since() {
            Some(over) if utterance.from < over => self.hand_over(over),
            Some(_) => self.accept(),
            None => {}
        }
    }

    /// An answer that was not made whole is asked for again behind what was heard of it.
    fn answer_again(&mut self) {
        let request = self.ids.request;
        if !self.keep_heard() {
            return;
        }
        let Some(reply) = &mut self.reply else { return };
        let Some(caller) = reply.cue.clone() else { return };
        reply.ask_again(request);
        let already = reply.text().to_owned();
        self.ids.request = request.next();
        self.deadlines.asked(StageKind::SpeechToSpeech, self.now);
        self.converse(request, caller, already);
    }

    /// Of an answer that was not made whole only what was heard stays; what follows is spoken in the next epoch. Says
    /// whether there is such an answer.
    fn keep_heard(&mut self) -> bool {
        let next = self.next_epoch;
        let Some(reply) = self.reply.as_mut().filter(|reply| matches!(reply.model, Model::Asked(_))) else {
            return false;
        };
        reply.keep_heard();
        reply.epoch = next.max(reply.epoch.next());
        let (epoch, turn) = (reply.epoch, reply.turn);
        self.next_epoch = epoch.next();
        self.push(Command::Playout(Playout::Clear { epoch, turn }));
        if self.interruption.is_paused() {
            // A clear ends a pause.
            self.push(Command::Playout(Playout::Resume));
            self.push(Command::Playout(Playout::Pause));
        }
        self.push(Command::Playout(Playout::Release(epoch)));
        true
    }

    /// It will not come back: recogniser, language model and voice take over as they come. What the caller said last
    /// and nobody has told the words of is recognised, and answered then.
    pub(super) fn fall_back(&mut self) {
        self.health.converse(false);
        for stage in [StageKind::Stt, StageKind::Llm, StageKind::Tts] {
            self.health.lose(stage, self.now);
        }
        let unread = self.pending.pop();
        self.pending.clear();
        let by_ear = |reply: &mut Reply| {
            let unknown = matches!(&reply.cue, Some(CallerTurn::Said(words)) if words.is_empty());
            unknown && matches!(reply.model, Model::Asked(_))
        };
        match (self.reply.take_if(by_ear), unread) {
            (Some(reply), Some(unread)) => {
                // What was heard of it is said again.
                self.silence_answer(&reply);
                self.settle_doubt();
                self.listen_again(unread);
            }
            (reply, unread) => {
                self.reply = reply.or(self.reply.take());
                self.pending.extend(unread);
            }
        }
        if self.keep_heard()
            && let Some(reply) = &mut self.reply
        {
            reply.speak_on();
        }
    }

    /// The recogniser is there: words that nobody told are asked of it, if it has nothing else to do.
    pub(super) fn recognise_unread(&mut self) {
        let Some(unread) = self.pending.last_mut().filter(|_| self.utterance.is_none()) else { return };
        let ask = self.ids.ask;
        self.ids.ask = ask.next();
        unread.ask = ask;
        let PendingTranscript { utterance, from, until, .. } = *unread;
        self.push(Command::Stt(Stt::Begin { utterance, from }));
        self.push(Command::Stt(Stt::Flush { utterance, ask, until, purpose: Purpose::Turn }));
    }

    fn listen_again(&mut self, unread: PendingTranscript) {
        let PendingTranscript { utterance: id, turn, from, until, prefix, party, .. } = unread;
        if let Some(running) = &mut self.utterance {
            return running.begin_earlier(from, turn, prefix);
        }
        let mut utterance = Utterance::new(id, turn, from, party);
        utterance.continue_turn(turn, prefix);
        utterance.end(until);
        // It was worth an answer before.
        utterance.barge_in();
        self.utterance = Some(utterance);
        self.flush(Purpose::Turn, until);
    }
}

/// Turns whose words are waited for.
const MOST_UNREAD: usize = 4;
