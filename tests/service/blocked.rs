//! An engine blocks its media core, as none may: another thread notices.

use crate::support::browser::Browser;
use crate::support::server::{Server, Setup};
use crate::support::within;
use serde_json::Value;

/// Asks for `/health` until it has this status.
async fn health_until(server: &Server, status: u16) -> Value {
    within("the status of /health", async {
        loop {
            let (is, health) = server.get_json("/health").await;
            if is == status {
                return health;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_blocked_media_core_is_logged_with_its_stage_and_shown_by_health() {
    // Blocked while it is asked for the greeting, in a handler of the stage's actor.
    let mut server = Setup::bench().with("[scripted]\nblock_ms = 4000").start();
    assert_eq!(health_until(&server, 200).await["status"], "ok");
    let (mut browser, _) = Browser::call(&server).await;
    assert_eq!(health_until(&server, 503).await["status"], "degraded");
    let line = server.log("media core blocked").await;
    assert_eq!((line["stage"].as_str(), line["core"].as_u64()), (Some("llm"), Some(0)));
    server.log("media core runs again").await;
    assert_eq!(health_until(&server, 200).await["status"], "ok");
    browser.answered().await;
}
