use crate::support::server::root;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use tokio::sync::Barrier;

fn doctor(config: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ringway"))
        .args(["doctor", "--json", "--config", config])
        .envs(variables.iter().copied())
        .current_dir(root())
        .output()
        .expect("the binary")
}

#[test]
fn the_embedded_engines_are_well_and_understand_each_other() {
    let output = doctor("config/default.toml", &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let engines: Vec<_> = report["engines"].as_array().unwrap().iter().map(|line| &line["engine"]).collect();
    assert!(["kernel", "ort"].iter().any(|vad| engines[0] == vad), "{engines:?}");
    assert_eq!(engines[1..], ["flite", "pocketsphinx", "dialogue"]);
    assert_eq!(report["engines"][2]["detail"], "understood \"yes\"");
}

#[test]
fn a_model_that_is_not_there_is_named() {
    let output = doctor("config/bench.toml", &[("RINGWAY_VAD__MODEL", "no/such/model.onnx")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no/such/model.onnx"), "{output:?}");
}

#[test]
fn an_engine_that_says_nothing_is_not_well() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("silent.toml");
    let bench = std::fs::read_to_string(root().join("config/bench.toml")).unwrap();
    std::fs::write(&config, bench.replace("Hello, how can I help you?", " ")).unwrap();
    let silent = doctor(config.to_str().unwrap(), &[]);
    assert_eq!(silent.status.code(), Some(1), "{silent:?}");
    assert!(String::from_utf8_lossy(&silent.stdout).contains("it said nothing"), "{silent:?}");
}

/// Each answers when all three have been asked.
#[test]
fn services_are_asked_all_at_once_and_tell_what_they_heard_and_said() {
    let services = Services::start(Health::Well);
    let output = services.doctor();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lines: Vec<_> = report["engines"].as_array().unwrap()[1..].iter().map(shown).collect();
    assert_eq!(lines[0], "tts openai_tts true said \"yes\" in 100 ms of audio, the first after");
    assert_eq!(
        lines[1..],
        ["stt openai_stt true understood \"Yes.\"", "llm openai_llm true began with \"Yes\""]
    );
}

#[test]
fn whatever_fails_has_its_reason_and_its_line_and_never_a_key() {
    let services = Services::start(Health::Ill);
    let output = services.doctor();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let lines: Vec<_> = report["engines"].as_array().unwrap()[1..].iter().map(shown).collect();
    assert!(lines[0].starts_with("tts openai_tts false openai_tts: "), "{lines:?}");
    assert_eq!(lines[1], "stt openai_stt false openai_stt: nothing came within 300ms before the answer");
    assert_eq!(lines[2], "llm openai_llm false openai_llm: status 401: the key is missing or was refused");
    assert_eq!(report["engines"][0]["ok"], true, "the embedded ones are not concerned");
    let all =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!all.contains(KEY), "{all}");
}

#[test]
fn redis_livekit_and_the_knowledge_base_are_asked_in_their_own_ways() {
    let (redis, livekit) = (Redis::start("sesame"), livekit("OK"));
    let address = format!("redis://127.0.0.1:{}", redis.port);
    let livekit = format!("ws://{livekit}");
    let well =
        neighbours(&[("REDIS_URL", &address), ("LIVEKIT_URL", &livekit), ("REDIS_PASSWORD", "sesame")]);
    assert!(well[0].starts_with("redis 127.0.0.1:") && well[0].ends_with(" true answered PONG"), "{well:?}");
    assert!(well[1].starts_with("livekit 127.0.0.1:") && well[1].ends_with(" true answered OK"), "{well:?}");
    let ill = neighbours(&[
        ("REDIS_URL", &address),
        ("LIVEKIT_URL", "http://127.0.0.1:1"),
        ("REDIS_PASSWORD", "x"),
    ]);
    assert!(ill[0].contains(" false ") && !ill[0].contains("sesame"), "{ill:?}");
    assert!(ill[1].contains(" false cannot connect to 127.0.0.1:1"), "{ill:?}");
    drop(redis);
    let gone = neighbours(&[
        ("REDIS_URL", &address),
        ("LIVEKIT_URL", &format!("http://{}", self::livekit("nginx"))),
    ]);
    assert!(gone[0].contains(" false ") && gone[0].to_lowercase().contains("refused"), "{gone:?}");
    assert!(gone[1].ends_with("malformed answer: it is not LiveKit's OK"), "{gone:?}");
}

/// The lines of what is not an engine.
fn neighbours(variables: &[(&str, &str)]) -> Vec<String> {
    let output = doctor("config/bench.toml", variables);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let lines = report["engines"].as_array().unwrap().iter();
    lines.filter(|line| ["redis", "livekit"].iter().any(|stage| line["stage"] == *stage)).map(shown).collect()
}

/// A real Redis that asks for a password.
struct Redis {
    port: u16,
    server: std::process::Child,
}

impl Redis {
    fn start(password: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", password])
            .args(["--port", &port.to_string()])
            .stdout(std::process::Stdio::piped())
            .spawn();
        let mut server = server.expect("redis-server: `make setup-test` installs it");
        let mut log = BufReader::new(server.stdout.take().unwrap()).lines();
        assert!(log.any(|line| line.unwrap().contains("Ready to accept connections")), "Redis has ended");
        // Who writes to a pipe that nobody reads may end.
        std::thread::spawn(move || log.for_each(drop));
        Self { port, server }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// What says this when it is asked for its first page.
fn livekit(says: &'static str) -> SocketAddr {
    serve(Router::new().route("/", get(move || async move { says })))
}

/// Without the time of the first audio, which is never the same.
fn shown(line: &Value) -> String {
    let text = |key: &str| line[key].as_str().unwrap().to_owned();
    let detail = text("detail");
    let detail = detail.split_once(" the first after").map_or(&*detail, |(before, _)| before).to_owned();
    let detail = if detail.ends_with(',') { detail + " the first after" } else { detail };
    format!("{} {} {} {detail}", text("stage"), text("engine"), line["ok"])
}

const KEY: &str = "sk-not-to-be-shown";

/// A recogniser, a language model and a voice in OpenAI's form.
struct Services {
    address: SocketAddr,
    health: Health,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Health {
    Well,
    Ill,
}

impl Services {
    fn start(health: Health) -> Self {
        Self { address: serve(routes(health)), health }
    }

    fn doctor(&self) -> Output {
        let url = format!("url = \"http://{}/v1\"", self.address);
        let bounds = "connect = \"5s\"\nidle = \"5s\"";
        let config = format!(
            "[stt]\nengines = [\"openai_stt\"]\n[llm]\nengines = [\"openai_llm\"]\n[tts]\nengines = [\"openai_tts\"]\n\
             [openai_stt]\n{url}\n{bounds}\nfirst_byte = \"{}\"\n[openai_llm]\n{url}\n{bounds}\nfirst_byte = \"9s\"\n\
             [openai_tts]\n{url}\n{bounds}\nfirst_byte = \"9s\"\naudio = \"wav\"\n",
            if self.health == Health::Well { "9s" } else { "300ms" }
        );
        let file = format!("{}/doctor-{}.toml", env!("CARGO_TARGET_TMPDIR"), self.address.port());
        std::fs::write(&file, config).unwrap();
        doctor(&file, &[("OPENAI_API_KEY", KEY)])
    }
}

/// Serves on a port of the loopback as long as the tests run.
fn serve(routes: Router) -> SocketAddr {
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, routes).await.unwrap();
        });
    });
    receiver.recv().unwrap()
}

