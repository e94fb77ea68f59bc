use super::FinishReason;
use crate::llm::{CachedTokens, ToolCall};
use crate::services::ServiceError;
use crate::services::records::{Due, Records};
use bytes::Bytes;
use std::collections::VecDeque;

/// Takes what the model says out of the records of an answer.
pub(in crate::services) trait Reader: Default + std::fmt::Debug {
    /// The form of its records.
    const DUE: Due;

    /// Reads a record. Nothing of it counts when it is refused.
    fn read(&mut self, record: &str, heard: &mut Heard) -> Result<(), ServiceError>;

    /// The answer is over: tells what waited for that.
    fn close(&mut self, heard: &mut Heard);
}

/// One thing that a model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services) enum Saying {
    Text(String),
    Call(ToolCall),
    End,
}

/// What was read of an answer.
#[derive(Debug, Default)]
pub(in crate::services) struct Heard {
    sayings: VecDeque<Saying>,
    /// Why the model has stopped, once it has: what is missing behind it is no loss.
    pub(in crate::services) finish: Option<FinishReason>,
    /// Nothing comes any more.
    pub(in crate::services) ended: bool,
    /// The model has thought.
    pub(in crate::services) thought: bool,
    /// It says that it does not answer.
    pub(in crate::services) refused: bool,
    /// How many tokens the service says that it was given.
    pub(in crate::services) tokens: Option<u32>,
    /// What of them it remembers between requests.
    pub(in crate::services) cached: CachedTokens,
    /// Pieces of words and calls so far.
    pub(in crate::services) pieces: u64,
}

impl Heard {
    pub(in crate::services) fn text(&mut self, text: String) {
        if !text.is_empty() {
            self.pieces += 1;
            self.sayings.push_back(Saying::Text(text));
        }
    }

    pub(in crate::services) fn call(&mut self, call: ToolCall) {
        self.pieces += 1;
        self.sayings.push_back(Saying::Call(call));
    }

    /// The first word for it counts.
    pub(in crate::services) fn stopped(&mut self, word: Option<&str>) {
        let finish = || word.and_then(FinishReason::read);
        self.finish = self.finish.take().or_else(finish);
    }
}

/// An answer that comes in pieces of any length.
#[derive(Debug)]
pub(in crate::services) struct Reading<R> {
    records: Records,
    reader: R,
    heard: Heard,
    closed: bool,
}

impl<R: Reader> Default for Reading<R> {
    fn default() -> Self {
        let (reader, heard) = (R::default(), Heard::default());
        Self { records: Records::new(R::DUE), reader, heard, closed: false }
    }
}

impl<R: Reader> Reading<R> {
    /// Reads on in `piece`; `None` when it is used up, at last and for ever [`Saying::End`].
    pub(in crate::services) fn next(&mut self, piece: &mut Bytes) -> Result<Option<Saying>, ServiceError> {
        loop {
            if let Some(saying) = self.heard.sayings.pop_front() {
                return Ok(Some(saying));
            }
            if self.closed {
                return Ok(Some(Saying::End));
            }
            if self.heard.ended {
                self.close();
                continue;
            }
            let record = self.records.next(piece);
            let Some(record) = self.forgive(record)?.flatten() else { return Ok(self.ended()) };
            self.take(&record)?;
        }
    }

    /// No piece comes any more. `false`: the model had not stopped.
    pub(in crate::services) fn finish(&mut self) -> Result<bool, ServiceError> {
        let record = self.records.finish();
        if let Some(record) = self.forgive(record)?.flatten() {
            self.take(&record)?;
        }
        if self.has_stopped() {
            self.close();
        }
        Ok(self.closed)
    }

    /// The answer is over, whatever may still come.
    pub(in crate::services) fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.reader.close(&mut self.heard);
        }
    }

    pub(in crate::services) const fn has_stopped(&self) -> bool {
        self.heard.finish.is_some() || self.heard.ended
    }

    pub(in crate::services) const fn heard(&self) -> &Heard {
        &self.heard
    }

    fn take(&mut self, record: &str) -> Result<(), ServiceError> {
        let read = self.reader.read(record, &mut self.heard);
        self.forgive(read).map(|_| ())
    }

    /// What cannot be read behind the end is no loss; nothing is read behind it.
    fn forgive<T>(&mut self, read: Result<T, ServiceError>) -> Result<Option<T>, ServiceError> {
        match read {
            Err(_) if self.has_stopped() => {
                self.heard.ended = true;
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    fn ended(&mut self) -> Option<Saying> {
        if !self.heard.ended {
            return None;
        }
        self.close();
        Some(self.heard.sayings.pop_front().unwrap_or(Saying::End))
    }
}
