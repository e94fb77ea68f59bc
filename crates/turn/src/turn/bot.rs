//! The bot's side: from asking for a reply to its being heard.

use crate::heard::Words;
use crate::reply::{Model, Reply};
use crate::speech_form::{Places, Spoken};
use crate::utterance::join;
use crate::{
    After, CallerTurn, ClauseId, Command, Context, Event, Memo, Playout, RequestId, Speaker, Speculation,
    StageKind, Turn, TurnNumber,
};
use ringway_frame::{Epoch, MediaTime, Skew};
use std::sync::Arc;

/// What a reply is to answer, beside what the caller did.
pub(super) struct Asked {
    pub(super) turn: TurnNumber,
    /// End of the caller's turn.
    pub(super) ended: MediaTime,
    /// How much later it arrived.
    pub(super) skew: Skew,
    /// Who spoke, where it is not the caller.
    pub(super) party: Option<Arc<str>>,
}

/// Clauses that a voice is given and has not made whole, at most.
const CLAUSES_AHEAD: usize = 32;

impl Turn {
    /// Asks the model for a reply, which nobody hears before it is released.
    pub(super) fn ask(&mut self, caller: CallerTurn, of: Asked) {
        let Asked { turn, ended, skew, party } = of;
        let request = self.ids.request;
        self.ids.request = request.next();
        let model = if self.health.converses() { StageKind::SpeechToSpeech } else { StageKind::Llm };
        self.deadlines.asked(model, self.now);
        let (epoch, language) = (self.next_epoch, (&*self.config, self.rules()));
        let reply = self.reply.get_or_insert_with(|| Reply::new(turn, epoch, ended, language));
        reply.ask(request, caller.clone(), skew, party);
        let context = self.context_of_reply();
        if self.health.converses() {
            return self.converse(request, caller, String::new());
        }
        self.push(Command::Reply { request, caller, context, already: String::new() });
    }

    /// The model speaks first, or goes on by itself.
    pub(super) fn speak_up(&mut self, cue: CallerTurn) {
        self.ask(cue, Asked { turn: self.turn, ended: self.now, skew: Skew::ZERO, party: None });
        self.release();
    }

    /// What was said before, for whoever makes the running reply.
    pub(super) fn context_of_reply(&self) -> Context {
        let party = self.reply.as_ref().and_then(|reply| reply.party.clone());
        Context { party, ..self.context.clone() }
    }

    /// The reply may be heard.
    pub(super) fn release(&mut self) {
        let now = self.now;
        let Some(reply) = self.reply.as_mut().filter(|reply| !reply.released) else { return };
        reply.release(now);
        let epoch = reply.epoch;
        self.next_epoch = epoch.next();
        self.push(Command::Playout(Playout::Release(epoch)));
        self.tell_left_out();
        self.speak();
        self.settle_reply();
    }

    pub(super) fn token(&mut self, request: RequestId, text: &str) {
        if let Some(reply) = self.asked(request) {
            reply.push(text);
            self.model_began();
            self.speak();
        }
    }

    /// Whether they count is known with the end of the reply.
    pub(super) fn note_slots(&mut self, request: RequestId, slots: Vec<(String, String)>) {
        if let Some(reply) = self.reply.as_mut().filter(|reply| reply.model == Model::Asked(request)) {
            reply.note(slots);
        }
    }

    pub(super) fn reply_end(&mut self, request: RequestId, after: After, memo: Memo) {
        if let Some(reply) = self.asked(request) {
            reply.complete(after, memo);
            self.model_began();
            self.speak();
            self.settle_reply();
        }
    }

    pub(super) fn asked(&mut self, request: RequestId) -> Option<&mut Reply> {
        self.reply.as_mut().filter(|reply| reply.model == Model::Asked(request))
    }

    /// Gives the voice the clauses that stand, if it may have them, so many at a time as it needs to go on without a
    /// pause: however many there are at once, none is more than it has room for.
    pub(super) fn speak(&mut self) {
        while !self.language.holds()
            && let Some(reply) = &mut self.reply
            && (reply.released || self.config.speculation == Speculation::Tts)
            && reply.ledger.owed() < CLAUSES_AHEAD
            && let Some(words) = reply.next_words()
        {
            self.say(words);
        }
    }

    /// Gives these words to the voice.
    pub(super) fn say(&mut self, words: Words) {
        self.speak_afresh();
        let Some(reply) = &mut self.reply else { return };
        let clause = self.ids.clause;
        self.ids.clause = clause.next();
        let epoch = reply.epoch;
        let (command, places) = match &words {
            Words::Reply(range) => {
                let (text, places) = reply.spoken(range.clone()).into_parts();
                (Command::Speak { epoch, clause, text }, places)
            }
            Words::Filler(text) => {
                let (text, places) = Spoken::of(text, 0..text.len()).into_parts();
                (Command::Speak { epoch, clause, text }, places)
            }
            Words::Keys(keys) => (Command::Press { epoch, clause, keys: keys.clone() }, Places::default()),
        };
        // A voice that has begun is waited for by the watchdog: whether its audio flows is not seen from here.
        let begins = !reply.ledger.speaks_in(epoch);
        reply.ledger.speak_as(epoch, clause, words, places);
        self.next_epoch = self.next_epoch.max(epoch.next());
        if begins {
            self.deadlines.asked(StageKind::Tts, self.now);
        }
        self.push(command);
    }

