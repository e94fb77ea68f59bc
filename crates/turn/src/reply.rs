use crate::clause::{Cutter, trimmed};
use crate::closed_reply::ClosedReply;
use crate::heard::{Ledger, Words};
use crate::refusals::Refusals;
use crate::sentence::Rules;
use crate::speech_form::{Code, Spoken};
use crate::tools::Tools;
use crate::utterance::join;
use crate::{After, CallerTurn, ClauseId, Config, Memo, RequestId, TurnNumber};
use ringway_frame::{Epoch, MediaTime, Skew};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// What the language model is doing about a reply.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Model {
    /// It has not been asked: only a filler is spoken. `=> Asked` with the transcript.
    Idle,
    /// It was asked. `=> Done` when the reply is complete.
    Asked(RequestId),
    /// All text has come.
    Done { after: After, memo: Memo },
}

/// One reply of the bot, from the moment it is asked for until it was heard, cut off or thrown away.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) turn: TurnNumber,
    /// Who said what it answers, where it is not the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) party: Option<Arc<str>>,
    pub(crate) cue: Option<CallerTurn>,
    pub(crate) epoch: Epoch,
    /// It may be heard; otherwise it is speculative.
    pub(crate) released: bool,
    /// What answers speaks by itself: the reply is one clause, whose text grows while it sounds.
    pub(crate) whole: bool,
    pub(crate) model: Model,
    pub(crate) ledger: Ledger,
    /// The newest epoch in which the voice has made audio.
    pub(crate) voiced: Option<Epoch>,
    /// How much later than its date the end of the caller's turn arrived.
    pub(crate) skew: Skew,
    /// End of the caller's turn that it answers.
    pub(crate) ended: MediaTime,
    /// When the playout last got further or was given more.
    pub(crate) progress: MediaTime,
    /// Others know that the caller's words stand, since the answer has begun to sound.
    pub(crate) announced: bool,
    /// Length of the heard text that others know.
    told: usize,
    text: String,
    cutter: Cutter,
    unspoken: VecDeque<Words>,
    /// What is noted of the call when it is accepted.
    slots: Vec<(String, String)>,
    /// Where what nobody can say begins: marks and code in front of the next clause.
    silent: Option<usize>,
    code: Code,
    /// What voices refused of it.
    pub(crate) refusals: Refusals,
    /// Tools that run for it.
    pub(crate) tools: Tools,
}

impl Reply {
    pub(crate) fn new(
        turn: TurnNumber,
        epoch: Epoch,
        ended: MediaTime,
        (config, rules): (&Config, Rules),
    ) -> Self {
        Self {
            turn,
            party: None,
            cue: None,
            epoch,
            released: false,
            whole: false,
            model: Model::Idle,
            ledger: Ledger::default(),
            voiced: None,
            skew: Skew::ZERO,
            ended,
            progress: ended,
            announced: false,
            told: 0,
            text: String::new(),
            cutter: Cutter::new(config, rules),
            unspoken: VecDeque::new(),
            slots: Vec::new(),
            silent: None,
            code: Code::Skip,
            refusals: Refusals::default(),
            tools: Tools::default(),
        }
    }

    /// The model was asked for it, to this answer of the caller's.
    pub(crate) fn ask(&mut self, request: RequestId, cue: CallerTurn, skew: Skew, party: Option<Arc<str>>) {
        self.cue = Some(cue);
        (self.skew, self.party) = (skew, party);
        self.ask_again(request);
    }

    /// The model was asked for the rest of it.
    pub(crate) fn ask_again(&mut self, request: RequestId) {
        self.model = Model::Asked(request);
        self.tools = Tools::default();
    }

    /// It answers these words, whose last sound ended then and arrived so much later.
    pub(crate) fn answer_to(&mut self, words: String, ended: MediaTime, skew: Skew) {
        self.cue = Some(CallerTurn::Said(words));
        (self.ended, self.skew) = (ended, skew);
    }

    /// It may be heard.
    pub(crate) fn release(&mut self, now: MediaTime) {
        self.released = true;
        self.progress = now;
    }

    /// The playout got further, or was given more.
    pub(crate) fn get_on(&mut self, now: MediaTime) {
        self.progress = now;
    }

    /// The voice has made audio in its newest epoch.
    pub(crate) fn voice(&mut self) {
        self.voiced = Some(self.epoch);
    }

