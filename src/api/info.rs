use crate::app::Server;
use crate::engines::Named;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

/// What a call to this server can be.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    version: &'static str,
    dialogues: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_dialogue: Option<String>,
    /// Those that calls begin with.
    engines: Vec<Named>,
}

/// `GET /api/info`: the dialogues that a caller may ask for, and the engines, models and voices that calls begin with.
pub async fn show(State(server): State<Arc<Server>>) -> Json<Info> {
    let (dialogues, default_dialogue) = server.dialogues();
    Json(Info {
        version: env!("CARGO_PKG_VERSION"),
        dialogues: dialogues.to_vec(),
        default_dialogue: default_dialogue.map(str::to_owned),
        engines: server.named().to_vec(),
    })
}
