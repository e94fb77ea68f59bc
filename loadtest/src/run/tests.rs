//! Runs against servers of the tests' own, over real sockets in virtual time: nothing is waited for.

mod bot;

use super::*;
use crate::repertoire::Repertoire;
use crate::target::{Dialect, Server as Url};
use crate::voice::{Encoding, Utterance};
use bot::{Calls, Manner, serve};
use std::future::Future;
use tokio::task::LocalSet;

const ROUND: &str = r#"round = ["say", "await_answer", "hear_out", { think = "300ms" }]"#;

fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().start_paused(true).build().unwrap();
    LocalSet::new().block_on(&runtime, test)
}

fn plan(url: &str, calls: u32, seconds: u64) -> Plan {
    let mut repertoire = Repertoire::of_tones(&[30]);
    let samples = [[8_000_i16; 80], [-8_000; 80]].concat().repeat(30);
    let said = Utterance::new("said.wav", &samples, Encoding::Mulaw, None).unwrap();
    repertoire.replace_all(said);
    let url: Url = url.parse().unwrap();
    Plan {
        target: Target {
            url: url.socket(Dialect::Twilio),
            dialect: Dialect::Twilio,
            codec: ringway_wire::voice_ws::Codec::Pcm16,
            dialogue: None,
            custom_parameters: Vec::new(),
            headers: Vec::new(),
            tls: None,
        },
        calls,
        duration: Duration::from_secs(seconds),
        ramp: Duration::from_millis(100),
        scenario: Rc::new(crate::scenario::tests::scenario(ROUND)),
        voice: Rc::new(repertoire.into_voice().unwrap()),
        seed: 1,
        server: None,
        exposition: None,
    }
}

/// A run of some callers against a server of this manner.
fn run(manner: Manner, calls: u32, seconds: u64) -> (Report, Calls) {
    in_virtual_time(async {
        let (url, seen) = serve(manner).await;
        (plan(&url, calls, seconds).drive().await.unwrap().report, seen)
    })
}

#[test]
fn answers_are_measured_over_a_socket() {
    let (report, calls) = run(Manner::Answers, 3, 20);
    assert!(report.answer.count >= 3 * 5, "{report}");
    assert!(report.answer.p50.is_some_and(|ms| (180.0..=240.0).contains(&ms)), "{report}");
    assert_eq!((report.missing, report.refused, report.errors, report.underruns), (0, 0, 0, 0), "{report}");
    assert_eq!(calls.borrow().len(), 3);
    assert!(!report.run.cut_short);
    assert_eq!(report.timeline.iter().map(|second| second.answers).sum::<u64>(), report.answer.count);
}

#[test]
fn a_server_that_refuses_is_told_by_its_status() {
    let (report, _) = run(Manner::Refuses("503 Service Unavailable"), 3, 20);
    assert_eq!((report.refused, report.errors, report.is_empty()), (3, 0, true));
    assert_eq!(report.refusals.iter().collect::<Vec<_>>(), [(&"HTTP 503".to_owned(), &3)]);
    assert!(report.run.cut_short, "all callers had gone before the time was over");
}

#[test]
fn any_other_refusal_is_an_error_with_its_status() {
    let (report, _) = run(Manner::Refuses("401 Unauthorized"), 2, 20);
    assert_eq!((report.refused, report.errors), (0, 2));
    assert_eq!(report.failures["the upgrade is refused with HTTP 401"], 2);
}

#[test]
fn a_server_that_never_upgrades_ends_the_run_by_itself() {
    let (report, _) = run(Manner::NeverUpgrades, 2, 30);
    assert_eq!(report.failures["connecting takes too long"], 2);
    assert!(report.is_empty());
}

#[test]
fn a_server_that_says_nothing_has_all_answers_missing() {
    let (report, _) = run(Manner::IsMute, 2, 20);
    assert_eq!((report.answer.count, report.answer.p50, report.is_empty()), (0, None, true));
    assert!(report.missing >= 2 * 2, "{report}");
}

#[test]
fn a_server_that_dies_mid_run_is_counted_and_ends_the_run() {
    let (report, _) = run(Manner::DiesAfter(200), 3, 60);
    assert_eq!(report.errors, 3, "{report}");
    assert!(report.answer.count >= 3, "what was measured before is kept: {report}");
    assert!(report.run.cut_short && report.run.duration_s < 10.0, "{}", report.run.duration_s);
}

#[test]
fn nobody_listening_is_an_error_for_each_caller() {
    let report = in_virtual_time(async {
        let url = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            format!("ws://{}/", free.local_addr().unwrap())
        };
        plan(&url, 2, 20).drive().await.unwrap().report
    });
    assert_eq!((report.errors, report.is_empty()), (2, true));
    assert!(report.failures.keys().all(|what| what.starts_with("cannot connect: ")), "{report}");
}

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let (one, other, calls) = in_virtual_time(async {
        let (url, calls) = serve(Manner::Answers).await;
        let (first, second) = (plan(&url, 2, 20), plan(&url, 2, 20));
        let (one, other) = tokio::join!(first.drive(), second.drive());
        (one.unwrap().report, other.unwrap().report, calls)
    });
    assert!(one.answer.count >= 10 && other.answer.count >= 10);
    let mut ids = calls.borrow().clone();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "no two calls have the same id: {ids:?}");
}

#[test]
fn a_run_without_the_servers_process_does_not_begin() {
    let gone = in_virtual_time(async {
        let plan = Plan { server: Some(Process::new(u32::MAX)), ..plan("ws://127.0.0.1:1/", 1, 1) };
        plan.drive().await
    });
    assert!(matches!(gone, Err(RunError::Process(_))));
}
