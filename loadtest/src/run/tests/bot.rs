use futures_util::{SinkExt, StreamExt};
use ringway_wire::level::Dbfs;
use ringway_wire::twilio::{Dialect, FromCarrier, ServerWriter};
use std::cell::RefCell;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

/// How a server of the tests behaves.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Answers 200 ms after the caller's last loud frame with 500 ms of sound.
    Answers,
    /// Hears, and says nothing.
    IsMute,
    /// Refuses the upgrade with this status.
    Refuses(&'static str),
    /// Accepts connections and says nothing to the upgrade.
    NeverUpgrades,
    /// As [`Manner::Answers`], but is gone after so many frames of a call.
    DiesAfter(usize),
}

/// Ids of the calls that came.
pub type Calls = Rc<RefCell<Vec<String>>>;

/// Frames without a loud one after which an answer begins.
const PATIENCE: usize = 10;

/// Frames of an answer.
const ANSWER: usize = 25;

/// Listens on a free port, which is returned; serves on the present `LocalSet`.
pub async fn serve(manner: Manner) -> (String, Calls) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let calls = Calls::default();
    let noted = calls.clone();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(answer(stream, manner, noted.clone()));
        }
    });
    (url, calls)
}

async fn answer(mut stream: TcpStream, manner: Manner, calls: Calls) {
    match manner {
        Manner::NeverUpgrades => std::future::pending().await,
        Manner::Refuses(status) => {
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        Manner::IsMute => talk(stream, usize::MAX, usize::MAX, calls).await,
        Manner::Answers => talk(stream, PATIENCE, usize::MAX, calls).await,
        Manner::DiesAfter(frames) => talk(stream, PATIENCE, frames, calls).await,
    }
}

/// The caller's frames are this bot's clock: for each that it hears it may say one.
async fn talk(stream: TcpStream, patience: usize, dies_after: usize, calls: Calls) {
    let mut socket = accept_async(stream).await.unwrap();
    let (mut audio, mut silent, mut to_say, mut heard) = (Vec::new(), None, 0, 0);
    let writer = ServerWriter::new(&Dialect::TWILIO, "MZ");
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        match FromCarrier::parse(&Dialect::TWILIO, &text, &mut audio) {
            Ok(FromCarrier::Start(start)) => calls.borrow_mut().push(start.call),
            Ok(FromCarrier::Media(media)) if Dbfs::of_mulaw(media.payload).is_loud() => silent = Some(0),
            Ok(FromCarrier::Media(_)) => silent = silent.map(|frames| frames + 1),
            _ => continue,
        }
        heard += 1;
        if heard >= dies_after {
            return;
        }
        if silent.take_if(|frames| *frames >= patience).is_some() {
            to_say = ANSWER;
        }
        if to_say > 0 {
            to_say -= 1;
            let mut out = Vec::new();
            writer.media(&mut out, &[0; 160]);
            let _ = socket.send(Message::text(String::from_utf8(out).unwrap())).await;
        }
    }
}
