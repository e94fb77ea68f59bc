//! Connections to one service: set up beside the media core, then moved to it.

use super::proxy::{Proxies, Proxy};
use super::stream::{Socket, Stream};
use super::task::Task;
use super::{Endpoint, Phase, ServiceError, SetupError, tcp};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Sets up connections to one service.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    endpoint: Endpoint,
    tls: Option<Tls>,
    way: Way,
    limit: Duration,
    /// Where names are looked up and hands are shaken.
    control: Handle,
}

/// How a service is reached.
#[derive(Clone, Debug)]
enum Way {
    Direct,
    /// By a proxy that is given each request with its whole address.
    Forward(Proxy),
    /// Through a proxy that looks at nothing.
    Tunnel(Proxy),
}

#[derive(Clone)]
struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tls").field(&self.name).finish()
    }
}

impl Connector {
    /// For sockets, which go through a proxy untouched. Handshakes are done on the present runtime.
    pub(super) fn new(endpoint: &Endpoint, limit: Duration) -> Result<Self, SetupError> {
        let way = Proxies::of_process().before(endpoint).map_or(Way::Direct, Way::Tunnel);
        Self::by(way, endpoint, limit)
    }

    /// For requests of HTTP: in the clear, a proxy is told of each of them.
    pub(super) fn for_requests(endpoint: &Endpoint, limit: Duration) -> Result<Self, SetupError> {
        Self::for_requests_by(Proxies::of_process(), endpoint, limit)
    }

    /// The same by other proxies than those of the process.
    pub(super) fn for_requests_by(
        proxies: &Proxies,
        endpoint: &Endpoint,
        limit: Duration,
    ) -> Result<Self, SetupError> {
        let through = if endpoint.is_secure() { Way::Tunnel } else { Way::Forward };
        Self::by(proxies.before(endpoint).map_or(Way::Direct, through), endpoint, limit)
    }

    /// For what is neither: no proxy is meant for it.
    pub(super) fn direct(endpoint: &Endpoint, limit: Duration) -> Result<Self, SetupError> {
        Self::by(Way::Direct, endpoint, limit)
    }

    fn by(way: Way, endpoint: &Endpoint, limit: Duration) -> Result<Self, SetupError> {
        let config = endpoint.is_secure().then(|| trust_the_system(endpoint.host())).transpose()?;
        Self::trusting(way, endpoint, limit, config)
    }

    fn trusting(
        way: Way,
        endpoint: &Endpoint,
        limit: Duration,
        config: Option<Arc<ClientConfig>>,
    ) -> Result<Self, SetupError> {
        let host = endpoint.host();
        let name =
            || ServerName::try_from(host.to_owned()).map_err(|_| SetupError::Name { host: host.to_owned() });
        let tls = config.map(|config| Ok::<_, SetupError>(Tls { config, name: name()? })).transpose()?;
        Ok(Self { endpoint: endpoint.clone(), tls, way, limit, control: Handle::current() })
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The proxy that has to be told with each request where it goes.
    pub(super) const fn forwards(&self) -> Option<&Proxy> {
        match &self.way {
            Way::Forward(proxy) => Some(proxy),
            Way::Direct | Way::Tunnel(_) => None,
        }
    }

    /// A connection whose socket belongs to the present runtime.
    pub(super) async fn connect(&self) -> Result<Stream, ServiceError> {
        let (endpoint, tls, way) = (self.endpoint.clone(), self.tls.clone(), self.way.clone());
        let dial = self.control.spawn(dial(endpoint, tls, way, self.limit));
        let _guard = Task(dial.abort_handle());
        let dialled = timeout(self.limit, dial).await;
        let late = ServiceError::Late { phase: Phase::Connect, limit: self.limit };
        let dialled = dialled.map_err(|_| late)?.unwrap_or_else(|end| Err(io::Error::other(end)));
        let moved = dialled.and_then(|mut stream| stream.move_here().map(|()| stream));
        moved.map_err(|source| ServiceError::Refused { address: self.endpoint.authority(), source })
    }
}

async fn dial(endpoint: Endpoint, tls: Option<Tls>, way: Way, limit: Duration) -> io::Result<Stream> {
    let tcp = match way {
        Way::Direct => tcp::connect(endpoint.host(), endpoint.port(), limit).await?,
        Way::Forward(proxy) => proxy.connect(limit).await?,
        Way::Tunnel(proxy) => proxy.tunnel(&endpoint, limit).await?,
    };
    let socket = Socket::new(tcp);
    match tls {
        None => Ok(Stream::Plain(socket)),
        Some(Tls { config, name }) => {
            let stream = TlsConnector::from(config).connect(name, socket).await?;
            Ok(Stream::Tls(Box::new(stream)))
        }
    }
}

/// Trusts the authorities of the system, or those that `SSL_CERT_FILE` names.
fn trust_the_system(host: &str) -> Result<Arc<ClientConfig>, SetupError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(SetupError::NoAuthorities { host: host.to_owned() });
    }
    Ok(trust(roots))
}

