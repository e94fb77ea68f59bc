//! A server of HTTP/1.1 that answers by a script, whatever it is asked.

use ringway_stages::services::Endpoint;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

/// Longer than any test takes, so that only tests about time see a limit.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// One thing that a server does for an answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Goes on when the test says so.
    Wait,
    /// Closes the connection.
    Close,
    /// Does nothing until the client goes away, and says so.
    Hang,
}

/// What was asked.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The connection, counted from 0.
    pub(crate) connection: usize,
    /// Request line and headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: mpsc::Receiver<Asked>,
    shared: Arc<Shared>,
}

struct Shared {
    answers: Mutex<VecDeque<Vec<Step>>>,
    go_on: Semaphore,
    gone: Semaphore,
    asked: mpsc::Sender<Asked>,
    connections: AtomicUsize,
}

impl Server {
    /// Answers one request after the other, on whichever connection it comes.
    pub(crate) async fn start(answers: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, asked) = mpsc::channel(64);
        let shared = Arc::new(Shared {
            answers: Mutex::new(answers.into()),
            go_on: Semaphore::new(0),
            gone: Semaphore::new(0),
            asked: sender,
            connections: AtomicUsize::new(0),
        });
        let serving = shared.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(tcp));
            }
        });
        Self { address, asked, shared }
    }

    pub(crate) fn endpoint(&self, path: &str) -> Endpoint {
        Endpoint::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    /// The next request.
    pub(crate) async fn asked(&mut self) -> Asked {
        self.asked.recv().await.unwrap()
    }

    /// Lets one [`Step::Wait`] go on.
    pub(crate) fn go_on(&self) {
        self.shared.go_on.add_permits(1);
    }

    /// Waits until a client has gone away from a [`Step::Hang`].
    pub(crate) async fn gone(&self) {
        self.shared.gone.acquire().await.unwrap().forget();
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, tcp: TcpStream) {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut tcp = BufReader::new(tcp);
        while let Some((head, body)) = request(&mut tcp).await {
            self.asked.send(Asked { connection, head, body }).await.unwrap();
            let steps = self.answers.lock().unwrap().pop_front().expect("a request too many");
            for step in steps {
                match step {
                    // A client that has gone is what some tests are about.
                    Step::Send(bytes) => drop(tcp.write_all(&bytes).await),
                    Step::Wait => self.go_on.acquire().await.unwrap().forget(),
                    Step::Close => return,
                    Step::Hang => {
                        assert_eq!(tcp.read_u8().await.ok(), None, "the client goes away");
                        return self.gone.add_permits(1);
                    }
                }
            }
        }
    }
}

async fn request(tcp: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length = length.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    tcp.read_exact(&mut body).await.ok()?;
    Some((head, body))
}

/// A whole answer.
pub(crate) fn answer(status: &str, content_type: &str, body: &[u8]) -> Vec<Step> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n");
    vec![Step::Send([head.as_bytes(), body].concat())]
}

/// The head of an answer that comes in [`chunk`]s.
pub(crate) fn chunked(content_type: &str) -> Step {
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n");
    Step::Send(head.into_bytes())
}

/// A piece of an answer; an empty one is its end.
pub(crate) fn chunk(bytes: &[u8]) -> Step {
    let head = format!("{:x}\r\n", bytes.len());
    Step::Send([head.as_bytes(), bytes, b"\r\n"].concat())
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Endpoint::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap()
}

/// Polls a session's events once; ready or not.
pub(crate) async fn once<T>(
    mut poll: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<T>,
) -> Option<T> {
    poll_fn(|cx| match poll(cx) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

/// Lets all other tasks go on until they wait.
pub(crate) async fn settle() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}
