//! How a call is reached from outside of it.

use crate::error::{Fault, LegFault};
use crate::inbox::Inbox;
use crate::leg::audience::Audience;
use crate::leg::input::EdgeInput;
use crate::leg::kind::EdgeKind;
use crate::leg::spec::LegSpec;
use crate::orders::{Order, Orders};
use crate::snapshot::CallSnapshot;
use ringway_frame::CallId;
use ringway_turn::{EndReason, StageKind};
use tokio::sync::oneshot;

/// A call, seen from anywhere.
#[derive(Clone, Debug)]
pub struct CallHandle {
    /// Its id.
    pub id: CallId,
    /// Its edge.
    pub edge: EdgeKind,
    pub(crate) orders: Orders,
    pub(crate) router: Inbox,
}

/// The call takes no more messages: it is over, or hopelessly behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call is over")]
pub struct CallOver;

impl CallHandle {
    /// Tells the call what its edge saw.
    ///
    /// # Errors
    /// The call is over.
    pub fn tell(&self, input: EdgeInput) -> Result<(), CallOver> {
        let told = match input {
            EdgeInput::Closed(reason) => self.router.end(reason),
            input => self.router.tell(input),
        };
        if told { Ok(()) } else { Err(CallOver) }
    }

    /// Ends the call, as soon as all that it was told before is in its books: the last words are in the record.
    ///
    /// # Errors
    /// It is over already.
    pub fn hang_up(&self, reason: EndReason) -> Result<(), CallOver> {
        if self.router.end(reason) { Ok(()) } else { Err(CallOver) }
    }

    /// What is to be kept of the call at this moment, so that another process can go on with it.
    ///
    /// # Errors
    /// The call is over.
    pub async fn keep(&self) -> Result<CallSnapshot, CallOver> {
        let (answer, kept) = oneshot::channel();
        if !self.router.keep(answer) {
            return Err(CallOver);
        }
        kept.await.map_err(|_| CallOver)
    }

    /// A leg joins the call beside the caller's. One that the call has no room for is dropped.
    ///
    /// # Errors
    /// The call is over.
    pub fn join(&self, leg: LegSpec) -> Result<(), CallOver> {
        self.order(Order::Join(leg))
    }

    /// This leg is to leave, if it is there and is not the caller's.
    ///
    /// # Errors
    /// The call is over.
    pub fn drop_leg(&self, leg: u32) -> Result<(), CallOver> {
        self.order(Order::DropLeg(leg))
    }

    /// Whom the bot speaks to from now on.
    ///
    /// # Errors
    /// The call is over.
    pub fn address(&self, audience: Audience) -> Result<(), CallOver> {
        self.order(Order::Address(audience))
    }

    fn order(&self, order: Order) -> Result<(), CallOver> {
        if self.orders.are_moot() {
            return Err(CallOver);
        }
        self.orders.put(order).map_err(|_| CallOver)
    }

    /// Puts a fault into one of its stages.
    ///
    /// # Errors
    /// The call is over.
    pub fn inject(&self, stage: StageKind, fault: Fault) -> Result<(), CallOver> {
        self.order(Order::Inject { stage, fault })
    }

    /// Puts a fault into one of its legs; one that is not there takes none.
    ///
    /// # Errors
    /// The call is over.
    pub fn inject_leg(&self, leg: u32, fault: LegFault) -> Result<(), CallOver> {
        self.order(Order::InjectLeg { leg, fault })
    }
}
