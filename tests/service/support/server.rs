use super::within;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::interval;

/// The token of the servers that have one.
pub const TOKEN: &str = "a token for tests";

/// Lines of the log that wait at most; the server would wait behind them.
const LINES: usize = 100_000;

/// A running server; killed when dropped.
pub struct Server {
    pub address: SocketAddr,
    /// Of the voice as a service, where it is one.
    pub voice: Option<SocketAddr>,
    child: Option<Child>,
    log: Receiver<String>,
    seen: Vec<Value>,
}

/// How a server is to be started.
pub struct Setup {
    config: toml::Table,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// The scripted engines of `config/bench.toml`.
    pub fn bench() -> Self {
        Self::shipped("config/bench.toml")
    }

    /// The engines that come with ringway.
    pub fn embedded() -> Self {
        Self::shipped("config/default.toml")
    }

    fn shipped(file: &str) -> Self {
        let text = fs::read_to_string(root().join(file)).expect("a shipped file");
        Self { config: toml::from_str(&text).expect("TOML"), flags: Vec::new(), environment: Vec::new() }
    }

    /// Changes some of the configuration.
    pub fn with(mut self, changes: &str) -> Self {
        merge(&mut self.config, toml::from_str(changes).expect("TOML"));
        self
    }

    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With the fault injection API.
    pub fn chaos(self) -> Self {
        self.flag("--chaos").env("RINGWAY_ADMIN_TOKEN", TOKEN)
    }

    /// Starts it and waits until it serves.
    pub fn start(self) -> Server {
        self.start_logging_to(Stdio::piped())
    }

    /// The same, with its log elsewhere.
    pub fn start_logging_to(self, log: impl Into<Stdio>) -> Server {
        let mut command = self.command(&["--log", "json", "--port", "0"]);
        let mut child = command.stderr(log).spawn().expect("the binary");
        let (sender, mut log) = channel(LINES);
        if let Some(stderr) = child.stderr.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    let _ = sender.blocking_send(line);
                }
            });
        }
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (mut page, mut voice) = (None, None);
        for line in stdout.lines().map_while(Result::ok) {
            match line.trim().split_once("://") {
                Some((name, url)) if name.starts_with("page") => page = address_in(url),
                Some((name, url)) if name.starts_with("voice") => voice = address_in(url),
                // The last line.
                _ if line.contains("engines") => break,
                _ => {}
            }
        }
        let Some(address) = page else {
            panic!(
                "the server does not serve: {:?} {:?}",
                child.wait(),
                std::iter::from_fn(|| log.try_recv().ok()).collect::<Vec<_>>()
            )
        };
        Server { address, voice, child: Some(child), log, seen: Vec::new() }
    }

    /// Runs a server that cannot start; its exit code and what it says on standard error.
    pub fn fail(self, flags: &[&str]) -> (Option<i32>, String) {
        let mut child = self.command(flags).spawn().expect("the binary");
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        (child.wait().expect("a child").code(), said)
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ringway"));
        command
            .arg("serve")
            .arg("--config")
            .arg(self.write_config())
            .args(flags)
            .args(&self.flags)
            .current_dir(root())
            .env_remove("RINGWAY_ADMIN_TOKEN")
            .env_remove("TWILIO_AUTH_TOKEN")
            .env_remove("RUST_LOG")
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn write_config(&self) -> PathBuf {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("config-{}-{}.toml", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, toml::to_string(&self.config).expect("TOML")).expect("a writable target folder");
        path
    }
}

/// The host and port that a URL without its scheme begins with.
fn address_in(url: &str) -> Option<SocketAddr> {
    url.split('/').next()?.parse().ok()
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(into)), toml::Value::Table(from)) => merge(into, from),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// The workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// How often the API is asked whether something has happened.
const LOOK: Duration = Duration::from_millis(20);

impl Server {
    /// The socket of this path.
    pub fn ws(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        self.request(Request::get(self.url(path)), "").await
    }

