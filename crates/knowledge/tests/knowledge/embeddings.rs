//! A service that makes the embeddings, and one that does not.

use crate::support::{add, config, document, folder};
use ringway_knowledge::{
    About, Config, EmbedError, Embedder, Embeddings, Index, Language, Librarian, prepare,
};
use ringway_stages::services::{ApiKey, Endpoint, embeddings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A service that embeds by the letters a and b of a text, and tells what it was asked.
async fn service() -> (Endpoint, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}/v1", listener.local_addr().unwrap())).unwrap();
    let (sender, asked) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            tokio::spawn(serve(tcp, sender.clone()));
        }
    });
    (endpoint, asked)
}

async fn serve(mut tcp: TcpStream, sender: mpsc::Sender<(String, Value)>) {
    while let Some((head, body)) = request(&mut tcp).await {
        let texts = body["input"].as_array().unwrap();
        let count = |text: &Value, letter| text.as_str().unwrap().matches(letter).count();
        let data = texts.iter().enumerate().map(|(index, text)| {
            json!({ "object": "embedding", "index": index, "embedding": [count(text, 'a'), count(text, 'b'), 1] })
        });
        let answer = json!({ "object": "list", "data": data.collect::<Vec<_>>() }).to_string();
        let length = answer.len();
        let head_of_answer =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        sender.send((head, body)).await.unwrap();
        tcp.write_all((head_of_answer + &answer).as_bytes()).await.unwrap();
    }
}

async fn request(tcp: &mut TcpStream) -> Option<(String, Value)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
    tcp.read_exact(&mut body).await.ok()?;
    Some((head, serde_json::from_slice(&body).unwrap()))
}

fn configured(url: Endpoint) -> Config {
    let service = embeddings::Config { url, model: "letters".into(), ..embeddings::Config::default() };
    Config { embeddings: Embeddings::Service, service, likeness: 0.9, ..config() }
}

fn embedder(config: &Config) -> Embedder {
    Embedder::new(config, "".as_ref(), 1, Some(&ApiKey::new("a key"))).unwrap()
}

#[tokio::test]
async fn a_service_embeds_passages_and_questions() {
    let dir = folder();
    let (url, mut asked) = service().await;
    let config = configured(url);
    let embedder = embedder(&config);
    let index = Index::open_or_create(dir.path(), &About::new(Language::English, embedder.name())).unwrap();
    let sections = [("", "Banana aaaa."), ("Bb", "Bubble bbbb.")];
    add(&index, &[document("fruit.md", &sections)], &embedder).await;
    let (head, body) = asked.recv().await.unwrap();
    assert!(
        head.starts_with("post /v1/embeddings ") && head.contains("authorization: bearer a key"),
        "{head}"
    );
    assert_eq!(
        body,
        json!({ "model": "letters", "input": ["Banana aaaa.", "Bb\nBubble bbbb."], "encoding_format": "float" })
    );
    let librarian = Librarian::open(dir.path(), &config, embedder).unwrap();
    let found = librarian.search("aaa".into(), 3).await.unwrap();
    assert_eq!((found.len(), found[0].passage.text.as_str()), (1, "Banana aaaa."));
    assert_eq!((found[0].by_words, found[0].by_meaning), (None, Some(1)));
}

#[tokio::test]
async fn without_its_service_a_question_is_searched_by_its_words_and_counted() {
    let dir = folder();
    let (url, _asked) = service().await;
    let there = embedder(&configured(url));
    let index = Index::open_or_create(dir.path(), &About::new(Language::English, there.name())).unwrap();
    add(&index, &[document("fruit.md", &[("", "A banana is bent.")])], &there).await;

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = configured(Endpoint::parse(&format!("http://{closed}/v1")).unwrap());
    let librarian = Librarian::open(dir.path(), &config, embedder(&config)).unwrap();
    let found = librarian.search("Which fruit is bent?".into(), 3).await.unwrap();
    assert_eq!((found.len(), found[0].by_words, found[0].by_meaning), (1, Some(1), None));
    assert_eq!((librarian.counts().searches, librarian.counts().by_words_only), (1, 1));
}

#[tokio::test]
async fn without_its_service_nothing_is_added() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = configured(Endpoint::parse(&format!("http://{closed}/v1")).unwrap());
    let document = document("fruit.md", &[("", "A banana is bent.")]);
    let error = prepare(&document, &embedder(&config), |_| {}).await.unwrap_err();
    assert!(matches!(error, EmbedError::Service(_)), "{error}");
    assert!(error.to_string().starts_with("the embeddings service: cannot connect to "), "{error}");
}
