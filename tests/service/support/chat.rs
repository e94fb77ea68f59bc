use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What a model says to a request, as the delta of a chunk.
type Say = fn(&Value) -> Value;

/// A service of chat completions, and what it was asked.
pub async fn chat(say: Say) -> (String, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let (sender, asked) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(answer(tcp, say, sender.clone()));
        }
    });
    (url, asked)
}

async fn answer(mut tcp: TcpStream, say: Say, sender: mpsc::Sender<Value>) {
    while let Some(body) = request(&mut tcp).await {
        let choice = json!({ "index": 0, "delta": say(&body), "finish_reason": "stop" });
        let stream = format!("data: {}\n\ndata: [DONE]\n\n", json!({ "choices": [choice] }));
        let length = stream.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {length}\r\n\r\n");
        sender.send(body).await.unwrap();
        tcp.write_all((head + &stream).as_bytes()).await.unwrap();
    }
}

async fn request(tcp: &mut TcpStream) -> Option<Value> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
    tcp.read_exact(&mut body).await.ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}
