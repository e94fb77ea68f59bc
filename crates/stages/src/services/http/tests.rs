use super::*;
use crate::services::Proxies;
use crate::services::connections::SURPLUS;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const LONG: Duration = Duration::from_secs(600);
const LIMITS: Limits = Limits { connect: LONG, first_byte: LONG, idle: LONG };
const GOOD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server, or a proxy: what it was asked, head by head, and what it says to each; `None`: it closes the connection.
struct Peer {
    address: String,
    asked: mpsc::Receiver<String>,
}

impl Peer {
    async fn start(answer: impl Fn(usize) -> Option<&'static [u8]> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, asked) = mpsc::channel(64);
        let shared = Arc::new((answer, AtomicUsize::new(0), sender));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let mut tcp = BufReader::new(tcp);
                    while let Some(head) = request(&mut tcp).await {
                        let (answer, count, sender) = &*shared;
                        sender.send(head).await.unwrap();
                        let Some(bytes) = answer(count.fetch_add(1, Ordering::Relaxed)) else { return };
                        tcp.write_all(bytes).await.unwrap();
                    }
                });
            }
        });
        Self { address, asked }
    }

    fn client(&self) -> Http {
        Http::new(&Endpoint::parse(&format!("http://{}", self.address)).unwrap(), None, LIMITS).unwrap()
    }

    /// The client of a service behind it, with the user `me` and the password `s@cret`.
    fn proxied(&self, service: &str) -> Http {
        let proxies = Proxies::read(|name| {
            (name == "all_proxy").then(|| format!("http://me:s%40cret@{}", self.address))
        });
        let endpoint = Endpoint::parse(service).unwrap();
        let connector = Connector::for_requests_by(&proxies, &endpoint, LONG).unwrap();
        Http::over(connector, HeaderMap::new(), LIMITS).unwrap()
    }

    /// How many requests came.
    fn count(&mut self) -> usize {
        std::iter::from_fn(|| self.asked.try_recv().ok()).count()
    }
}

/// The head of a request, in lower case; its body is read with it.
async fn request(tcp: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if tcp.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    tcp.read_exact(&mut body).await.ok()?;
    Some(head)
}

fn post() -> Post {
    let text = HeaderValue::from_static("text/plain");
    let (path, body) = ("/orders?id=1".to_owned(), Bytes::from_static(b"one"));
    Post { path, content_type: text.clone(), accept: text, body, answer_limit: 100 }
}

async fn whole(accepted: Result<Accepted, ServiceError>) -> Result<Vec<u8>, ServiceError> {
    accepted?.answer.whole().await
}

#[tokio::test]
async fn what_is_asked_for_words_is_asked_again_when_a_used_connection_ends() {
    let mut peer = Peer::start(|nth| (nth != 1).then_some(GOOD)).await;
    let http = peer.client();
    for _ in 0..2 {
        assert_eq!(whole(http.clone().post(post()).await).await.unwrap(), b"ok");
    }
    assert_eq!(peer.count(), 3);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_twice_unless_that_changes_nothing() {
    for (method, expected) in [(Method::POST, 2), (Method::PATCH, 2), (Method::PUT, 3), (Method::DELETE, 3)] {
        let mut peer = Peer::start(|nth| (nth != 1).then_some(GOOD)).await;
        let http = peer.client();
        whole(http.clone().send(method.clone(), post()).await).await.unwrap();
        let second = whole(http.send(method.clone(), post()).await).await;
        assert_eq!((second.is_ok(), peer.count()), (expected == 3, expected), "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_must_not_be_done_twice_is_not_sent_over_a_connection_that_may_be_dead() {
    let mut peer = Peer::start(|_| Some(GOOD)).await;
    let http = peer.client();
    whole(http.clone().send(Method::POST, post()).await).await.unwrap();
    // The clock goes on when nothing else happens: the connection that is made ahead of time waits too.
    timeout_at(Instant::now() + FRESH, std::future::pending::<()>()).await.unwrap_err();
    assert!(http.pool.take(FRESH).is_none());
    let kept = http.pool.take(KEEP);
    assert!(kept.is_some_and(|connection| connection.used));
    assert_eq!(peer.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_the_connections_that_a_busy_moment_needed_one_is_kept_for_long() {
    let mut peer = Peer::start(|_| Some(GOOD)).await;
    let http = peer.client();
    let ask = || async { whole(http.clone().post(post()).await).await };
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let begun = peer.count();
    assert!(begun >= 3);
    timeout_at(Instant::now() + SURPLUS, std::future::pending::<()>()).await.unwrap_err();
    assert!(http.pool.take(KEEP).is_some_and(|connection| connection.used));
    assert!(http.pool.take(KEEP).is_none());
}

#[tokio::test]
async fn kept_connections_that_died_one_and_all_fail_no_request() {
    // Three are kept; then whatever is sent over one of them ends it.
    let mut peer = Peer::start(|nth| (nth != 3).then_some(GOOD)).await;
    let http = peer.client();
    let ask = || async { whole(http.clone().post(post()).await).await };
    let (a, b, c) = tokio::join!(ask(), ask(), ask());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    // One is tried, and behind it a new one.
    assert_eq!(ask().await.unwrap(), b"ok");
    assert_eq!(peer.count(), 5);
}

#[tokio::test]
async fn a_proxy_is_told_the_whole_address_and_who_asks() {
    let mut peer = Peer::start(|_| Some(GOOD)).await;
    let http = peer.proxied("http://service.example:8080/v1?version=2");
    let path = http.endpoint().below("/orders");
    assert_eq!(whole(http.post(Post { path, ..post() }).await).await.unwrap(), b"ok");
    let head = peer.asked.recv().await.unwrap();
    assert!(head.starts_with("post http://service.example:8080/v1/orders?version=2 http/1.1\r\n"), "{head}");
    for line in ["host: service.example:8080", "proxy-authorization: basic bwu6c0bjcmv0"] {
        assert!(head.lines().any(|other| other == line), "{line} is not in {head}");
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_the_password() {
    for (answer, reason) in [
        (
            &b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..],
            "it answers 407 Proxy Authentication Required",
        ),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "it answers 403 Forbidden"),
    ] {
        let mut peer = Peer::start(move |_| Some(answer)).await;
        let error = peer.proxied("https://service.example").post(post()).await.unwrap_err().to_string();
        let head = peer.asked.recv().await.unwrap();
        assert!(
            head.starts_with("connect service.example:443 http/1.1\r\nhost: service.example:443"),
            "{head}"
        );
        assert!(head.contains("proxy-authorization: basic bwu6c0bjcmv0\r\n"), "{head}");
        let by = format!("cannot connect to service.example:443: by the proxy {}: ", peer.address);
        assert!(error.starts_with(&by) && error.ends_with(reason) && !error.contains("cret"), "{error}");
    }
}
