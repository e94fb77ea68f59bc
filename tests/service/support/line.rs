use super::within;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Ws = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A client's socket: messages go out in order, in between a frame each 20 ms once the microphone is on.
pub struct Line {
    incoming: SplitStream<Ws>,
    orders: mpsc::Sender<Order>,
}

/// Orders that wait at most.
const ORDERS: usize = 256;

/// Makes the message of a frame.
pub type Encode = Box<dyn FnMut(&[i16]) -> Message + Send>;

enum Order {
    Send(Message),
    Microphone(Encode, usize),
    Say(Vec<i16>),
    MicrophoneOff,
}

impl Line {
    pub async fn open(request: impl IntoClientRequest + Unpin) -> Self {
        let (socket, _) = within("the handshake", connect_async(request)).await.expect("a WebSocket");
        Self::over(socket)
    }

    pub fn over(socket: Ws) -> Self {
        let (outgoing, incoming) = socket.split();
        let (orders, waiting) = mpsc::channel(ORDERS);
        tokio::spawn(speak(outgoing, waiting));
        Self { incoming, orders }
    }

    /// Sends a message.
    pub fn send(&self, message: Message) {
        let _ = self.orders.try_send(Order::Send(message));
    }

    /// From now on a frame of so many samples goes out each 20 ms, silence where nothing is said.
    pub fn microphone(&self, samples: usize, encode: Encode) {
        let _ = self.orders.try_send(Order::Microphone(encode, samples));
    }

    /// Nothing is sent any more once all is said.
    pub fn microphone_off(&self) {
        let _ = self.orders.try_send(Order::MicrophoneOff);
    }

    /// Says this behind what is being said.
    pub fn say(&self, samples: Vec<i16>) {
        let _ = self.orders.try_send(Order::Say(samples));
    }

    /// The next message; `None` when the server has closed the socket.
    pub async fn next(&mut self) -> Option<Message> {
        match within("a message", self.incoming.next()).await {
            Some(Ok(message)) => Some(message),
            Some(Err(_)) | None => None,
        }
    }

    /// The close frame that the server sends, whatever it says before.
    pub async fn closed(&mut self) -> (u16, String) {
        while let Some(message) = self.next().await {
            if let Message::Close(frame) = message {
                let frame = frame.expect("a code");
                return (frame.code.into(), frame.reason.to_string());
            }
        }
        panic!("the server closed without a close frame");
    }
}

async fn speak(mut outgoing: SplitSink<Ws, Message>, mut orders: mpsc::Receiver<Order>) {
    let mut microphone: Option<(Encode, usize)> = None;
    let mut words: Vec<i16> = Vec::new();
    let mut ceasing = false;
    let mut beat = interval(Duration::from_millis(20));
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(message)) => if outgoing.send(message).await.is_err() { return },
                Some(Order::Microphone(encode, samples)) => {
                    microphone = Some((encode, samples));
                    beat.reset();
                }
                Some(Order::Say(samples)) => words.extend(samples),
                Some(Order::MicrophoneOff) => ceasing = true,
                None => return,
            },
            _ = beat.tick() => if ceasing && words.is_empty() {
                microphone = None;
            } else if let Some((encode, samples)) = &mut microphone {
                words.resize(words.len().max(*samples), 0);
                let rest = words.split_off(*samples);
                let frame = std::mem::replace(&mut words, rest);
                if outgoing.send(encode(&frame)).await.is_err() {
                    return;
                }
            },
        }
    }
}
