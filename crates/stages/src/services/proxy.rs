//! The proxies that an environment names, by the variables that curl reads: `http_proxy`, `https_proxy`, `all_proxy` and
//! `no_proxy`, in small letters or in capitals.

use super::task::Task;
use super::{Endpoint, tcp};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Request, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::net::TcpStream;

/// Which requests go through which proxy.
#[derive(Debug)]
pub struct Proxies {
    matcher: Matcher,
    unusable: Vec<UnusableProxy>,
}

/// A variable that names no proxy that can be used. Its value, which may hold a password, is not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableProxy {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with what it holds.
    pub reason: &'static str,
}

/// A proxy that stands between us and a service.
#[derive(Clone)]
pub(super) struct Proxy {
    address: Uri,
    authorization: Option<HeaderValue>,
}

impl Proxies {
    /// Those of an environment. What cannot be used is left out, and told by [`unusable`](Self::unusable).
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut unusable = Vec::new();
        let mut proxy = |names: [&'static str; 2]| {
            let Some((variable, text)) = first(&names, &variable) else { return String::new() };
            match fault(&text) {
                None => text,
                Some(reason) => {
                    unusable.push(UnusableProxy { variable, reason });
                    String::new()
                }
            }
        };
        let matcher = Matcher::builder()
            .http(proxy(["http_proxy", "HTTP_PROXY"]))
            .https(proxy(["https_proxy", "HTTPS_PROXY"]))
            .all(proxy(["all_proxy", "ALL_PROXY"]))
            .no(first(&["no_proxy", "NO_PROXY"], &variable)
                .map(|(_, hosts)| exempt(&hosts))
                .unwrap_or_default())
            .build();
        Self { matcher, unusable }
    }

    /// Variables that are ignored, and why.
    pub fn unusable(&self) -> &[UnusableProxy] {
        &self.unusable
    }

    /// What stands between us and this service; never anything before one on this machine.
    pub(super) fn before(&self, service: &Endpoint) -> Option<Proxy> {
        if is_here(service.host()) {
            return None;
        }
        let scheme = if service.is_secure() { "https" } else { "http" };
        let to = Uri::builder().scheme(scheme).authority(service.authority()).path_and_query("/").build();
        let found = self.matcher.intercept(&to.ok()?)?;
        Some(Proxy { address: found.uri().clone(), authorization: found.basic_auth().cloned() })
    }

    /// Those of this process.
    pub(super) fn of_process() -> &'static Self {
        static PROXIES: LazyLock<Proxies> = LazyLock::new(|| {
            Proxies::read(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
        });
        &PROXIES
    }
}

impl Proxy {
    /// Host and port, as messages have them.
    pub(super) fn authority(&self) -> &str {
        self.address.authority().map_or("", |authority| authority.as_str())
    }

    /// The value of the Proxy-Authorization header.
    pub(super) const fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// A connection to the proxy itself, which is told with each request where it goes.
    pub(super) async fn connect(&self, limit: Duration) -> io::Result<TcpStream> {
        tcp::dial(tcp::connector(limit), &self.address).await.map_err(|error| self.told(&error))
    }

    /// A connection through the proxy: what it carries is no concern of the proxy's.
    pub(super) async fn tunnel(&self, service: &Endpoint, limit: Duration) -> io::Result<TcpStream> {
        let tcp = self.connect(limit).await?;
        self.opened(tcp, service).await.map_err(|error| self.told(&error))
    }

    async fn opened(&self, tcp: TcpStream, service: &Endpoint) -> io::Result<TcpStream> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await.map_err(io::Error::other)?;
        let driver = tokio::spawn(connection.with_upgrades());
        let _guard = Task(driver.abort_handle());
        let response = sender.send_request(self.request(service)?).await.map_err(io::Error::other)?;
        if !response.status().is_success() {
            return Err(io::Error::other(format!("it answers {}", response.status())));
        }
        let upgraded = hyper::upgrade::on(response).await.map_err(io::Error::other)?;
        match upgraded.downcast::<TokioIo<TcpStream>>() {
            // Services speak when they are spoken to.
            Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
            _ => Err(io::Error::other("it says more than that the tunnel stands")),
        }
    }

    fn request(&self, service: &Endpoint) -> io::Result<Request<Empty<Bytes>>> {
        let authority = service.authority();
        let mut request = Request::connect(&authority).header(HOST, &authority);
        if let Some(authorization) = &self.authorization {
            request = request.header(PROXY_AUTHORIZATION, authorization);
        }
        request.body(Empty::new()).map_err(io::Error::other)
    }

    fn told(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("by the proxy {}: {error}", self.authority()))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.authority()).finish()
    }
}

/// The first of the variables that is set, without the blanks and quotation marks that files of variables leave around.
fn first(
    names: &[&'static str],
    variable: impl Fn(&str) -> Option<String>,
) -> Option<(&'static str, String)> {
    let tidy = |text: String| text.trim().trim_matches(['"', '\'']).trim().to_owned();
    let set = |name: &&'static str| Some((*name, variable(name).map(tidy).filter(|text| !text.is_empty())?));
    names.iter().find_map(set)
}

/// Why a text is no proxy that can be used.
fn fault(text: &str) -> Option<&'static str> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    if !scheme.eq_ignore_ascii_case("http") {
        return Some(SCHEME);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let whole = rest.trim_end_matches('/') == authority;
    let uri = format!("http://{authority}/").parse::<Uri>().ok().filter(|_| whole);
    let port = authority.rsplit_once('@').map_or(authority, |(_, host)| host).rsplit_once(':');
    let is_port = |port: &str| port.ends_with(']') || port.parse::<u16>().is_ok();
    match uri.as_ref().and_then(Uri::host) {
        Some(host) if !host.is_empty() && port.is_none_or(|(_, port)| is_port(port)) => None,
        _ => Some(ADDRESS),
    }
}

