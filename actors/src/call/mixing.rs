//! Legs beside the caller's: they join, are mixed on the beat, and leave.

use super::*;
use crate::call::leg::watched;
use crate::core::metronome::Beat;
use crate::inbox::Report;
use crate::leg::audience::Audience;
use crate::leg::door::{LegDoor, Seen};
use crate::leg::ends::{Bot, Ends, Shared};
use crate::leg::link::EdgeCommand;
use crate::leg::mic::Mic;
use crate::leg::mixer::{CALLER, MOST_LEGS, Mixer};
use crate::leg::playout::Playout;
use crate::leg::pump::{PumpParts, serve};
use crate::leg::spec::LegSpec;
use crate::leg::state::LegState;
use crate::orders::Permit;
use ringway_frame::Frame;
use ringway_ring::{EpochGate, OnLoan, Owner, Reader, ReplayReader, Writer, ring};
use ringway_turn::Input;
use std::cell::{Cell, RefCell};
use std::task::{Context, Poll};

/// What a call has of legs beside the caller's.
#[derive(Default)]
pub(super) struct Others {
    /// Legs that have joined so far.
    joined: u32,
    audience: Audience,
    /// Frames that rings dropped which are gone.
    dropped: u64,
    /// There while there are others.
    mixing: Option<Box<Mixing>>,
}

/// What joins the legs of a call.
struct Mixing {
    mixer: Mixer,
    beat: Beat,
    caller: CallersEnds,
    beside: Vec<Beside>,
}

/// Ends that the pump of the caller's leg borrows.
struct CallersEnds {
    mic: Owner<Writer>,
    others: Owner<Reader>,
    bot: Owner<Writer>,
    audible: Rc<Cell<bool>>,
}

/// A leg beside the caller's.
struct Beside {
    leg: u32,
    label: Arc<str>,
    edge: EdgeLink,
    /// What its pump borrows; nobody speaks in its *voice*, since the bot comes with the others.
    _ends: (Owner<Writer>, Owner<Reader>, Owner<ReplayReader>),
    /// Given back when it is over.
    _kept: Box<dyn Any + Send>,
}

/// The ends of the mixer's rings that are lent to a pump, and those that the mixer keeps.
type Wired = ((Owner<Writer>, Owner<Reader>), (Reader, Writer));

/// Frames from a leg that wait for the mixer at most (500 ms).
const SAID: usize = 25;

/// Frames that wait for a leg, or of the bot for the mixer, at most (200 ms).
const MIXED: usize = 10;

/// Messages that wait for a leg beside the caller's at most.
const COMMANDS: usize = 16;

impl Others {
    pub(super) fn are_there(&self) -> bool {
        self.mixing.is_some()
    }

    /// Frames between the legs that found no room since this was asked last.
    pub(super) fn take_dropped(&mut self) -> u64 {
        let now = self.mixing.as_mut().map_or(0, |mixing| mixing.mixer.take_dropped());
        std::mem::take(&mut self.dropped) + now
    }

    /// Where orders to this leg beside the caller's are put, if it is there.
    pub(super) fn edge(&self, leg: u32) -> Option<&EdgeLink> {
        self.beside().find(|beside| beside.leg == leg).map(|beside| &beside.edge)
    }

    fn beside(&self) -> impl Iterator<Item = &Beside> {
        self.mixing.iter().flat_map(|mixing| &mixing.beside)
    }

    pub(super) fn poll_beat(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.mixing {
            Some(mixing) => mixing.beat.poll_tick(cx),
            None => Poll::Pending,
        }
    }
}

impl Call {
    /// A leg joins; one for which there is no room does not, which its maker sees by what it gave.
    pub(super) fn join(&mut self, spec: LegSpec) {
        let Ok(permit) = self.orders.permit() else { return };
        if self.others.mixing.is_none() && !self.share() {
            return;
        }
        let Some(mixing) = &mut self.others.mixing else { return };
        if mixing.beside.len() + 1 >= MOST_LEGS {
            return;
        }
        self.others.joined += 1;
        let leg = self.others.joined;
        if let Err(OnLoan) = self.open_beside(leg, spec, permit) {
            unreachable!("new rings are at home");
        }
    }

