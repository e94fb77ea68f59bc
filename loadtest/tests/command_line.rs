//! The binary from outside: mistakes are told, and a run that is stopped still writes its report.

use std::io::Read;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A second of a square wave at 8 kHz, as a WAV file.
fn recording(name: &str) -> PathBuf {
    let samples: Vec<u8> =
        (0..8_000).flat_map(|n| (if n / 20 % 2 == 0 { 8_000_i16 } else { -8_000 }).to_le_bytes()).collect();
    let len = samples.len() as u32;
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + len).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(len.to_le_bytes());
    wav.extend(samples);
    let path = scratch(name);
    std::fs::write(&path, wav).expect("the directory for tests can be written to");
    path
}

/// Starts a command against a server that never answers the upgrade, stops it by a signal when it has called, and gives
/// its exit code and what it wrote.
fn stopped(command: &[&str], signal: &str, report: &str) -> (Option<i32>, serde_json::Value) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
    let url = format!("ws://{}/", listener.local_addr().expect("a listener has an address"));
    let recording = recording(&format!("{report}.wav"));
    let report = scratch(report);
    let mut tester = Command::new(env!("CARGO_BIN_EXE_ringway-load"))
        .args(command)
        .args(["--url", &url, "--protocol", "twilio", "--ramp", "0s", "--duration", "10m", "--say"])
        .arg(recording)
        .arg("--json")
        .arg(&report)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    // The caller is there, so the run is on.
    let (mut stream, _) = listener.accept().expect("the tester calls");
    assert!(stream.read(&mut [0; 1]).is_ok());
    let killed = Command::new("kill").args([signal, &tester.id().to_string()]).status();
    assert!(killed.is_ok_and(|killed| killed.success()));
    let code = tester.wait().expect("it is our child").code();
    let written = std::fs::read(report).expect("the report was written");
    (code, serde_json::from_slice(&written).expect("the report is JSON"))
}

#[test]
fn ctrl_c_still_writes_the_report() {
    let (code, report) = stopped(&["run", "--calls", "1"], "-INT", "interrupted.json");
    assert_eq!(code, Some(1), "nothing was measured");
    assert_eq!(report["run"]["cutShort"], true);
    assert_eq!(report["answer"]["count"], 0);
    assert!(report["answer"]["p50"].is_null());
}

#[test]
fn a_sweep_that_is_stopped_says_so_and_claims_nothing() {
    let (code, sweep) = stopped(&["sweep", "--start", "1"], "-TERM", "stopped.json");
    assert_eq!((code, &sweep["ended"]), (Some(1), &"interrupted".into()));
    assert!(sweep["callsACore"].is_null() && sweep["steps"].as_array().is_some_and(Vec::is_empty), "{sweep}");
}

#[test]
fn a_scenario_with_mistakes_is_refused_with_all_of_them() {
    let scenario = scratch("mistaken.toml");
    std::fs::write(
        &scenario,
        "opening = [\"sing\"]\nround = [{ say = { file = \"missing.wav\" } }]\nrepeat = 1\n",
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ringway-load"))
        .args(["run", "--url", "ws://127.0.0.1:9/", "--protocol", "twilio", "--calls", "1", "--scenario"])
        .arg(&scenario)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    for wanted in [":1: unknown step \"sing\"", ":2: ", "missing.wav", ":3: unknown key \"repeat\""] {
        assert!(told.contains(wanted), "{told}");
    }
}

#[test]
fn files_that_are_no_results_are_refused() {
    let file = scratch("other.json");
    std::fs::write(&file, "{\"answer\": 1}").unwrap();
    let page = scratch("never.html");
    let status = Command::new(env!("CARGO_BIN_EXE_ringway-load"))
        .args(["report", "/nowhere/run.json"])
        .arg(&file)
        .arg("--html")
        .arg(&page)
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(2));
    let told = String::from_utf8(status.stderr).unwrap();
    assert!(told.contains("/nowhere/run.json: ") && told.contains("other.json: not what"), "{told}");
    assert!(!page.exists());
}
