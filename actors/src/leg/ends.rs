//! The ends of rings that a leg's pump has.

use crate::leg::mix;
use ringway_frame::{Format, Frame};
use ringway_ring::{Lent, Reader, Writer};
use std::cell::Cell;
use std::rc::Rc;

/// Where a pump puts its peer's audio, and what it has beside *voice*.
#[derive(Debug)]
pub struct Ends {
    /// The call's *mic*, or a ring into the mixer.
    pub(crate) mic: Lent<Writer>,
    pub(crate) shared: Option<Box<Shared>>,
}

/// What a leg has that is not alone in its call.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What the mixer makes for it.
    others: Lent<Reader>,
    bot: Option<Bot>,
    frame: Frame,
    mixed: Frame,
}

/// What the caller's leg has, which plays the bot's audio for all.
#[derive(Debug)]
pub(crate) struct Bot {
    /// Frames as they are played, to the mixer.
    pub(crate) played: Lent<Writer>,
    /// Whether the caller hears them as well.
    pub(crate) audible: Rc<Cell<bool>>,
}

/// Frames of the others that wait at most; a leg that was away begins with the newest.
const FRESH: usize = 3;

impl Shared {
    pub(crate) fn new(others: Lent<Reader>, bot: Option<Bot>, format: Format) -> Self {
        Self { others, bot, frame: Frame::silence(format), mixed: Frame::silence(format) }
    }

    /// Whether its peer hears the frames of the bot that it plays.
    pub(crate) fn hears_bot(&self) -> bool {
        self.bot.as_ref().is_some_and(|bot| bot.audible.get())
    }

    /// A frame of the bot is played now.
    pub(crate) fn pass_on(&mut self, frame: &Frame) {
        if let Some(Ok(played)) = self.bot.as_mut().map(|bot| bot.played.get_mut()) {
            // A full ring drops the newest frame and counts it.
            let _ = played.push_or_drop(frame);
        }
    }

    /// What the others say in this tick, if they say anything.
    pub(crate) fn others(&mut self) -> Option<&Frame> {
        let others = self.others.get_mut().ok()?;
        if others.len() > FRESH {
            others.skip(others.len() - 1);
        }
        others.pop(&mut self.frame).is_ok().then_some(&self.frame)
    }

    /// A frame of the bot, with what the others say while it sounds.
    pub(crate) fn with_others(&mut self, frame: &Frame) -> &Frame {
        self.mixed = *frame;
        if self.others().is_some() {
            mix::add(&mut self.mixed, &self.frame);
        }
        &self.mixed
    }
}
