//! What the legs of one call hear of each other, and what the call hears of them: made on the beat.

use crate::leg::audience::Audience;
use crate::leg::conversion::Conversion;
use crate::leg::door::Seen;
use crate::leg::intake::Intake;
use crate::leg::mix::{self, SILENCE, Samples, Sum};
use crate::leg::state::LegState;
use arrayvec::ArrayVec;
use ringway_frame::{Epoch, FRAME, Format, Frame, MediaTime};
use ringway_ring::{EpochGate, Lent, Reader, Writer};
use std::rc::Rc;

/// Legs of one call at most.
pub(crate) const MOST_LEGS: usize = 8;

/// The caller's leg.
pub(crate) const CALLER: u32 = 0;

/// Sums, for each leg, what the others say (N-1), and for the call what those say that it listens to.
///
/// The caller's leg plays the bot's audio by itself, as in a call of one leg, and passes each frame on to here, where it is
/// mixed into what the others hear. A leg's frames wait a moment against its network's jitter; a leg that sends nothing is
/// no part of any sum, and where nobody sends nothing is made.
#[derive(Debug)]
pub(crate) struct Mixer {
    seats: ArrayVec<Seat, MOST_LEGS>,
    bot: Intake,
    gate: EpochGate,
    audience: Audience,
    /// The call's *mic*, once it has come from the caller's leg.
    pub(crate) mic: Option<Lent<Writer>>,
    frame: Frame,
    sequence: u32,
    /// Who is heard.
    speaking: u32,
    drops: Drops,
}

/// Frames that found no room.
#[derive(Debug, Default)]
struct Drops {
    /// In rings that are gone.
    gone: u64,
    told: u64,
}

/// One leg in the mixer.
#[derive(Debug)]
struct Seat {
    leg: u32,
    listened: bool,
    seen: Rc<Seen>,
    intake: Intake,
    out: Writer,
    /// Where its format is another than the call's.
    conversion: Option<Box<Conversion>>,
    /// What it says in this beat.
    said: Samples,
    speaks: bool,
    level: u32,
}

/// Whoever is quieter is not taken for a speaker: 40 dB below full scale.
const QUIET: u32 = 300;

impl Mixer {
    /// Of a call without legs yet; `bot` is where the caller's leg puts the frames of the bot that it plays.
    pub(crate) fn new(format: Format, bot: Reader, gate: EpochGate, audience: Audience) -> Self {
        Self {
            seats: ArrayVec::new(),
            bot: Intake::new(bot),
            gate,
            audience,
            mic: None,
            frame: Frame::silence(format),
            sequence: 0,
            speaking: CALLER,
            drops: Drops::default(),
        }
    }

    /// A leg more, or other rings of one that is there: `said` is what comes from it, `out` goes to it, both in its own
    /// format.
    pub(crate) fn seat(
        &mut self,
        (leg, seen): (u32, Rc<Seen>),
        (listened, format): (bool, Format),
        (said, out): (Reader, Writer),
    ) {
        self.leave(leg);
        let intake = Intake::new(said);
        let conversion = Conversion::between(format, self.frame.format());
        let (said, speaks, level) = (SILENCE, false, 0);
        let seat = Seat { leg, listened, seen, intake, out, conversion, said, speaks, level };
        // There is a seat for each leg that a call may have.
        let _ = self.seats.try_push(seat);
    }

    /// The caller's leg has another pump, which puts the bot's frames here.
    pub(crate) fn hear_bot(&mut self, bot: Reader) {
        let old = std::mem::replace(&mut self.bot, Intake::new(bot));
        self.drops.gone += old.dropped();
    }

    pub(crate) fn leave(&mut self, leg: u32) {
        let leaving = self.seats.iter().filter(|seat| seat.leg == leg);
        self.drops.gone += leaving.map(Seat::dropped).sum::<u64>();
        self.seats.retain(|seat| seat.leg != leg);
    }

    pub(crate) fn address(&mut self, audience: Audience) {
        self.audience = audience;
    }

    /// Who is heard.
    pub(crate) fn speaking(&self) -> u32 {
        self.speaking
    }