    /// Its first sound tells others that the caller's words stand.
    pub(crate) fn announce(&mut self) {
        self.announced = true;
    }

    /// These are noted of the call when it is accepted.
    pub(crate) fn note(&mut self, slots: Vec<(String, String)>) {
        self.slots = slots;
    }

    /// What was heard of it as others will know it, filler included; `None`: they know as much.
    pub(crate) fn news(&mut self) -> Option<String> {
        let heard = self.heard();
        let pieces = [self.ledger.heard_filler().unwrap_or_default(), &heard];
        let length = pieces.iter().map(|piece| piece.trim().len()).sum();
        if length <= self.told {
            return None;
        }
        let text = join(&pieces);
        self.told = length;
        Some(text)
    }

    /// No more audio of it than this was heard, nor will be.
    pub(crate) fn truncate(&mut self, until: Duration) {
        self.ledger.truncate(until);
    }

    /// What it led to, what it noted, and what is left of it when it is over.
    pub(crate) fn into_parts(self) -> (Model, Vec<(String, String)>, ClosedReply) {
        let closed = ClosedReply::new(self.turn, self.text, self.ledger, self.refusals);
        (self.model, self.slots, closed)
    }

    /// All text that has come.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The model owes text.
    pub(crate) fn is_asked(&self) -> bool {
        matches!(self.model, Model::Asked(_))
    }

    /// The caller's words that it answers.
    pub(crate) fn callers_words(&self) -> Option<&str> {
        match self.cue.as_ref()? {
            CallerTurn::Said(words) | CallerTurn::Pressed(words) if !words.is_empty() => Some(words),
            _ => None,
        }
    }

    /// More of the text.
    pub(crate) fn push(&mut self, token: &str) {
        self.text.push_str(token);
        if self.whole {
            return self.ledger.grow(self.text.len());
        }
        while let Some(clause) = self.cutter.next(&self.text) {
            self.enqueue(clause);
        }
    }

    /// No more text comes for a while: what has come is a clause.
    pub(crate) fn pause(&mut self) {
        if let Some(clause) = self.cutter.rest(&self.text).filter(|_| !self.whole) {
            self.enqueue(clause);
        }
    }

    /// The text is complete.
    pub(crate) fn complete(&mut self, after: After, memo: Memo) {
        self.pause();
        self.end_silently();
        self.model = Model::Done { after, memo };
    }

    /// What nobody can say at the end belongs to the clause before it. If nothing but code was to be said, it is read.
    fn end_silently(&mut self) {
        let Some(silent) = self.silent.take() else { return };
        let end = self.text.trim_end().len();
        if let Some(Words::Reply(last)) = self.unspoken.back_mut() {
            last.end = end;
        } else if !self.ledger.lengthen(end) && self.code == Code::Skip {
            self.code = Code::Read;
            if self.spoken(silent..end).is_audible() {
                self.enqueue(silent..end);
            }
        }
    }

    /// The form in which this piece of the text is spoken.
    pub(crate) fn spoken(&self, piece: Range<usize>) -> Spoken {
        Spoken::with(&self.text, piece, self.code)
    }

    /// What has not been cut into clauses is in another language.
    pub(crate) fn follow(&mut self, rules: Rules) {
        self.cutter.follow(rules);
    }

    /// No more clauses are spoken than those that were. The request that is not wanted any more.
    pub(crate) fn fall_silent(&mut self) -> Option<RequestId> {
        if self.whole {
            return None;
        }
        self.unspoken.clear();
        let Model::Asked(request) = self.model else { return None };
        self.model = Model::Idle;
        Some(request)
    }

    /// Only what was heard of it stays.
    pub(crate) fn keep_heard(&mut self) {
        let heard = self.ledger.heard(&self.text);
        self.text.truncate(heard);
        self.ledger.break_off(heard);
        self.refusals.cut(heard);
        self.unspoken.clear();
        self.silent = None;
        self.cutter.skip(heard);
    }

    /// What answers speaks by itself, behind what there is; where its text begins.
    pub(crate) fn answer(&mut self) -> usize {
        self.whole = true;
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.len()
    }

    /// By the policy and the language of the call.
    pub(crate) fn restore(&mut self, config: &Config, rules: Rules) {
        self.cutter = self.cutter.restored(config, rules);
    }

