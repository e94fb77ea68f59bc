//! The mock services as a program: how it starts, what it tells, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

fn services(options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringway-load"));
    command.arg("services").args(options).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The running program, its table and its address.
fn start(options: &[&str]) -> (Child, Vec<String>, String) {
    let mut child = services(options).spawn().expect("the binary was built");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    let first = lines.next().expect("a table is printed");
    let address = first.split(&['/', ','][..]).nth(2).expect("it begins with the address").to_owned();
    let table = lines.take_while(|line| !line.contains("/stats")).collect();
    (child, table, address)
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

/// Code and standard error of one that ends by itself.
fn refused(options: &[&str]) -> (Option<i32>, String) {
    let output = services(options).output().expect("the binary was built");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn it_tells_what_it_serves_and_ends_cleanly_when_it_is_told() {
    let (child, table, address) =
        start(&["--port", "0", "--fail", "llm:2%:500", "--llm-ms", "lognormal(120,0.4)"]);
    let llm = table.iter().find(|line| line.contains("/v1/chat/completions")).unwrap();
    assert!(llm.contains("lognormal(120,0.4) ms, 10 ms a token; 2% 500"), "{llm}");
    assert!(get(&address, "/stats").contains("\"llm\":{\"requests\":0"));
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "\nserved on 1 connections\n");
}

#[test]
fn a_request_that_hangs_does_not_keep_it_from_ending() {
    let (child, _, address) = start(&["--port", "0", "--fail", "tts:100%:hang"]);
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(b"GET /?text=hello HTTP/1.1\r\nhost: mock\r\n\r\n").unwrap();
    while !get(&address, "/stats").contains("\"hang\":1") {}
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.contains("1 requests, 0 answered, 1 abandoned") && told.contains("1 hang"), "{told}");
    assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let (code, told) = refused(&["--port", &address.port().to_string()]);
    assert_eq!(code, Some(1));
    assert!(told.contains(&format!("cannot listen on {address}")), "{told}");
}

#[test]
fn mistakes_are_told() {
    for (options, wanted) in [
        (["--fail", "llm:2%:crash"], "not a share and a failure"),
        (["--fail", "nlp:2%:500"], "no service nlp"),
        (["--stt-ms", "soon"], "not milliseconds"),
        (["--reply", " "], "llm.replies: at least one word is needed"),
        (["--config", "nowhere.toml"], "nowhere.toml: "),
    ] {
        let (code, told) = refused(&options);
        assert_eq!(code, Some(2), "{options:?}");
        assert!(told.contains(wanted), "{options:?}: {told}");
    }
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("services.toml");
    std::fs::write(&file, "[llm]\nfail = ['60%:500']\n").unwrap();
    let (code, told) = refused(&["--config", file.to_str().unwrap(), "--fail", "llm:50%:hang"]);
    assert_eq!((code, told.contains("llm.fail: fails more often than always")), (Some(2), true), "{told}");
}
