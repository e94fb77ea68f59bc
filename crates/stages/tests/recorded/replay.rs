//! A server that says what another one said, as far as the client has said what that one's client had.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub(crate) struct Replay {
    pub(crate) address: SocketAddr,
    connections: Arc<Mutex<VecDeque<Vec<Step>>>>,
}

/// A line of a recording.
#[derive(Debug)]
enum Step {
    /// The client sent so many bytes, which were these where they were worth writing down.
    Client(usize, String),
    Server(Vec<u8>),
    /// The server closed the connection.
    End,
}

/// Ids and versions among what a client says are not always equally long; all that it says is longer.
const TOLERANCE: usize = 16;

/// Bytes that are read at once.
const READ: usize = 64 * 1_024;

impl Replay {
    /// Plays the recordings of a folder, each to the first client that begins as the recorded one did.
    pub(crate) async fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let files = (1..).map(|number| folder.join(format!("{number}.txt"))).take_while(|file| file.exists());
        let read = files.map(|file| read(&std::fs::read_to_string(file).unwrap()));
        // Connections made ahead and never used say nothing.
        let read: VecDeque<_> = read.filter(|steps| !steps.is_empty()).collect();
        assert!(!read.is_empty(), "no recordings in {}", folder.display());
        let connections = Arc::new(Mutex::new(read));
        let left = connections.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                // In paused time a message that waits for the last one's receipt comes too late.
                tcp.set_nodelay(true).unwrap();
                tokio::spawn(serve(tcp, left.clone()));
            }
        });
        Self { address, connections }
    }

    pub(crate) fn is_played_out(&self) {
        let left = self.connections.lock().unwrap();
        assert!(left.is_empty(), "nobody asked for {left:?}");
    }
}

fn read(recording: &str) -> Vec<Step> {
    let text = |json: &str| serde_json::from_str::<String>(json).unwrap();
    let step = |line: &str| match line.split_once(' ').unwrap_or((line, "")) {
        (">", said) => {
            let (count, said) =
                said.split_once(' ').map_or((said, String::new()), |(n, json)| (n, text(json)));
            Step::Client(count.parse().unwrap(), said)
        }
        ("<", json) => Step::Server(text(json).chars().map(|byte| byte as u8).collect()),
        ("<end", _) => Step::End,
        ("<64", bytes) => Step::Server(STANDARD.decode(bytes).unwrap()),
        _ => panic!("no line of a recording: {line}"),
    };
    recording.lines().map(step).collect()
}

async fn serve(mut tcp: TcpStream, left: Arc<Mutex<VecDeque<Vec<Step>>>>) {
    let mut said = Vec::with_capacity(READ);
    let mut expected = 0;
    // A connection made ahead may never be used.
    let Ok(1..) = tcp.read_buf(&mut said).await else { return };
    let steps = take(&mut left.lock().unwrap(), &said);
    for step in steps {
        match step {
            Step::Client(count, _) => {
                expected += count;
                while said.len() + TOLERANCE < expected {
                    said.reserve(READ);
                    let Ok(1..) = tcp.read_buf(&mut said).await else { return };
                }
            }
            Step::Server(bytes) => {
                let bytes = with_key_of(&String::from_utf8_lossy(&said), bytes);
                if tcp.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Step::End => return,
        }
    }
    // The server was still there when its client went.
    while let Ok(1..) = tcp.read(&mut [0; 4_096]).await {}
}

/// The first recording whose client began like this.
fn take(left: &mut VecDeque<Vec<Step>>, said: &[u8]) -> Vec<Step> {
    let said = String::from_utf8_lossy(said);
    let begins_so = |steps: &Vec<Step>| match &steps[0] {
        Step::Client(_, text) => text.lines().next() == said.lines().next() || text.is_empty(),
        Step::Server(_) | Step::End => true,
    };
    let at = left.iter().position(begins_so);
    let at = at.unwrap_or_else(|| panic!("nobody said {said:?} while it was recorded; left is {left:?}"));
    left.remove(at).unwrap()
}

/// A handshake of a socket answers the key of its client.
fn with_key_of(request: &str, answer: Vec<u8>) -> Vec<u8> {
    const ACCEPT: &[u8] = b"sec-websocket-accept: ";
    let lower = answer.to_ascii_lowercase();
    let Some(at) = lower.windows(ACCEPT.len()).position(|window| window == ACCEPT) else { return answer };
    let lines = request.lines().map(|line| line.split_once(": ").unwrap_or_default());
    let key = lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key")).unwrap().1;
    let accept = derive_accept_key(key.as_bytes());
    let (begin, end) = (at + ACCEPT.len(), at + ACCEPT.len() + accept.len());
    [&answer[..begin], accept.as_bytes(), &answer[end..]].concat()
}
