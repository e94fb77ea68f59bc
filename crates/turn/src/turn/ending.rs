//! How a call begins and ends.

use crate::call_phase::CallPhase;
use crate::silence::Prompt;
use crate::{After, CallerTurn, Command, EndReason, Input, Playout, StageKind, Turn};

impl Turn {
    /// Media flows: the greeting is wanted.
    pub(super) fn start(&mut self) {
        self.phase = CallPhase::Live;
        self.started = self.now;
        self.began = self.clock.media();
        if !self.bot_away {
            self.speak_up(CallerTurn::Joined);
        }
    }

    /// Does what follows a reply.
    pub(super) fn follow(&mut self, after: After) {
        match after {
            After::HangUp => self.end(EndReason::Completed),
            After::Transfer(to) => {
                self.leave();
                self.push(Command::Transfer { to });
            }
            After::Listen { .. } | After::Nothing => {}
        }
    }

    /// The caller has been silent for long: asks, or gives up. An end of the call that they spoke over is due now.
    pub(super) fn prompt(&mut self) {
        if let Some(after) = self.farewell.take() {
            return self.follow(after);
        }
        match self.silence.tick(&self.config) {
            Prompt::HangUp => self.end(EndReason::Silence),
            Prompt::Ask(count) => {
                self.turn = self.turn.next();
                self.speak_up(CallerTurn::Silent(count));
            }
        }
    }

    /// The longest call: the bot ends its clause if it is speaking one.
    pub(super) fn max_duration(&mut self) {
        if self.is_detached() {
            self.take_stock();
            return self.end(EndReason::MaxDuration);
        }
        let doubtful = self.interruption.is_any();
        let sounding =
            self.reply.as_mut().filter(|reply| reply.released && !doubtful && reply.ledger.has_sounded());
        let Some((reply, clause)) = sounding.and_then(|reply| reply.current().map(|clause| (reply, clause)))
        else {
            return self.end(EndReason::MaxDuration);
        };
        if let Some(request) = reply.fall_silent() {
            self.push(Command::CancelReply { request });
        }
        let by = self.now + self.config.last_words_max;
        self.phase = CallPhase::Closing { reason: EndReason::MaxDuration, clause, by };
    }

    /// An input while the bot ends its last clause.
    pub(super) fn closing(&mut self, input: Input) {
        if matches!(input, Input::Token { .. } | Input::ReplyEnd { .. } | Input::StageBusy { .. }) {
            return;
        }
        self.bot_or_stage(input);
        let CallPhase::Closing { reason, clause, .. } = &self.phase else { return };
        if self.reply.as_ref().is_none_or(|reply| reply.ledger.is_clause_heard(*clause)) {
            self.end(reason.clone());
        }
    }

    /// A stage will not come back: whatever is lost, the caller is told.
    pub(super) fn stage_gone(&mut self, stage: StageKind) {
        if stage == StageKind::SpeechToSpeech {
            return self.fall_back();
        }
        if self.bot_away {
            // Nobody waits for the bot, and the humans may go on.
            self.health.lose(stage, self.now);
            self.gone = Some(stage);
            return;
        }
        self.apologise(stage);
    }

    /// The apology from memory takes the place of whatever is lost.
    pub(super) fn apologise(&mut self, stage: StageKind) {
        self.close_books();
        let epoch = self.next_epoch;
        self.next_epoch = epoch.next();
        self.push(Command::Playout(Playout::Clear { epoch, turn: self.turn }));
        self.push(Command::Apologise { epoch });
        self.push(Command::Playout(Playout::Release(epoch)));
        let by = self.now + self.config.last_words_max;
        self.phase = CallPhase::Apologising { epoch, made: None, played: 0, stage, by };
    }

    /// An input while the apology is played.
    pub(super) fn apologising(&mut self, input: Input) {
        let CallPhase::Apologising { epoch, made, played, stage, .. } = &mut self.phase else { return };
        match input {
            Input::ClauseEnd { epoch: of, frames, .. } if of == *epoch => *made = Some(frames),
            Input::Played { epoch: of, frames } if of == *epoch => *played = frames.max(*played),
            Input::Ended { .. } => return self.ended(),
            _ => return,
        }
        if made.is_some_and(|made| *played >= made) {
            let stage = *stage;
            self.apologised(stage);
        }
    }

    /// Somebody else may be able to help.
    fn apologised(&mut self, stage: StageKind) {
        match self.config.transfer_on_failure.clone() {
            Some(to) => self.follow(After::Transfer(to)),
            None => self.end(EndReason::StageFailed(stage)),
        }
    }

    /// Time is up for the last words.
    pub(super) fn last_words_over(&mut self) {
        match &self.phase {
            CallPhase::Closing { reason, .. } => self.end(reason.clone()),
            CallPhase::Apologising { stage, .. } => self.apologised(*stage),
            CallPhase::Waiting | CallPhase::Live | CallPhase::Over => {}
        }
    }

    /// Hangs up.
    pub(super) fn end(&mut self, reason: EndReason) {
        self.leave();
        self.push(Command::HangUp { reason });
    }

    /// Somebody else ended the call.
    pub(super) fn ended(&mut self) {
        self.leave();
    }

    fn leave(&mut self) {
        self.close_books();
        self.phase = CallPhase::Over;
    }

    /// What was said and heard until now is all: it enters the context, and all work on more of it stops.
    fn close_books(&mut self) {
        self.discard_speculation();
        if let Some(reply) = self.reply.take() {
            self.silence_reply(&reply);
            self.close(reply);
        }
        self.settle_doubt();
        if let Some(utterance) = self.utterance.take() {
            let words = utterance.words();
            self.push(Command::Stt(crate::Stt::Drop { utterance: utterance.id }));
            if !words.is_empty() {
                self.remember_caller(utterance.turn, words, utterance.party);
            }
        }
    }
}