    pub(super) fn voiced(&mut self, epoch: Epoch) {
        if let Some(reply) = self.reply.as_mut().filter(|reply| reply.epoch == epoch) {
            reply.voice();
            self.deadlines.came(StageKind::Tts);
            if reply.whole {
                // What speaks by itself is waited for as a model is.
                self.deadlines.came(StageKind::SpeechToSpeech);
            }
        }
    }

    pub(super) fn sounding(&mut self, epoch: Epoch) {
        if let Some(reply) = &mut self.reply {
            reply.ledger.sounding(epoch);
            self.sounded();
        }
    }

    pub(super) fn word(&mut self, epoch: Epoch, clause: ClauseId, upto: u32, frames: u32) {
        if let Some(reply) = &mut self.reply {
            reply.mark_word(epoch, clause, upto, frames);
            self.sounded();
        }
    }

    pub(super) fn clause_end(&mut self, epoch: Epoch, clause: ClauseId, frames: u32) {
        if let Some(reply) = &mut self.reply {
            reply.ledger.clause_end(epoch, clause, frames);
            reply.get_on(self.now);
            self.deadlines.came(StageKind::Tts);
            self.speak();
            self.sounded();
        }
    }

    /// The voice refused the clause. It goes on with the next, or dies of it and is asked again.
    pub(super) fn clause_refused(&mut self, epoch: Epoch, clause: ClauseId, left_out: Option<u32>) {
        let Some(reply) = &mut self.reply else { return };
        if let Some(Words::Reply(piece)) = reply.ledger.words_of(epoch, clause) {
            reply.refusals.count(&piece);
            if left_out.is_some() {
                reply.refusals.leave_out(piece);
            }
        }
        if let Some(frames) = left_out {
            self.tell_left_out();
            self.clause_end(epoch, clause, frames);
        }
    }

    /// Of a reply that nobody may hear yet, nothing is missing.
    pub(super) fn tell_left_out(&mut self) {
        let Some(reply) = self.reply.as_mut().filter(|reply| reply.released) else { return };
        let turn = reply.turn;
        for _ in 0..reply.refusals.news() {
            self.tell(Event::Unspoken { turn });
        }
    }

    pub(super) fn played(&mut self, epoch: Epoch, frames: u32) {
        if let Some(reply) = &mut self.reply
            && reply.ledger.played(epoch, frames)
        {
            reply.get_on(self.now);
            self.sounded();
        }
    }

    /// More of the reply has been heard.
    fn sounded(&mut self) {
        self.announce();
        self.tell_heard();
        self.settle_reply();
    }

    /// The answer has begun to sound: the caller's words stand, and the wait is known.
    fn announce(&mut self) {
        let now = self.now;
        let Some(reply) =
            self.reply.as_mut().filter(|it| it.released && !it.announced && it.ledger.is_audible())
        else {
            return;
        };
        reply.announce();
        let (turn, words) = (reply.turn, reply.callers_words().map(str::to_owned));
        let latency = std::mem::take(&mut self.waits).latency(reply.skew.arrival(reply.ended), now);
        let waited = matches!(reply.cue, Some(CallerTurn::Said(_) | CallerTurn::Pressed(_)));
        if let Some(text) = words {
            self.tell(Event::Message { turn, who: Speaker::Caller, text });
        }
        if waited {
            self.tell(Event::Latency { turn, latency });
        }
    }

    fn tell_heard(&mut self) {
        let Some(reply) = &mut self.reply else { return };
        if let Some(text) = reply.news() {
            let turn = reply.turn;
            self.tell(Event::Heard { turn, text, last: false });
        }
    }

    pub(super) fn settle_reply(&mut self) {
        if self.reply.as_ref().is_some_and(Reply::is_over) {
            self.finish_reply();
        }
    }

    /// When the reply should have been heard, by the frames that were made.
    pub(super) fn playout_by(&self) -> Option<MediaTime> {
        let reply = self.reply.as_ref().filter(|_| !self.interruption.is_paused())?;
        reply.heard_by(&self.config)
    }

    /// The playout should have got to the end by now: what it still holds must not sound later, over the caller.
    pub(super) fn stop_waiting(&mut self) {
        if let Some(reply) = self.reply.take() {
            self.silence_reply(&reply);
            self.reply = Some(reply);
        }
        self.finish_reply();
    }

    /// The reply has been heard.
    pub(super) fn finish_reply(&mut self) {
        let Some(reply) = self.reply.take() else { return };
        self.settle_doubt();
        let after = self.close(reply);
        match after {
            After::HangUp | After::Transfer(_) if self.utterance.is_some() => self.farewell = Some(after),
            after => self.follow(after),
        }
    }