fn routes(health: Health) -> Router {
    let all = Arc::new(Barrier::new(3));
    let met = move || {
        let all = all.clone();
        async move { all.wait().await }
    };
    let (one, two, three) = (met.clone(), met.clone(), met);
    if health == Health::Ill {
        return Router::new()
            .route("/v1/audio/transcriptions", post(std::future::pending::<()>))
            .route(
                "/v1/chat/completions",
                post((StatusCode::UNAUTHORIZED, r#"{"error":{"message":"no such account"}}"#)),
            )
            .route("/v1/audio/speech", post(([(CONTENT_TYPE, "text/html")], "<html>not audio")));
    }
    let heard = move || async move {
        one().await;
        ([(CONTENT_TYPE, "application/json")], r#"{"text":"Yes."}"#)
    };
    let replied = move || async move {
        two().await;
        let delta = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"Yes"}}]}"#;
        ([(CONTENT_TYPE, "text/event-stream")], format!("data: {delta}\n\ndata: [DONE]\n\n"))
    };
    let said = move || async move {
        three().await;
        ([(CONTENT_TYPE, "audio/wav")], tone())
    };
    Router::new()
        .route("/v1/audio/transcriptions", post(heard))
        .route("/v1/chat/completions", post(replied))
        .route("/v1/audio/speech", post(said))
}

/// A tenth of a second.
fn tone() -> Vec<u8> {
    let samples = (0..2_400_i32).map(|at| if at / 27 % 2 == 0 { 8_000_i16 } else { -8_000 });
    let mut file =
        b"RIFF\xe4\x12\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\xc0\x5d\0\0\x80\xbb\0\0\x02\0\x10\0data\xc0\x12\0\0"
            .to_vec();
    file.extend(samples.flat_map(i16::to_le_bytes));
    file
}