fn trust(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has what its versions need");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::ServerConfig;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A server that says each byte back, and the client configuration that trusts it.
    async fn echo() -> (String, Arc<ClientConfig>) {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = signed.cert.der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            while let Ok((tcp, _)) = listener.accept().await {
                if let Ok(mut tls) = acceptor.accept(tcp).await {
                    while let Ok(byte) = tls.read_u8().await {
                        tls.write_u8(byte).await.unwrap();
                        tls.flush().await.unwrap();
                    }
                }
            }
        });
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        (address, trust(roots))
    }

    async fn say(stream: &mut Stream, byte: u8) -> u8 {
        stream.write_u8(byte).await.unwrap();
        stream.flush().await.unwrap();
        stream.read_u8().await.unwrap()
    }

    /// Made on one runtime, used on another: the socket goes on there when the first one is gone.
    #[test]
    fn a_connection_within_tls_moves_to_the_core_that_uses_it() {
        let runtime =
            || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (control, core, services) = (runtime(), runtime(), runtime());
        let (address, trusted) = services.block_on(echo());
        let endpoint = Endpoint::parse(&address).unwrap();
        let connector = control.block_on(async {
            Connector::trusting(Way::Direct, &endpoint, Duration::from_secs(60), Some(trusted)).unwrap()
        });
        let mut stream = core.block_on(connector.connect()).unwrap();
        drop((connector, control));
        assert_eq!(core.block_on(say(&mut stream, 7)), 7);
        assert!(matches!(stream, Stream::Tls(_)));
    }

    /// A proxy that leads to whatever it is asked for, once.
    async fn proxy() -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(near.read_u8().await.unwrap());
            }
            let to = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
            let mut far = tokio::net::TcpStream::connect(to).await.unwrap();
            near.write_all(b"HTTP/1.1 200 Connection established\r\nVia: p\r\n\r\n").await.unwrap();
            tokio::io::copy_bidirectional(&mut near, &mut far).await.unwrap();
        });
        let proxies = Proxies::read(|name| (name == "https_proxy").then(|| address.clone()));
        proxies.before(&Endpoint::parse("https://service.example").unwrap()).unwrap()
    }

    #[tokio::test]
    async fn tls_goes_through_a_proxy_to_the_service() {
        let (address, trusted) = echo().await;
        let endpoint = Endpoint::parse(&address).unwrap();
        let (way, limit) = (Way::Tunnel(proxy().await), Duration::from_secs(60));
        let connector = Connector::trusting(way, &endpoint, limit, Some(trusted)).unwrap();
        assert_eq!(say(&mut connector.connect().await.unwrap(), 7).await, 7);
    }

    #[tokio::test]
    async fn a_stranger_is_not_trusted() {
        let (address, _) = echo().await;
        let endpoint = Endpoint::parse(&address).unwrap();
        let nobody = Some(trust(RootCertStore::empty()));
        let connector = Connector::trusting(Way::Direct, &endpoint, Duration::from_secs(60), nobody).unwrap();
        let error = connector.connect().await.unwrap_err().to_string();
        assert!(error.contains("localhost") && error.contains("certificate"), "{error}");
    }

    #[tokio::test]
    async fn a_closed_port_is_told_with_its_address() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let endpoint = Endpoint::parse(&format!("http://{closed}/v1")).unwrap();
        let connector = Connector::new(&endpoint, Duration::from_secs(60)).unwrap();
        let error = connector.connect().await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot connect to {closed}: ")), "{error}");
    }
}
