//! Marks: how a carrier tells what it has played.

use arrayvec::ArrayString;
use ringway_frame::Epoch;
use std::collections::VecDeque;
use std::fmt::Write;

/// Marks that are out at most; more are not sent until some came back.
const MOST: usize = 64;

/// The longest name: two numbers of 32 bits and a hyphen.
const NAME: usize = 21;

/// Behind the first `frames` frames of `epoch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) epoch: Epoch,
    pub(super) frames: u32,
}

impl Mark {
    pub(super) fn name(self) -> ArrayString<NAME> {
        let mut name = ArrayString::new();
        write!(name, "{}-{}", self.epoch, self.frames).expect("two numbers fit");
        name
    }
}

/// Marks that are out, oldest first.
#[derive(Debug)]
pub(super) struct Marks {
    out: VecDeque<Mark>,
    /// So many of the oldest come back because of a clear: they were not heard.
    cleared: usize,
}

/// A mark that came back behind audio that was played.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Played {
    pub(super) mark: Mark,
    /// Frames before the next mark of its epoch, if one is out.
    pub(super) next: Option<u32>,
}

impl Marks {
    pub(super) fn new() -> Self {
        Self { out: VecDeque::with_capacity(MOST), cleared: 0 }
    }

    /// No more are sent for now.
    pub(super) fn are_full(&self) -> bool {
        self.out.len() >= MOST
    }

    pub(super) fn send(&mut self, mark: Mark) {
        self.out.push_back(mark);
    }

    /// The carrier's buffer is cleared: it sends all that are out back at once.
    pub(super) fn clear(&mut self) {
        self.cleared = self.out.len();
    }

    /// A mark came back; `None` where it says nothing of what was heard. They come back in order.
    pub(super) fn returned(&mut self, name: &str) -> Option<Played> {
        let index = self.out.iter().position(|mark| *mark.name() == *name)?;
        let mark = self.out[index];
        self.out.drain(..=index);
        let void = index < self.cleared;
        self.cleared = self.cleared.saturating_sub(index + 1);
        let next = self.out.front().filter(|next| next.epoch == mark.epoch).map(|next| next.frames);
        (!void).then_some(Played { mark, next })
    }
}
