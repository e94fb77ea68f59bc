use crate::addresses::AddressFull;
use crate::live::stage_name;
use crate::refusals;
use crate::unstarted::Full;
use ringway_turn::StageKind;
use std::net::IpAddr;

/// Why a caller is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many calls as are permitted.
    #[error("all {calls} places are taken")]
    Capacity {
        /// How many there are.
        calls: usize,
    },
    /// As many calls as a stage's engines can serve at the moment.
    #[error("the {} engines serve {calls} calls, and no more", stage_name(*.stage))]
    EngineSlots {
        /// Whose engines.
        stage: StageKind,
        /// How many they can.
        calls: usize,
    },
    /// Nothing serves in a stage: its engines are being rebuilt.
    #[error("no {} engine can serve at the moment", stage_name(*.stage))]
    Unavailable {
        /// Which stage.
        stage: StageKind,
    },
    /// The media cores are late: calls in progress keep their quality.
    #[error("the media cores are {late_ms} ms late")]
    Overload {
        /// How late.
        late_ms: u64,
    },
    /// What was told of calls is not taken: those in progress finish, and no other begins.
    #[error("{waiting} events of calls wait to be taken")]
    LifecycleBacklog {
        /// How many.
        waiting: usize,
    },
    /// As many sockets are open without a call as are permitted.
    #[error("as many sockets are open without a call as are permitted")]
    Unstarted,
    /// The caller's address holds as much as it may.
    #[error(transparent)]
    Address(AddressFull),
    /// The server is about to stop.
    #[error("the server is draining")]
    Draining,
}

impl From<Full> for Refused {
    fn from(_: Full) -> Self {
        Self::Unstarted
    }
}

impl From<AddressFull> for Refused {
    fn from(full: AddressFull) -> Self {
        Self::Address(full)
    }
}

impl Refused {
    /// Every reason.
    pub const REASONS: [&str; 8] = [
        "capacity",
        "engine_slots",
        "unavailable",
        "overload",
        "lifecycle_backlog",
        "unstarted",
        "address",
        "draining",
    ];

    /// Its stable code for pages: where there is no room, why does not matter to them.
    pub fn code(self) -> &'static str {
        match self {
            Self::Capacity { .. }
            | Self::EngineSlots { .. }
            | Self::Unavailable { .. }
            | Self::Overload { .. }
            | Self::LifecycleBacklog { .. }
            | Self::Unstarted
            | Self::Address(_) => "capacity",
            Self::Draining => "draining",
        }
    }

    /// Counts and logs it.
    pub(super) fn tell(self, address: Option<IpAddr>) {
        refusals::refused(self.reason(), &self, address, "");
    }

    /// Its stable name in metrics and close reasons.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Capacity { .. } => "capacity",
            Self::EngineSlots { .. } => "engine_slots",
            Self::Unavailable { .. } => "unavailable",
            Self::Overload { .. } => "overload",
            Self::LifecycleBacklog { .. } => "lifecycle_backlog",
            Self::Unstarted => "unstarted",
            Self::Address(_) => "address",
            Self::Draining => "draining",
        }
    }
}