    pub async fn get_json(&self, path: &str) -> (StatusCode, Value) {
        let (status, body) = self.get(path).await;
        (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("JSON, not {body:?}")))
    }

    /// The carrier's call that is on, as the API shows it.
    pub async fn carrier_call(&self) -> Option<Value> {
        let calls = self.told("/api/calls").await;
        let call = calls["calls"].as_array()?.iter().find(|call| call["edge"] == "twilio")?;
        let id = call["id"].as_str()?;
        Some(self.told(&format!("/api/calls/{id}")).await)
    }

    /// What an operator is told, who has the token where there is one.
    pub async fn told(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, "").await;
        assert!(status.is_success(), "{path}: {status} {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    pub async fn send(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        let builder = Request::builder().method(method).uri(self.url(path));
        let builder = builder.header("authorization", format!("Bearer {TOKEN}"));
        self.request(builder.header("content-type", "application/json"), body).await
    }

    /// Asks the API to do something; what it answers.
    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let (status, body) = self.send(Method::POST, path, &body.to_string()).await;
        (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("JSON, not {body:?}")))
    }

    /// What the carrier's webhook answers to this form.
    pub async fn post_form(&self, path: &str, form: &str) -> String {
        let builder =
            Request::post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        let (status, body) = self.request(builder, form).await;
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    /// Waits until the call is in this state.
    pub async fn call_is(&self, id: &str, state: &str) {
        let mut look = interval(LOOK);
        let reached = async {
            while self.told(&format!("/api/calls/{id}")).await["state"] != state {
                look.tick().await;
            }
        };
        within(state, reached).await;
    }

    /// Any request.
    pub async fn request(&self, builder: hyper::http::request::Builder, body: &str) -> (StatusCode, String) {
        let (status, body) = self.exchange(builder, body).await;
        (status, String::from_utf8(body).expect("text"))
    }

    /// Any request that is answered by bytes.
    pub async fn bytes(&self, builder: hyper::http::request::Builder) -> (StatusCode, Vec<u8>) {
        self.exchange(builder, "").await
    }

    async fn exchange(&self, builder: hyper::http::request::Builder, body: &str) -> (StatusCode, Vec<u8>) {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = builder.body(Full::new(Bytes::from(body.to_owned()))).expect("a request");
        let response = within("an HTTP response", client.request(request)).await.expect("a response");
        let status = response.status();
        let body = within("a body", response.into_body().collect()).await.expect("a body").to_bytes();
        (status, body.to_vec())
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Puts a fault into a stage of a call.
    pub async fn inject(&self, call: &str, stage: &str, fault: &str) -> StatusCode {
        let body = format!(r#"{{"stage":"{stage}","fault":"{fault}"}}"#);
        self.send(Method::POST, &format!("/api/calls/{call}/chaos"), &body).await.0
    }

    /// Puts a fault into a leg of a call.
    pub async fn inject_leg(&self, call: &str, leg: u64, fault: &str) -> StatusCode {
        let body = format!(r#"{{"leg":{leg},"fault":"{fault}"}}"#);
        self.send(Method::POST, &format!("/api/calls/{call}/chaos"), &body).await.0
    }

    /// The value of a series, as `/metrics` writes it: `name{labels}`.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let (_, text) = self.get("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().expect("a number"))
    }

    /// The next line of the log that says this; earlier ones are kept for [`Self::logged`].
    pub async fn log(&mut self, message: &str) -> Value {
        self.log_with(message, &[]).await
    }

    /// The next line of the log that says this with these fields.
    pub async fn log_with(&mut self, message: &str, fields: &[(&str, &str)]) -> Value {
        let is = |line: &Value| {
            line["message"] == message && fields.iter().all(|(field, value)| line[field] == *value)
        };
        within(message, async {
            loop {
                if let Some(index) = self.seen.iter().position(is) {
                    return self.seen.remove(index);
                }
                let line = self.log.recv().await.expect("the server logs as long as it runs");
                self.seen.push(parsed(line));
            }
        })
        .await
    }

    /// All lines of the log so far.
    pub fn logged(&mut self) -> &[Value] {
        while let Ok(line) = self.log.try_recv() {
            self.seen.push(parsed(line));
        }
        &self.seen
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends a signal.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        let waited = tokio::task::spawn_blocking(move || child.wait());
        within("the server's end", waited).await.expect("no panic").expect("a child")
    }
}

fn parsed(line: String) -> Value {
    serde_json::from_str(&line).unwrap_or(Value::String(line))
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