    /// Frames that found no room since this was asked last.
    pub(crate) fn take_dropped(&mut self) -> u64 {
        let there: u64 = self.seats.iter().map(Seat::dropped).sum();
        let dropped = self.drops.gone + there + self.bot.dropped();
        dropped - std::mem::replace(&mut self.drops.told, dropped)
    }

    /// Does the work of one beat; whether somebody else is heard from now on.
    pub(crate) fn mix(&mut self, now: MediaTime) -> bool {
        let (mut all, mut heard) = (Sum::NOTHING, Sum::NOTHING);
        let (mut speakers, mut listened) = (0, false);
        for seat in &mut self.seats {
            seat.take(&mut self.frame);
            if seat.speaks {
                speakers += 1;
                all.add(&seat.said);
            }
            if seat.speaks && seat.listened {
                listened = true;
                heard.add(&seat.said);
            }
        }
        let bot = self.bot();
        for seat in &mut self.seats {
            let bot = bot.filter(|_| seat.leg != CALLER && self.audience.reaches(seat.leg));
            seat.give(all, speakers, bot.as_ref(), &mut self.frame);
        }
        if listened {
            self.hear(heard, now);
        }
        self.who_speaks()
    }

    /// What the bot says in this beat.
    fn bot(&mut self) -> Option<Samples> {
        let gate = &self.gate;
        self.bot.next(&mut self.frame, |epoch| gate.is_void(epoch)).then(|| {
            let mut samples = SILENCE;
            mix::read(&self.frame, &mut samples);
            samples
        })
    }

    /// To the call.
    fn hear(&mut self, heard: Sum, now: MediaTime) {
        let Some(mic) = self.mic.as_mut().and_then(|mic| mic.get_mut().ok()) else { return };
        heard.write(&mut self.frame);
        self.frame =
            self.frame.in_epoch(Epoch::ZERO).at(self.sequence, now.saturating_sub(FRAME)).arrived(now);
        self.frame.gap = false;
        self.sequence = self.sequence.wrapping_add(1);
        // A full ring drops the newest frame, counts it and marks the gap.
        let _ = mic.push_or_drop(&self.frame);
    }

    /// The loudest, who has the word until somebody is twice as loud.
    fn who_speaks(&mut self) -> bool {
        let level = |leg| self.seats.iter().find(|seat| seat.leg == leg).map_or(0, |seat| seat.level);
        let least = QUIET.max(2 * level(self.speaking));
        let others = self.seats.iter().filter(|seat| seat.listened && seat.leg != self.speaking);
        let loudest = others.max_by_key(|seat| seat.level).filter(|seat| seat.level > least);
        let changes = loudest.map(|seat| seat.leg);
        self.speaking = changes.unwrap_or(self.speaking);
        changes.is_some()
    }
}

impl Seat {
    fn dropped(&self) -> u64 {
        self.intake.dropped() + self.out.stats().snapshot().dropped
    }

    fn take(&mut self, frame: &mut Frame) {
        if let Some(conversion) = &mut self.conversion {
            self.speaks = conversion.take(&mut self.intake, &mut self.said);
        } else {
            self.speaks = self.intake.next(frame, |_| false);
            if self.speaks {
                mix::read(frame, &mut self.said);
            }
        }
        let level = if self.speaks { mix::level(&self.said) } else { 0 };
        // Over the last 100 ms or so.
        self.level = (4 * self.level + level) / 5;
    }

    /// What the others say, and the bot, if there is anything and anybody to hear it.
    fn give(&mut self, mut all: Sum, speakers: usize, bot: Option<&Samples>, frame: &mut Frame) {
        if self.speaks {
            all.subtract(&self.said);
        }
        if let Some(bot) = bot {
            all.add(bot);
        }
        let heard = self.seen.state.get() == LegState::Up;
        if !heard || (speakers == usize::from(self.speaks) && bot.is_none()) {
            return self.conversion.iter_mut().for_each(|conversion| conversion.rest());
        }
        let frame = match &mut self.conversion {
            None => {
                all.write(frame);
                &*frame
            }
            Some(conversion) => conversion.give(&all.limited(), frame.format()),
        };
        // A full ring drops the newest frame and counts it.
        let _ = self.out.push_or_drop(frame);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tones;
