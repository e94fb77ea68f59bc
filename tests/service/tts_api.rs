//! The voice as a service: to the letter of the telephone system whose clients are to find it unchanged.

use crate::support::browser::Browser;
use crate::support::server::{Server, Setup, TOKEN, root};
use futures_util::future::{join_all, select};
use hyper::{Request, StatusCode};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::pin;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A server whose voice is served, and the folder of its files, gone with it.
struct Voice {
    server: Server,
    dir: PathBuf,
}

impl Voice {
    /// With the embedded voice.
    fn start() -> Self {
        Self::with("[tts]\nengines = [\"flite\"]")
    }

    fn with(changes: &str) -> Self {
        let dir = folder();
        let server = Setup::bench().with(&config(&dir)).with(changes).start();
        Self { server, dir }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.voice.expect("the voice is served"))
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.server.request(Request::get(self.url(path)), "").await;
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    async fn post(&self, path: &str, kind: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::post(self.url(path)).header("content-type", kind);
        let (status, body) = self.server.request(request, body).await;
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    async fn say(&self, wish: &Value) -> (StatusCode, Value) {
        self.post("/tts", "application/json", &wish.to_string()).await
    }

    /// Clauses that the embedded voice has made.
    async fn made(&self) -> f64 {
        self.server.metric("ringway_pool_jobs_total{pool=\"flite\"}").await.expect("a counter")
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A service that refuses so many requests, and then answers no more.
fn hangs_after(refusals: u32) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let asked = asked.clone();
            std::thread::spawn(move || {
                let (mut reader, mut stream) = (BufReader::new(stream.try_clone().unwrap()), stream);
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|bytes| bytes > 2) {
                    line.clear();
                }
                if !line.is_empty() && asked.fetch_add(1, Ordering::Relaxed) < refusals {
                    let refusal = "HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    stream.write_all(refusal.as_bytes()).unwrap();
                } else {
                    // Until the client has gone.
                    let _ = std::io::copy(&mut reader, &mut std::io::sink());
                }
            });
        }
    });
    address
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("speech-{}-{number}", std::process::id());
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn config(dir: &std::path::Path) -> String {
    format!("[tts_cache]\ndir = {dir:?}\n[tts_api]\nlisten = \"127.0.0.1\"\nport = 0")
}