/// The hosts of `no_proxy`, as the matcher reads them: `*.example.com` means what `.example.com` does, blanks part hosts
/// too, and a port is not looked at.
fn exempt(hosts: &str) -> String {
    let hosts = hosts.split([',', ' ', '\t', '\n']).filter(|host| !host.is_empty());
    let hosts = hosts.map(|host| match host.strip_prefix('*') {
        Some(domain) if domain.starts_with('.') => domain,
        _ => host,
    });
    hosts.map(without_port).collect::<Vec<_>>().join(",")
}

fn without_port(host: &str) -> &str {
    let bare = match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && port.parse::<u16>().is_ok() => name,
        _ => host,
    };
    // Of an address of IPv6, each part may look like a port.
    if host.parse::<IpAddr>().is_ok() || bare.contains(':') && !bare.starts_with('[') {
        return host;
    }
    bare.trim_matches(['[', ']'])
}

/// On this machine, where no proxy leads.
fn is_here(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let address = name.parse::<IpAddr>().map(|address| address.to_canonical());
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

const SCHEME: &str = "only proxies whose address begins with http:// can be used";
const ADDRESS: &str = "it is no address of a proxy such as http://proxy.example:3128";

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Proxies::read(|name| find(name).map(|(_, text)| (*text).to_owned()))
    }

    /// The proxy before a service.
    fn before(variables: &[(&str, &str)], service: &str) -> Option<String> {
        let found = proxies(variables).before(&Endpoint::parse(service).unwrap());
        found.map(|proxy| proxy.authority().to_owned())
    }

    #[test]
    fn each_scheme_has_its_proxy_and_small_letters_win() {
        let both = [("http_proxy", "a:1"), ("HTTP_PROXY", "http://b:2"), ("HTTPS_PROXY", "http://c:3/")];
        for (variables, service, expected) in [
            (&both[..], "http://api.example", Some("a:1")),
            (&both, "ws://api.example", Some("a:1")),
            (&both, "https://api.example", Some("c:3")),
            (&both, "wss://api.example:8443/x", Some("c:3")),
            (&both[..1], "https://api.example", None),
            (&[("ALL_PROXY", "http://[fd00::1]:4")], "https://api.example", Some("[fd00::1]:4")),
            (&[("https_proxy", " \"http://c:3\"\n")], "https://api.example", Some("c:3")),
        ] {
            assert_eq!(before(variables, service).as_deref(), expected, "{service} {variables:?}");
        }
    }

    #[test]
    fn exempt_hosts_and_this_machine_are_reached_without_one() {
        let list = "internal.example, *.corp.example .lan 10.0.0.0/8,fd00::/8,192.168.1.7:8080,[2001:db8::1]";
        let reached = |service| before(&[("all_proxy", "p:1"), ("no_proxy", list)], service).is_none();
        for direct in [
            "https://internal.example",
            "https://a.INTERNAL.example",
            "wss://x.corp.example",
            "http://tts.lan",
            "http://10.1.2.3:9",
            "http://[fd00::5]",
            "http://192.168.1.7:8080",
            "http://[2001:db8::1]",
            "http://localhost:1",
            "http://api.localhost",
            "http://127.8.0.1",
            "http://[::1]:5",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(reached(direct), "{direct}");
        }
        for through in ["https://notinternal.example", "http://11.0.0.1", "https://example.com"] {
            assert!(!reached(through), "{through}");
        }
        assert_eq!(before(&[("all_proxy", "p:1"), ("NO_PROXY", "*")], "https://api.example"), None);
    }

    #[test]
    fn a_user_goes_into_a_header_and_is_shown_nowhere() {
        let variables = [("https_proxy", "http://me:s%40cret@p.example:3128")];
        let proxies = proxies(&variables);
        let proxy = proxies.before(&Endpoint::parse("https://api.example").unwrap()).unwrap();
        assert_eq!(proxy.authorization().unwrap(), "Basic bWU6c0BjcmV0");
        for shown in
            [format!("{proxy:?}"), format!("{proxies:?}"), proxy.told(&io::Error::other("x")).to_string()]
        {
            assert!(shown.contains("p.example:3128") && !shown.contains("cret"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_told_without_its_value() {
        for (text, reason) in [
            ("socks5://p:1", SCHEME),
            ("https://me:secret@p:1", SCHEME),
            ("http://", ADDRESS),
            ("http://p:port", ADDRESS),
            ("http://p:99999", ADDRESS),
            ("http://p q:1", ADDRESS),
            ("http://p:1/path", ADDRESS),
        ] {
            let found = proxies(&[("HTTPS_PROXY", text)]);
            assert_eq!(found.unusable(), [UnusableProxy { variable: "HTTPS_PROXY", reason }], "{text}");
            assert!(found.before(&Endpoint::parse("https://api.example").unwrap()).is_none(), "{text}");
        }
        assert_eq!(proxies(&[("http_proxy", ""), ("no_proxy", "")]).unusable(), []);
    }
}
