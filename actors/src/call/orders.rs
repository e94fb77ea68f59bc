//! What the supervisor is told to do, and when it looks by itself.

use super::*;
use crate::error::{Fault, LegFault};
use crate::leg::link::EdgeCommand;
use crate::leg::mixer::CALLER;
use crate::orders::Order;
use crate::post::Stuck;
use crate::stages::driver::Inject;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The supervisor at work, until the call is over.
impl Future for Call {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let call = &mut *self;
        while !call.ended
            && let Poll::Ready(Some(order)) = call.book.poll_next(cx)
        {
            call.obey(order);
        }
        for stage in StageKind::ALL {
            while !call.ended && call.life(stage).again.poll(cx).is_ready() {
                call.start(stage);
            }
        }
        while !call.ended && call.leg.poll_again(cx).is_ready() {
            call.start_pump();
        }
        while !call.ended && call.others.poll_beat(cx).is_ready() {
            call.mix();
        }
        while !call.ended && call.looks.poll(cx).is_ready() {
            call.look();
        }
        if call.ended { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Call {
    fn obey(&mut self, order: Order) {
        match order {
            Order::Finish(reason) => self.end(reason),
            Order::Apologise(epoch) => self.apologise(epoch),
            Order::Hurry(stage) => self.hurry(stage),
            Order::Overrun(stage) => self.overrun(stage),
            Order::BetweenTurns(stage) => self.between_turns(stage),
            Order::ChangeLanguage(code) => self.change_language(&code),
            Order::Follow(stage) => self.follow(stage),
            Order::Hedge(request) => self.hedge(request),
            Order::HedgeOver(over) => self.hedge_over(over),
            Order::Summarise(wanted) => self.summarise(*wanted),
            Order::Inject { stage, fault } => self.inject(stage, fault),
            Order::InjectLeg { leg, fault } => self.inject_leg(leg, fault),
            Order::Ended(ended) => self.ended(ended),
            Order::LegDied { leg: CALLER, detail } => self.pump_died(&detail),
            Order::LegDied { leg, detail } => {
                tracing::error!(callId = %self.profile.id, leg, detail, "the pump of a leg panicked");
                self.leg_over(leg);
            }
            Order::LegOver(leg) => self.leg_over(leg),
            Order::Join(spec) => self.join(spec),
            Order::DropLeg(leg) => self.drop_leg(leg),
            Order::Address(audience) => self.address(audience),
        }
    }

    fn overrun(&mut self, stage: StageKind) {
        if self.is_running(stage) {
            self.died(stage, Cause::Stall, Stuck.to_string(), Instant::now());
        }
    }

    fn between_turns(&mut self, stage: StageKind) {
        if stage == StageKind::SpeechToSpeech {
            self.give_back();
        }
        self.prefer(stage);
    }

    /// Needs no engine: the voice's stage is rebuilt with one that only plays what is in memory.
    fn apologise(&mut self, epoch: Epoch) {
        self.drop_child(StageKind::Tts);
        if self.stages.s2s.is_some() {
            self.drop_child(StageKind::SpeechToSpeech);
        }
        self.apology = Some(epoch);
        self.start(StageKind::Tts);
    }

    fn inject(&self, stage: StageKind, fault: Fault) {
        let stages = &self.stages;
        let sent = match stage {
            StageKind::Vad => stages.vad.as_ref().is_some_and(|child| child.inject(Inject(fault))),
            StageKind::Stt => stages.stt.as_ref().is_some_and(|child| child.inject(Inject(fault))),
            StageKind::Llm => stages.llm.as_ref().is_some_and(|child| child.inject(Inject(fault))),
            StageKind::Tts => stages.tts.as_ref().is_some_and(|child| child.inject(Inject(fault))),
            StageKind::SpeechToSpeech => stages.s2s.as_ref().is_some_and(|child| child.inject(Inject(fault))),
        };
        tracing::info!(callId = %self.profile.id, ?stage, ?fault, sent, "fault injected");
    }

    fn inject_leg(&self, leg: u32, fault: LegFault) {
        let edge = if leg == CALLER { Some(&self.edge) } else { self.others.edge(leg) };
        let sent = edge.is_some_and(|edge| edge.put(EdgeCommand::Inject(fault)).is_ok());
        tracing::warn!(callId = %self.profile.id, leg, ?fault, sent, "fault injected");
    }

    /// Goes to the service that is preferred, if that does well again or is due for a try.
    fn prefer(&mut self, stage: StageKind) {
        let chain = &self.lives[stage as usize].chain;
        if !chain.has_others() || !self.is_running(stage) {
            return;
        }
        let (at, health, from) = (self.clock().now().since_start(), &self.core.health, chain.serving());
        let Some(to) = chain.preferred(at, |service| health.standing(stage, service)) else { return };
        if health.standing(stage, to) == Standing::Due && !health.try_it(stage, to) {
            return;
        }
        self.life(stage).chain.serve(to);
        self.switched(stage, from, to, if to < from { SwitchCause::Preferred } else { SwitchCause::Circuit });
        self.drop_child(stage);
        self.tell_router(StageNews::Lost(stage));
        self.start(stage);
    }
}