#[tokio::test]
async fn a_phrase_is_made_once_and_its_file_is_where_the_answer_says() {
    let voice = Voice::start();
    let wish = json!({"text": "Hello there", "voice": "slt", "speed": 1.0, "cache": true});
    let (status, made) = voice.say(&wish).await;
    assert_eq!((status, &made["success"], &made["cached"]), (StatusCode::OK, &json!(true), &json!(false)));
    let path = made["file_path"].as_str().unwrap().to_owned();
    let file = std::fs::read(&path).unwrap();
    assert_eq!((&file[..4], &file[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
    let seconds = (file.len() as f64) / 32_000.0;
    assert!((made["duration"].as_f64().unwrap() - seconds).abs() < 0.01, "{made} {seconds}");

    let default = json!({"text": "Hello there"});
    let (_, again) = voice.say(&default).await;
    assert_eq!((&again["cached"], &again["file_path"]), (&json!(true), &made["file_path"]));
    let form = "application/x-www-form-urlencoded";
    let (_, phrase) = voice.post("/tts/phrase", form, "phrase=Hello+there&voice=slt&speed=1.0").await;
    assert_eq!((&phrase["cached"], &phrase["file_path"]), (&json!(true), &made["file_path"]));
    let anew = json!({"text": "Hello there", "cache": false});
    assert_eq!(voice.say(&anew).await.1["cached"], false);
    let slower = json!({"text": "Hello there", "speed": 0.5});
    let (_, slow) = voice.say(&slower).await;
    assert!(slow["duration"].as_f64() > made["duration"].as_f64().map(|seconds| 1.5 * seconds), "{slow}");

    // What was made anew is in its place.
    let file = std::fs::read(&path).unwrap();
    let (_, name) = path.rsplit_once('/').unwrap();
    for address in [path.clone(), format!("/files/{name}")] {
        let response = Request::get(voice.url(&address));
        let fetched = voice.server.bytes(response).await;
        assert!(fetched.1 == file, "{address}: {} bytes", fetched.1.len());
    }
}

#[tokio::test]
async fn what_is_cleared_is_made_again() {
    let voice = Voice::start();
    let (_, made) = voice.say(&json!({"text": "Good day"})).await;
    assert!(PathBuf::from(made["file_path"].as_str().unwrap()).is_file());
    let (status, cleared) = voice.get("/cache/clear").await;
    assert_eq!((status, &cleared["cleared"]), (StatusCode::OK, &json!(true)));
    assert!(cleared["files_deleted"].as_u64() >= Some(1), "{cleared}");
    assert!(!PathBuf::from(made["file_path"].as_str().unwrap()).exists());
    assert_eq!(voice.say(&json!({"text": "Good day"})).await.1["cached"], false);
}

#[tokio::test]
async fn voices_and_health_are_told() {
    let voice = Voice::start();
    let (_, voices) = voice.get("/voices").await;
    let names: Vec<_> =
        voices["voices"].as_array().unwrap().iter().map(|voice| voice["name"].as_str().unwrap()).collect();
    assert_eq!((names, &voices["default"]), (vec!["slt", "awb", "rms", "kal", "kal16"], &json!("slt")));
    let (status, health) = voice.get("/health").await;
    assert_eq!(
        (status, &health["status"], &health["service"]),
        (StatusCode::OK, &json!("ok"), &json!("ringway-tts"))
    );
}

#[tokio::test]
async fn two_dozen_are_served_at_once_and_the_same_text_is_made_once() {
    let mut voice = Voice::start();
    voice.server.log("phrases are ready").await;
    let before = voice.made().await;
    let texts =
        (0..24).map(|number| if number < 12 { "the same".to_owned() } else { format!("number {number}") });
    let wishes: Vec<_> = texts.map(|text| json!({ "text": text })).collect();
    let answers = join_all(wishes.iter().map(|wish| voice.say(wish))).await;
    assert!(answers.iter().all(|(status, _)| *status == StatusCode::OK), "{answers:?}");
    // A job is counted a moment after its last audio.
    while voice.made().await - before < 13.0 {}
    assert_eq!(voice.made().await - before, 13.0);
    let paths: std::collections::BTreeSet<_> =
        answers.iter().map(|(_, answer)| answer["file_path"].to_string()).collect();
    assert_eq!(paths.len(), 13);
}

#[tokio::test]
async fn more_than_are_permitted_are_refused_for_now() {
    // At start it is asked for the apology and the filler.
    let service = hangs_after(2);
    let slow = format!("url = \"http://{service}\"\nfirst_byte = \"1h\"\n[tts]\nengines = [\"phone_tts\"]");
    let voice = Voice::with(&format!("[tts_api]\nrequests = 1\n[phone_tts]\n{slow}"));
    let (one, other) = (json!({"text": "one"}), json!({"text": "other"}));
    let (one, other) = (pin!(voice.say(&one)), pin!(voice.say(&other)));
    let ((status, error), _) = select(one, other).await.factor_first();
    assert_eq!((status, &error["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("busy")));
    assert_eq!((&error["success"], &error["recoverable"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_by_code() {
    let voice = Voice::with("[tts]\nengines = [\"flite\"]\n[tts_api]\nlongest_text = 10");
    let json = "application/json";
    for (kind, body, status, code) in [
        (json, "not JSON", 400, "bad_request"),
        (json, "{}", 400, "bad_request"),
        (json, "[]", 400, "bad_request"),
        (json, r#"{"text":"Hi","speed":"fast"}"#, 400, "bad_request"),
        ("text/plain", r#"{"text":"Hi"}"#, 400, "bad_request"),
        (json, r#"{"text":" "}"#, 400, "empty_text"),
        (json, r#"{"text":"eleven char"}"#, 413, "text_too_long"),
        (json, r#"{"text":"Hi","voice":"nobody"}"#, 400, "unknown_voice"),
        (json, r#"{"text":"Hi","speed":0}"#, 400, "bad_speed"),
        (json, r#"{"text":"Hi","speed":2.1}"#, 400, "bad_speed"),
    ] {
        let (was, error) = voice.post("/tts", kind, body).await;
        assert_eq!((was.as_u16(), error["code"].as_str()), (status, Some(code)), "{body}: {error}");
        assert!(error["message"].is_string() && error["sessionId"].is_null(), "{error}");
    }
    assert_eq!(voice.get("/nowhere").await.1["code"], "not_found");
    let foreign = Request::get(voice.url("/cache/clear")).header("sec-fetch-site", "cross-site");
    assert_eq!(voice.server.request(foreign, "").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn beyond_loopback_it_needs_a_token_as_all_else_does() {
    let dir = folder();
    let open = config(&dir).replace("127.0.0.1", "0.0.0.0");
    let (code, said) = Setup::bench().with(&open).fail(&["--port", "0"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("0.0.0.0:0, which is not loopback, needs an API token"), "{said}");
    let server = Setup::bench().with(&open).env("RINGWAY_ADMIN_TOKEN", TOKEN).start();
    let voice = Voice { server, dir };
    let wish = json!({"text": "Hi"});
    assert_eq!(voice.say(&wish).await.1["code"], "unauthorized");
    assert_eq!(voice.get("/health").await.0, StatusCode::OK);
    let request = Request::post(voice.url("/tts")).header("authorization", format!("Bearer {TOKEN}"));
    let known =
        voice.server.request(request.header("content-type", "application/json"), &wish.to_string()).await;
    assert_eq!(known.0, StatusCode::OK, "{}", known.1);
}

#[tokio::test]
async fn without_a_folder_it_is_not_served() {
    let (code, said) = Setup::bench().with("[tts_api]\nlisten = \"127.0.0.1\"").fail(&[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("tts_api.listen: needs tts_cache.dir"), "{said}");
}

#[tokio::test]
async fn another_ringway_speaks_by_it() {
    let voice = Voice::start();
    // Nothing is to be late on a machine that does much else.
    let patient = "first_byte = \"20s\"\n[call.stall]\ntts = \"20s\"\n[turn]\nanswer_budget = \"off\"\nfiller_after = \"off\"";
    let service = format!("[tts]\nengines = [\"phone_tts\"]\n[phone_tts]\nurl = \"{}\"", voice.url(""));
    let server = Setup::bench().with(&format!("{service}\n{patient}")).start();
    let (mut browser, _) = Browser::greeted(&server).await;
    let greeting = browser.loud;
    browser.say("digits/day-1");
    assert_eq!(browser.answered().await, "Hello, how can I help you?");
    assert!(browser.loud > greeting + 20, "{} loud frames", browser.loud);
    let hits = voice.server.metric("ringway_speech_cache_hits_total{tier=\"memory\"}").await;
    assert!(hits >= Some(1.0), "the second time it comes from memory: {hits:?}");
}

/// It computes the key by itself, and asks as Python programs do.
#[tokio::test]
async fn a_python_client_finds_what_it_asks_for_by_its_own_key() {
    let voice = Voice::start();
    let client = root().join("tests/service/tts_client.py");
    let url = voice.url("");
    let ran =
        tokio::task::spawn_blocking(move || Command::new("python3").arg(client).arg(url).output()).await;
    let ran = ran.unwrap().expect("python3");
    assert!(
        ran.status.success(),
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
}