    fn open_beside(&mut self, leg: u32, spec: LegSpec, permit: Permit) -> Result<(), OnLoan> {
        let LegSpec { edge: kind, format, label, listened, opened } = spec;
        let clock = self.clock();
        let ((mut mic, mut out), mixers) = wired(format);
        let mut voice = Owner::new(ring(format, 2).1.replay(1));
        let (edge, commands) = EdgeLink::bounded(COMMANDS);
        let seen = Seen::new(LegState::Dialling);
        let config = &self.core.config;
        let parts = PumpParts {
            mic: Mic::new(mic.lend()?, clock, format),
            playout: Playout::new(
                voice.lend()?,
                EpochGate::new(),
                config.playout.lead,
                Frame::silence(format),
            ),
            beat: self.core.metronome().beat(),
            commands: Rc::new(RefCell::new(commands)),
            call: self.leg.handle().clone(),
            clock,
            limits: config.leg.clone(),
            seen: seen.clone(),
            load: self.core.load().clone(),
            lead: config.playout.lead,
            leg,
            shared: Some(Box::new(Shared::new(out.lend()?, None, format))),
        };
        let Some(mixing) = &mut self.others.mixing else { return Ok(()) };
        mixing.mixer.seat((leg, seen.clone()), (listened, format), mixers);
        self.core.open_door((self.profile.id, leg), LegDoor::new(edge.downgrade(), seen, format));
        let _kept = opened(leg);
        mixing.beside.push(Beside { leg, label: label.clone(), edge, _ends: (mic, out, voice), _kept });
        tokio::task::spawn_local(watched(serve(parts), permit, leg));
        self.events.put_inside(CallEventKind::LegCreated { leg, edge: kind, label });
        self.events.put_inside(CallEventKind::Leg { leg, state: LegState::Dialling });
        Ok(())
    }

    /// The caller's leg is not alone any more; `false`: it takes no orders.
    fn share(&mut self) -> bool {
        let format = self.profile.format;
        let ((mic, others), mixers) = wired(format);
        let (bot, bot_out) = ring(format, MIXED);
        let audible = Rc::new(Cell::new(self.others.audience.reaches(CALLER)));
        let mut mixer = Mixer::new(format, bot_out, self.leg.gate().clone(), self.others.audience);
        mixer.seat((CALLER, self.leg.seen().clone()), (true, format), mixers);
        let mut caller = CallersEnds { mic, others, bot: Owner::new(bot), audible };
        let Ok(ends) = caller.lend(format) else { return false };
        let told = self.edge.put(EdgeCommand::Rewire(Box::new(ends))).is_ok();
        if told {
            let mut beat = self.core.metronome().beat();
            beat.skip();
            self.others.mixing = Some(Box::new(Mixing { mixer, beat, caller, beside: Vec::new() }));
        }
        told
    }

    /// Another pump serves the caller's leg: the ends of its rings, where it is not alone. New rings take the place of
    /// those that the old pump may still hold.
    pub(super) fn shared_ends(&mut self) -> Option<Result<Ends, OnLoan>> {
        let (format, seen) = (self.profile.format, self.leg.seen().clone());
        let mixing = self.others.mixing.as_mut()?;
        let ((mic, others), mixers) = wired(format);
        let (bot, bot_out) = ring(format, MIXED);
        mixing.mixer.seat((CALLER, seen), (true, format), mixers);
        mixing.mixer.hear_bot(bot_out);
        let audible = mixing.caller.audible.clone();
        mixing.caller = CallersEnds { mic, others, bot: Owner::new(bot), audible };
        Some(mixing.caller.lend(format))
    }

