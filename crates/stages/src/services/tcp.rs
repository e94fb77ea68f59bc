//! Every TCP connection that is set up, here: a host's addresses of both families are raced as
//! [RFC 8305](https://www.rfc-editor.org/rfc/rfc8305) has it, so that one that leads nowhere costs a moment.

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

/// A connection to this host, a name or an address in digits. Names are looked up beside the present runtime.
///
/// # Errors
/// None of its addresses takes one, or not within the limit.
pub async fn connect(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let host = host.trim_matches(['[', ']']);
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let connected = tokio::time::timeout(limit, dial(connector(limit), &address(&authority)?)).await;
    connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// What sets them up; the limit is parted among the addresses of a family.
pub(super) fn connector(limit: Duration) -> HttpConnector {
    let mut connector = HttpConnector::new();
    race(&mut connector, limit);
    connector
}

/// The address of a host and port, as connectors want it.
pub(super) fn address(authority: &str) -> io::Result<Uri> {
    let uri = Uri::builder().scheme("http").authority(authority).path_and_query("/").build();
    uri.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// A connection to one of a host's addresses, which a connector finds.
pub(super) async fn dial<R>(mut connector: HttpConnector<R>, to: &Uri) -> io::Result<TcpStream>
where
    HttpConnector<R>: Service<Uri, Response = TokioIo<TcpStream>>,
    <HttpConnector<R> as Service<Uri>>::Error: Error + 'static,
{
    poll_fn(|cx| connector.poll_ready(cx)).await.map_err(|error| root(&error))?;
    connector.call(to.clone()).await.map(TokioIo::into_inner).map_err(|error| root(&error))
}

fn race<R>(connector: &mut HttpConnector<R>, limit: Duration) {
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(limit));
    connector.set_happy_eyeballs_timeout(Some(HEAD_START));
}

/// What the system said, without the names of the libraries between it and us.
fn root(error: &(dyn Error + 'static)) -> io::Error {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    match last.downcast_ref::<io::Error>() {
        Some(error) => error
            .raw_os_error()
            .map_or_else(|| io::Error::new(error.kind(), error.to_string()), io::Error::from_raw_os_error),
        None => io::Error::other(last.to_string()),
    }
}

/// How long the first family is tried alone, the delay that the RFC recommends.
const HEAD_START: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;
    use hyper_util::client::legacy::connect::dns::Name;
    use std::future::{Ready, ready};
    use std::net::SocketAddr;
    use std::task::{Context, Poll};
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::time::Instant;

    /// A host with these addresses.
    #[derive(Clone)]
    struct Host(Vec<SocketAddr>);

    impl Service<Name> for Host {
        type Response = std::vec::IntoIter<SocketAddr>;
        type Error = io::Error;
        type Future = Ready<io::Result<Self::Response>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Name) -> Self::Future {
            ready(Ok(self.0.clone().into_iter()))
        }
    }

    /// Which of a host's addresses is connected to, and how long that takes.
    async fn reached(addresses: Vec<SocketAddr>) -> (io::Result<SocketAddr>, Duration) {
        let (begun, limit) = (Instant::now(), Duration::from_secs(60));
        let mut connector = HttpConnector::new_with_resolver(Host(addresses));
        race(&mut connector, limit);
        // Without a port, each address keeps its own.
        let stream = dial(connector, &address("service.example").unwrap()).await;
        (stream.and_then(|stream| stream.peer_addr()), begun.elapsed())
    }

    /// An address that answers nothing any more, since its queue is full; with what fills it.
    async fn black_hole() -> (SocketAddr, impl Sized) {
        let socket = TcpSocket::new_v6().unwrap();
        socket.bind("[::1]:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let filling = TcpStream::connect(address).await.unwrap();
        (address, (listener, filling))
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_leads_nowhere_costs_a_quarter_of_a_second() {
        let (hole, _held) = black_hole().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let (reached, took) = reached(vec![hole, there]).await;
        assert_eq!((reached.unwrap(), took.as_millis()), (there, HEAD_START.as_millis()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_refuses_costs_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let closed = TcpListener::bind("[::1]:0").await.unwrap().local_addr().unwrap();
        let (reached, took) = reached(vec![closed, there]).await;
        assert_eq!((reached.unwrap(), took), (there, Duration::ZERO));
    }

    #[tokio::test]
    async fn what_the_system_says_is_told_in_its_words() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = connect("127.0.0.1", closed.port(), Duration::from_secs(60)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