    /// Its parts belong together.
    pub(crate) fn fits(&self) -> bool {
        let is_boundary = |at: &usize| self.text.is_char_boundary(*at);
        let is_piece = |words: &Words| match words {
            Words::Reply(range) => self.text.get(range.clone()).is_some(),
            Words::Filler(_) | Words::Keys(_) => true,
        };
        self.cutter.fits(&self.text)
            && self.ledger.fits(&self.text)
            && self.refusals.fit(&self.text)
            && self.unspoken.iter().all(is_piece)
            && self.silent.iter().all(is_boundary)
    }

    /// What was made of it and not heard is gone: it is made again in this epoch. What speaks by itself is asked for the
    /// rest, in the end by this request.
    pub(crate) fn lose_unheard(&mut self, epoch: Epoch, request: RequestId) {
        self.epoch = epoch;
        if matches!(&self.cue, Some(CallerTurn::Said(words)) if words.is_empty()) && self.whole {
            // It was in the audio.
            self.cue = Some(CallerTurn::Nothing);
        }
        if self.whole {
            self.model = Model::Asked(request);
            return;
        }
        let left_out = |piece: &Range<usize>| self.refusals.is_left_out(piece);
        self.ledger.lose_unheard(&self.text, epoch, left_out);
    }

    /// Goes on in an epoch of its own.
    pub(crate) fn next_epoch(&mut self) -> Epoch {
        self.epoch = self.epoch.next();
        self.epoch
    }

    /// What follows is spoken by a voice, clause by clause.
    pub(crate) fn speak_on(&mut self) {
        self.whole = false;
    }

    /// The clause's text up to `upto` is within the first `frames` frames of `epoch`.
    pub(crate) fn mark_word(&mut self, epoch: Epoch, clause: ClauseId, upto: u32, frames: u32) {
        self.ledger.word(epoch, clause, upto, frames, &self.text);
    }

    /// What is next for the voice.
    pub(crate) fn next_words(&mut self) -> Option<Words> {
        self.unspoken.pop_front()
    }

    /// There are clauses that the voice has not been given.
    pub(crate) fn has_unspoken(&self) -> bool {
        !self.unspoken.is_empty()
    }

    /// There is text that the voice has not made.
    pub(crate) fn owes_voice(&self) -> bool {
        self.has_unspoken() || self.ledger.owed() > 0
    }

    /// All that there is to say has been given to the voice.
    pub(crate) fn is_spoken(&self) -> bool {
        matches!(self.model, Model::Done { .. }) && self.unspoken.is_empty()
    }

    /// All that there is to say has been heard.
    pub(crate) fn is_over(&self) -> bool {
        self.released && self.is_spoken() && self.ledger.is_heard_out()
    }

    /// When it should have been heard, by the frames that were made.
    pub(crate) fn heard_by(&self, config: &Config) -> Option<MediaTime> {
        let left = self.ledger.left().filter(|_| self.released && self.is_spoken())?;
        Some(self.progress + left + config.playout_grace)
    }

    /// Since when the caller waits for its first sound.
    pub(crate) fn silent_since(&self) -> Option<MediaTime> {
        (self.released && !self.ledger.is_audible()).then_some(self.ended)
    }

    /// Its name in the table of states.
    pub(crate) fn name(&self) -> &'static str {
        match self.model {
            _ if !self.released => "speculative",
            Model::Idle => "filler",
            Model::Asked(_) => "awaited",
            Model::Done { .. } => "complete",
        }
    }

    /// What was heard of it, as it is written, the filler aside.
    pub(crate) fn heard(&self) -> String {
        self.refusals.without(&self.text, self.ledger.heard(&self.text))
    }

    /// The clause that sounds now or next.
    pub(crate) fn current(&self) -> Option<(Epoch, ClauseId)> {
        self.ledger.current()
    }

    /// Keys that are pressed behind what was said until now.
    pub(crate) fn press(&mut self, keys: String) {
        self.unspoken.push_back(Words::Keys(keys));
    }

    /// A clause without its surrounding blanks; one in which there is nothing to say belongs to the next.
    fn enqueue(&mut self, clause: Range<usize>) {
        let Some(clause) = trimmed(&self.text, clause) else { return };
        if !self.spoken(clause.clone()).is_audible() {
            self.silent.get_or_insert(clause.start);
            return;
        }
        let start = self.silent.take().unwrap_or(clause.start);
        self.unspoken.push_back(Words::Reply(start..clause.end));
    }
}
