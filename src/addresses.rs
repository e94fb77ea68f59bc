//! Whose request it is, and how much one address may hold at once.

use axum::http::HeaderMap;
use ringway_config::{LimitsConfig, Network};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The other end of a connection, in the extensions of each of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The other end of this request's connection.
    pub fn of<B>(request: &axum::http::Request<B>) -> Option<IpAddr> {
        request.extensions().get::<Self>().map(|peer| peer.0)
    }
}

/// The client behind a connection: its other end, or whom the trusted proxy there names. A client can put anything in
/// front of what proxies append to `X-Forwarded-For`, so it is read from its end.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let hops = headers.get_all("x-forwarded-for").iter().rev().filter_map(|value| value.to_str().ok());
    let mut client = peer;
    for hop in hops.flat_map(|value| value.rsplit(',')).map(str::trim) {
        if !is_trusted(client) {
            break;
        }
        let Some(address) = address_in(hop) else { break };
        client = address;
    }
    client
}

/// An address, which some proxies write with its port.
fn address_in(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().or_else(|_| hop.parse().map(|socket: std::net::SocketAddr| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// What one address can hold several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An HTTP connection.
    Connection,
    /// A media socket without a call.
    Unstarted,
    /// A call.
    Call,
}

/// An address holds as many as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one address has at most {limit} {} at once", self.what())]
pub struct AddressFull {
    /// Of what.
    pub kind: Kind,
    /// How many.
    pub limit: usize,
}

impl AddressFull {
    const fn what(self) -> &'static str {
        match self.kind {
            Kind::Connection => "connections",
            Kind::Unstarted => "sockets without a call",
            Kind::Call => "calls",
        }
    }
}

/// How much every address holds.
///
/// `held` is a lock: it is taken when a connection, a socket or a call comes or goes. Addresses that hold nothing are not
/// in it, so it is bounded by what the server holds in all.
#[derive(Debug)]
pub struct Addresses {
    limits: [usize; 3],
    exempt: Vec<Network>,
    held: Mutex<HashMap<IpAddr, [usize; 3]>>,
}

/// One of what an address holds, until it is dropped; `None`: of an address without limits.
#[derive(Debug, Default)]
pub struct Held(Option<(Arc<Addresses>, IpAddr, Kind)>);

impl Addresses {
    /// With these limits.
    pub fn new(limits: &LimitsConfig) -> Arc<Self> {
        Arc::new(Self {
            limits: [limits.connections_per_address, limits.unstarted_per_address, limits.calls_per_address],
            exempt: limits.exempt_addresses.clone(),
            held: Mutex::default(),
        })
    }

    /// One more for this address; `None` is nobody's, and without limits.
    ///
    /// # Errors
    /// It holds as many as it may.
    pub fn take(self: &Arc<Self>, address: Option<IpAddr>, kind: Kind) -> Result<Held, AddressFull> {
        let limit = self.limits[kind as usize];
        let Some(address) = address.filter(|address| limit > 0 && !self.is_exempt(*address)) else {
            return Ok(Held::default());
        };
        let address = network_of(address);
        let mut held = self.held();
        let count = &mut held.entry(address).or_default()[kind as usize];
        if *count >= limit {
            return Err(AddressFull { kind, limit });
        }
        *count += 1;
        Ok(Held(Some((self.clone(), address, kind))))
    }

    fn is_exempt(&self, address: IpAddr) -> bool {
        self.exempt.iter().any(|network| network.contains(address))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<IpAddr, [usize; 3]>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some((addresses, address, kind)) = self.0.take() else { return };
        let mut held = addresses.held();
        let Some(counts) = held.get_mut(&address) else { return };
        counts[kind as usize] = counts[kind as usize].saturating_sub(1);
        if counts.iter().all(|count| *count == 0) {
            held.remove(&address);
        }
    }
}

/// Whoever has one IPv6 address has all of its /64.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn client_of(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(ip(peer), &headers, &trusted)
    }

    #[test]
    fn the_client_is_whom_trusted_proxies_name() {
        let trusted = ["127.0.0.0/8", "10.0.0.0/8"];
        assert_eq!(client_of("127.0.0.1", &["203.0.113.9"], &trusted), ip("203.0.113.9"));
        assert_eq!(client_of("127.0.0.1", &["6.6.6.6, 203.0.113.9, 10.1.1.1"], &trusted), ip("203.0.113.9"));
        assert_eq!(client_of("127.0.0.1", &["6.6.6.6", "203.0.113.9:4711"], &trusted), ip("203.0.113.9"));
        assert_eq!(client_of("127.0.0.1", &["[2001:db8::1]:80"], &trusted), ip("2001:db8::1"));
        assert_eq!(client_of("198.51.100.1", &["203.0.113.9"], &trusted), ip("198.51.100.1"), "not trusted");
        assert_eq!(client_of("127.0.0.1", &["6.6.6.6, unknown"], &trusted), ip("127.0.0.1"), "nobody's word");
        assert_eq!(client_of("127.0.0.1", &[], &trusted), ip("127.0.0.1"));
    }

    #[test]
    fn an_address_holds_as_many_as_it_may_and_others_are_not_concerned() {
        let limits =
            LimitsConfig { calls_per_address: 2, unstarted_per_address: 1, ..LimitsConfig::default() };
        let addresses = Addresses::new(&limits);
        let take = |address: &str, kind| addresses.take(Some(ip(address)), kind);
        let (one, _two) = (take("192.0.2.1", Kind::Call).unwrap(), take("192.0.2.1", Kind::Call).unwrap());
        let full = take("192.0.2.1", Kind::Call).unwrap_err();
        assert_eq!(full.to_string(), "one address has at most 2 calls at once");
        let _other = (take("192.0.2.2", Kind::Call).unwrap(), take("192.0.2.1", Kind::Unstarted).unwrap());
        assert!(take("192.0.2.1", Kind::Unstarted).is_err());
        drop(one);
        let _again = take("192.0.2.1", Kind::Call).unwrap();
    }

    #[test]
    fn nothing_is_kept_of_addresses_that_hold_nothing() {
        let addresses = Addresses::new(&LimitsConfig::default());
        drop(addresses.take(Some(ip("192.0.2.1")), Kind::Call));
        assert!(addresses.held().is_empty());
    }

    #[test]
    fn this_machine_is_not_limited_and_a_network_is_one_peer() {
        let limits = LimitsConfig { calls_per_address: 1, ..LimitsConfig::default() };
        let addresses = Addresses::new(&limits);
        let take = |address: &str| addresses.take(Some(ip(address)), Kind::Call);
        let _local =
            (take("127.0.0.1").unwrap(), take("127.0.0.1").unwrap(), take("::ffff:127.0.0.1").unwrap());
        let _first = take("2001:db8::1").unwrap();
        assert!(take("2001:db8::2").is_err() && take("2001:db8:0:1::1").is_ok());
        let _unlimited =
            (addresses.take(None, Kind::Call).unwrap(), addresses.take(None, Kind::Call).unwrap());
    }
}
