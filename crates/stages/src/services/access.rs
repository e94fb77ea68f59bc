//! How a service behind sockets is reached, whatever is said on them.

use super::connector::Connector;
use super::{Endpoint, SetupError};
use hyper::HeaderMap;
use std::time::Duration;

/// What every socket to one service begins with.
#[derive(Clone, Debug)]
pub(super) struct Access {
    /// Sets up its connections.
    pub(super) connector: Connector,
    /// Headers of the handshake, such as the one with the key.
    pub(super) headers: HeaderMap,
    /// Until a socket stands, all of its handshakes included.
    pub(super) limit: Duration,
}

impl Access {
    /// Connections are set up on the present runtime.
    ///
    /// # Errors
    /// They cannot even be tried.
    pub(super) fn new(service: &Endpoint, headers: HeaderMap, limit: Duration) -> Result<Self, SetupError> {
        Ok(Self { connector: Connector::new(service, limit)?, headers, limit })
    }
}
