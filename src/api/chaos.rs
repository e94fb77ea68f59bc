use super::{ApiError, calls};
use crate::access::Denied;
use crate::app::Server;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ringway_actors::{Fault, LegFault};
use ringway_turn::StageKind;
use serde::Deserialize;
use std::sync::Arc;

/// A fault, and a stage or a leg that it is to be put into.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    stage: Option<StageKind>,
    leg: Option<u32>,
    fault: FaultName,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FaultName {
    Error,
    Panic,
    Stall,
    Disconnect,
}

/// What is to fail, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Stage(StageKind, Fault),
    Leg(u32, LegFault),
}

impl TryFrom<Wanted> for Order {
    type Error = &'static str;

    fn try_from(Wanted { stage, leg, fault }: Wanted) -> Result<Self, Self::Error> {
        match (stage, leg) {
            (Some(stage), None) => of_stage(fault).map(|fault| Self::Stage(stage, fault)),
            (None, Some(leg)) => of_leg(fault).map(|fault| Self::Leg(leg, fault)),
            (Some(_), Some(_)) => Err("stage and leg: a fault is put into one of them"),
            (None, None) => Err("stage or leg is missing: what the fault is to be put into"),
        }
    }
}

fn of_stage(fault: FaultName) -> Result<Fault, &'static str> {
    match fault {
        FaultName::Error => Ok(Fault::Error),
        FaultName::Panic => Ok(Fault::Panic),
        FaultName::Stall => Ok(Fault::Stall),
        FaultName::Disconnect => Err("fault: a stage has no network; it takes error, panic and stall"),
    }
}

fn of_leg(fault: FaultName) -> Result<LegFault, &'static str> {
    match fault {
        FaultName::Panic => Ok(LegFault::Panic),
        FaultName::Disconnect => Ok(LegFault::Disconnect),
        FaultName::Error | FaultName::Stall => Err("fault: a leg takes panic and disconnect"),
    }
}

/// `POST /api/calls/{id}/chaos`; routed with `--chaos` only.
pub async fn inject(
    State(server): State<Arc<Server>>,
    Path(id): Path<String>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    // Without a token nobody may.
    server.secrets.admin_token.as_ref().ok_or(Denied::Token)?;
    let Json(wanted) = wanted.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let order = Order::try_from(wanted).map_err(|error| ApiError::BadRequest(error.to_owned()))?;
    let call =
        server.hub.handle(calls::parse(&id)?).await.ok_or_else(|| ApiError::UnknownCall(id.clone()))?;
    let put = match order {
        Order::Stage(stage, fault) => call.inject(stage, fault),
        Order::Leg(leg, _) if !server.sessions.has(call.id, leg) => return Err(ApiError::UnknownLeg(leg)),
        Order::Leg(leg, fault) => call.inject_leg(leg, fault),
    };
    put.map_err(|_| ApiError::UnknownCall(id))?;
    Ok(StatusCode::ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Order, String> {
        let wanted: Wanted = serde_json::from_str(body).map_err(|error| error.to_string())?;
        Order::try_from(wanted).map_err(str::to_owned)
    }

    #[test]
    fn a_fault_is_put_into_a_stage_or_a_leg_that_can_have_it() {
        assert_eq!(
            read(r#"{"stage":"tts","fault":"stall"}"#),
            Ok(Order::Stage(StageKind::Tts, Fault::Stall))
        );
        assert_eq!(read(r#"{"leg":0,"fault":"panic"}"#), Ok(Order::Leg(0, LegFault::Panic)));
        assert_eq!(read(r#"{"leg":2,"fault":"disconnect"}"#), Ok(Order::Leg(2, LegFault::Disconnect)));
    }

    #[test]
    fn an_order_that_cannot_be_is_refused_by_the_name_of_its_field() {
        for (body, names) in [
            (r#"{"stage":"tts","fault":"disconnect"}"#, "fault"),
            (r#"{"leg":0,"fault":"stall"}"#, "panic and disconnect"),
            (r#"{"stage":"tts","leg":0,"fault":"panic"}"#, "stage and leg"),
            (r#"{"fault":"panic"}"#, "stage or leg"),
            (r#"{"leg":-1,"fault":"panic"}"#, "-1"),
            (r#"{"leg":0,"fault":"explode"}"#, "explode"),
        ] {
            let error = read(body).expect_err(body);
            assert!(error.contains(names), "{body}: {error}");
        }
    }
}