    /// One beat.
    pub(super) fn mix(&mut self) {
        let now = self.clock().now();
        let Some(mixing) = &mut self.others.mixing else { return };
        if mixing.beside.is_empty() {
            return self.part();
        }
        if mixing.mixer.mic.is_none() {
            // It comes when the caller's pump has gone over to its own ring.
            mixing.mixer.mic = self.rings.mic_in.lend().ok();
        }
        if mixing.mixer.mix(now) {
            let speaking = mixing.mixer.speaking();
            let party =
                mixing.beside.iter().find(|beside| beside.leg == speaking).map(|one| one.label.clone());
            self.tell_turn(Input::Speaking { party });
        }
    }

    /// The caller's leg is alone again, and gets the call's own *mic* back.
    fn part(&mut self) {
        let Some(mixing) = &mut self.others.mixing else { return };
        mixing.mixer.mic = None;
        let Ok(mic) = self.rings.mic_in.lend() else { return };
        let speaking = mixing.mixer.speaking();
        if self.edge.put(EdgeCommand::Rewire(Box::new(Ends { mic, shared: None }))).is_ok() {
            self.others.dropped = self.others.take_dropped();
            self.others.mixing = None;
            if speaking != CALLER {
                self.tell_turn(Input::Speaking { party: None });
            }
        }
    }

    /// A leg beside the caller's is over.
    pub(super) fn leg_over(&mut self, leg: u32) {
        let Some(mixing) = &mut self.others.mixing else { return };
        mixing.mixer.leave(leg);
        mixing.beside.retain(|beside| beside.leg != leg);
        self.core.close_door((self.profile.id, leg));
        self.events.put_inside(CallEventKind::Leg { leg, state: LegState::Over });
        if self.others.audience == Audience::Only(leg) {
            // What was for its ears alone is not for the others'.
            self.tell_turn(Input::Interrupt);
            self.address(Audience::All);
        }
    }

    /// A leg beside the caller's hangs up for us.
    pub(super) fn drop_leg(&self, leg: u32) {
        self.others.edge(leg).into_iter().for_each(|edge| edge.end(EndReason::Operator));
    }

    /// The bot speaks to these from now on; a leg that is not there changes nothing.
    pub(super) fn address(&mut self, audience: Audience) {
        if let Audience::Only(leg) = audience
            && leg != CALLER
            && self.others.edge(leg).is_none()
        {
            return;
        }
        let away = |audience| audience == Audience::Nobody;
        let before = std::mem::replace(&mut self.others.audience, audience);
        if let Some(mixing) = &mut self.others.mixing {
            mixing.mixer.address(audience);
            mixing.caller.audible.set(audience.reaches(CALLER));
        }
        if away(before) != away(audience) {
            self.tell_turn(Input::BotAway { away: away(audience) });
        }
    }

    /// All other legs are told of the call's end.
    pub(super) fn end_others(&mut self, reason: &EndReason) {
        for beside in self.others.beside() {
            self.core.close_door((self.profile.id, beside.leg));
            beside.edge.end(reason.clone());
        }
    }

    /// A router that does not read its mail is ended by its own bound.
    fn tell_turn(&self, input: Input) {
        let _ = self.inbox.report(Report::Input(input));
    }
}

impl CallersEnds {
    fn lend(&mut self, format: Format) -> Result<Ends, OnLoan> {
        let bot = Bot { played: self.bot.lend()?, audible: self.audible.clone() };
        let shared = Some(Box::new(Shared::new(self.others.lend()?, Some(bot), format)));
        Ok(Ends { mic: self.mic.lend()?, shared })
    }
}

/// Two rings between a leg and the mixer.
fn wired(format: Format) -> Wired {
    let (mic, said) = ring(format, SAID);
    let (out, others) = ring(format, MIXED);
    ((Owner::new(mic), Owner::new(others)), (said, out))
}
