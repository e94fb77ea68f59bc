//! What a Call is told to do: one bounded queue in which nothing is dropped.

use crate::error::{Death, Fault, LegFault};
use crate::hedge::Over;
use crate::leg::audience::Audience;
use crate::leg::spec::LegSpec;
use ringway_frame::Epoch;
use ringway_turn::{Context as Conversation, EndReason, RequestId, StageKind, SummaryId};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// An order to the Call.
#[derive(Debug)]
pub(crate) enum Order {
    /// The turn has closed its books: the call ends.
    Finish(EndReason),
    /// Plays the apology in this epoch.
    Apologise(Epoch),
    /// The stage is late: another service that does well takes its place.
    Hurry(StageKind),
    /// The stage does not take its orders.
    Overrun(StageKind),
    /// The stage has nothing to do until the next turn: time to go to the service that is preferred.
    BetweenTurns(StageKind),
    /// The call is in the language of this code from now on.
    ChangeLanguage(String),
    /// The stage goes over to the call's language.
    Follow(StageKind),
    /// The request is later than usual: a second service is to be found for it.
    Hedge(RequestId),
    /// How that came out; `None`: nobody was asked.
    HedgeOver(Option<Over>),
    /// A summary is wanted.
    Summarise(Box<Summarise>),
    /// Puts a fault into a stage.
    Inject { stage: StageKind, fault: Fault },
    /// Puts a fault into a leg.
    InjectLeg { leg: u32, fault: LegFault },
    /// A stage ended by itself; `None`: the router did.
    Ended(Ended),
    /// The pump of this leg panicked, with this text.
    LegDied { leg: u32, detail: String },
    /// The pump of this leg, which is not the caller's, has said goodbye.
    LegOver(u32),
    /// A leg joins.
    Join(LegSpec),
    /// This leg, which is not the caller's, is to leave.
    DropLeg(u32),
    /// Whom the bot speaks to from now on.
    Address(Audience),
}

/// A summary that is wanted.
#[derive(Debug)]
pub(crate) struct Summarise {
    pub(crate) summary: SummaryId,
    pub(crate) context: Conversation,
    pub(crate) within: Duration,
}

/// How a stage of this generation ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) stage: Option<StageKind>,
    pub(crate) generation: u32,
    pub(crate) death: Death,
}

/// Where orders for one Call are put, from whatever thread. They are few, and the queue keeps room for some of them all
/// the time: each is boxed.
#[derive(Clone, Debug)]
pub(crate) struct Orders(mpsc::Sender<Box<Order>>);

/// Where the Call finds them.
#[derive(Debug)]
pub(crate) struct OrderBook(mpsc::Receiver<Box<Order>>);

/// Room for one order, taken ahead by whoever has one that must not be refused.
#[derive(Debug)]
pub(crate) struct Permit(mpsc::OwnedPermit<Box<Order>>);

/// So many orders wait that the Call does not do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call's supervisor takes no orders")]
pub(crate) struct Stuck;

/// Orders that wait at most: more than a whole inbox makes of what it holds.
const MOST: usize = 1_024;

impl Orders {
    pub(crate) fn new() -> (Self, OrderBook) {
        let (sender, receiver) = mpsc::channel(MOST);
        (Self(sender), OrderBook(receiver))
    }

    /// Puts an order behind those before it. A Call that is over needs none.
    ///
    /// # Errors
    /// It is stuck.
    pub(crate) fn put(&self, order: Order) -> Result<(), Stuck> {
        match self.0.try_send(Box::new(order)) {
            Err(TrySendError::Full(_)) => Err(Stuck),
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// The Call is over: nobody does them any more.
    pub(crate) fn are_moot(&self) -> bool {
        self.0.is_closed()
    }

    /// Room for one order that is to come.
    ///
    /// # Errors
    /// It is stuck, or over.
    pub(crate) fn permit(&self) -> Result<Permit, Stuck> {
        self.0.clone().try_reserve_owned().map(Permit).map_err(|_| Stuck)
    }
}

impl Permit {
    /// Puts the order that it was taken for.
    pub(crate) fn put(self, order: Order) {
        drop(self.0.send(Box::new(order)));
    }
}

impl OrderBook {
    /// The next order, once there is one; nobody is left to give any: `None`.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Order>> {
        self.0.poll_recv(cx).map(|order| order.map(|order| *order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn next(book: &mut OrderBook) -> Option<StageKind> {
        let Poll::Ready(Some(Order::Hurry(stage))) = book.poll_next(&mut Context::from_waker(Waker::noop()))
        else {
            return None;
        };
        Some(stage)
    }

    #[test]
    fn a_thousand_orders_wait_in_order_and_one_more_is_told_that_the_call_is_stuck() {
        let (orders, mut book) = Orders::new();
        let stages = || StageKind::ALL.into_iter().cycle().take(MOST);
        stages().for_each(|stage| assert_eq!(orders.put(Order::Hurry(stage)), Ok(())));
        assert_eq!(orders.put(Order::Hurry(StageKind::Vad)), Err(Stuck));
        assert!(orders.permit().is_err());
        stages().for_each(|stage| assert_eq!(next(&mut book), Some(stage)));
        assert_eq!(orders.put(Order::Hurry(StageKind::Vad)), Ok(()));
    }

    #[test]
    fn an_order_with_a_permit_finds_room_in_a_full_book() {
        let (orders, mut book) = Orders::new();
        let permit = orders.permit().expect("it is not stuck");
        (1..MOST).for_each(|_| assert_eq!(orders.put(Order::Hurry(StageKind::Vad)), Ok(())));
        assert_eq!(orders.put(Order::Hurry(StageKind::Vad)), Err(Stuck));
        permit.put(Order::Hurry(StageKind::Tts));
        let all: Vec<_> = std::iter::from_fn(|| next(&mut book)).collect();
        assert_eq!((all.len(), all.last()), (MOST, Some(&StageKind::Tts)));
    }

    #[test]
    fn a_call_that_is_over_needs_no_orders() {
        let (orders, book) = Orders::new();
        drop(book);
        assert_eq!(orders.put(Order::Hurry(StageKind::Vad)), Ok(()));
    }
}