    /// The caller broke the reply off. A hang-up or transfer that it led to waits for what the caller has to say.
    pub(super) fn cut_off(&mut self, reply: Reply) {
        let after = self.close(reply);
        if matches!(after, After::HangUp | After::Transfer(_)) {
            self.farewell = Some(after);
        }
    }

    /// Stops everything that still works on `reply`.
    pub(super) fn silence_reply(&mut self, reply: &Reply) {
        if reply.whole {
            return self.silence_answer(reply);
        }
        if let Model::Asked(request) = reply.model {
            self.push(Command::CancelReply { request });
        }
        if !reply.ledger.is_empty() {
            self.next_epoch = reply.epoch.next();
            self.deadlines.came(StageKind::Tts);
            self.push(Command::CancelSpeech { epoch: reply.epoch });
            self.push(Command::Playout(Playout::Clear { epoch: self.next_epoch, turn: reply.turn }));
        }
    }

    /// Throws a reply away that nobody was to hear yet.
    pub(super) fn discard_speculation(&mut self) {
        let Some(reply) = self.reply.take_if(|reply| !reply.released) else { return };
        self.silence_reply(&reply);
        self.tell(Event::Wasted { stage: StageKind::Llm });
        if !reply.ledger.is_empty() {
            self.tell(Event::Wasted { stage: StageKind::Tts });
        }
    }

    /// The caller's side wants the bot to be quiet.
    pub(super) fn interrupt(&mut self) {
        let Some(reply) = self.reply.take_if(|reply| reply.released) else { return };
        self.silence_reply(&reply);
        self.settle_doubt();
        self.cut_off(reply);
    }

    /// Puts a reply and what it answers into the context, as far as it was heard. Tells what follows.
    pub(super) fn close(&mut self, reply: Reply) -> After {
        let heard = reply.heard();
        if let Some(words) = reply.callers_words() {
            self.keep_caller(words.to_owned(), reply.party.clone());
            if !reply.announced {
                self.tell(Event::Message { turn: reply.turn, who: Speaker::Caller, text: words.to_owned() });
            }
        } else {
            self.leave_room(reply.turn);
        }
        let text = join(&[reply.ledger.heard_filler().unwrap_or_default(), &heard]);
        if !text.is_empty() {
            self.tell(Event::Heard { turn: reply.turn, text, last: true });
        }
        if !heard.is_empty() {
            self.keep_bot(heard.clone());
            self.tell(Event::Message { turn: reply.turn, who: Speaker::Bot, text: heard });
        }
        self.filler_spent = false;
        self.health.relax();
        let turn = reply.turn;
        let (model, slots, closed) = reply.into_parts();
        self.closed = Some(closed);
        let Model::Done { after, memo } = model else { return After::Nothing };
        self.context.memo = memo;
        for (name, value) in slots {
            self.tell(Event::Slot { turn, name, value });
        }
        if let After::Listen { digits } = after {
            self.keys.expect(digits);
        }
        after
    }

    /// The caller's words enter the context with no reply of their own.
    pub(super) fn remember_caller(&mut self, turn: TurnNumber, text: String, party: Option<Arc<str>>) {
        self.keep_caller(text.clone(), party);
        self.tell(Event::Message { turn, who: Speaker::Caller, text });
    }

    /// When the caller has waited long enough for a sound.
    pub(super) fn filler_at(&self) -> Option<MediaTime> {
        let may = !self.filler_spent
            && !self.bot_away
            && !self.interruption.is_any()
            && !self.health.converses()
            && !self.language.holds();
        let usual = self.config.filler_after.filter(|_| may)?;
        let patience = if self.health.is_busy() { usual.min(self.config.filler_when_busy) } else { usual };
        Some(self.waiting_since()? + patience)
    }

    /// The end of a turn of the caller's to which nothing has been given to the voice.
    fn waiting_since(&self) -> Option<MediaTime> {
        match (&self.utterance, &self.reply) {
            (Some(utterance), None) => utterance.over_since(),
            (None, Some(reply)) if reply.ledger.is_empty() && reply.callers_words().is_some() => {
                Some(reply.ended)
            }
            _ => None,
        }
    }

    /// Bridges the wait, at most once a turn.
    pub(super) fn say_filler(&mut self) {
        self.filler_spent = true;
        let Some(since) = self.waiting_since() else { return };
        let turn = self.utterance.as_ref().map_or(self.turn, |utterance| utterance.turn);
        let (epoch, language) = (self.next_epoch, (&*self.config, self.rules()));
        self.reply.get_or_insert_with(|| Reply::new(turn, epoch, since, language));
        self.release();
        if self.reply.is_none() {
            // It came with nothing to say: it is over, and perhaps the call with it.
            return;
        }
        self.tell(Event::Filler { turn });
        self.say(Words::Filler(self.filler().to_owned()));
    }
}
