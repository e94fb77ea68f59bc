//! The list of a server's tools, read tool by tool: one that is odd takes no other along.

use super::schema::{self, Schemas};
use rmcp::model::{ClientRequest, ListToolsRequest, PaginatedRequestParams, ServerResult};
use rmcp::service::{Peer, RoleClient, ServiceError as McpError};
use serde_json::{Value, json};
use std::collections::HashSet;

/// A tool as its server tells of it.
#[derive(Debug)]
pub(super) struct Offer {
    /// What the server calls it.
    pub(super) name: String,
    /// What models may call it.
    pub(super) offered: String,
    pub(super) description: String,
    pub(super) schemas: Schemas,
}

/// Asks for all of them.
pub(super) async fn ask(peer: &Peer<RoleClient>) -> Result<Vec<Offer>, McpError> {
    let (mut tools, mut cursor) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let mut params = PaginatedRequestParams::default();
        params.cursor = cursor;
        let request = ListToolsRequest { params: Some(params), ..ListToolsRequest::default() };
        let page = match peer.send_request(ClientRequest::ListToolsRequest(request)).await? {
            ServerResult::ListToolsResult(list) => {
                json!({"tools": list.tools, "nextCursor": list.next_cursor})
            }
            // A list with a tool that the protocol does not allow.
            ServerResult::CustomResult(list) => list.0,
            _ => return Err(McpError::UnexpectedResponse),
        };
        let Some(Value::Array(more)) = page.get("tools") else { return Err(McpError::UnexpectedResponse) };
        tools.extend(more.iter().cloned());
        cursor =
            page.get("nextCursor").and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    Ok(read(tools))
}

/// Those with a name; the first of a name counts. Names that models may use as they are keep theirs.
fn read(tools: Vec<Value>) -> Vec<Offer> {
    let mut seen = HashSet::new();
    let named = tools.into_iter().filter_map(|mut tool| {
        let name = tool.get("name")?.as_str()?.to_owned();
        let schema = tool.get_mut("inputSchema").map(Value::take).unwrap_or_default();
        let description = tool.get("description").and_then(Value::as_str).unwrap_or_default().to_owned();
        (!name.is_empty() && seen.insert(name.clone())).then_some((name, description, schema))
    });
    let named: Vec<_> = named.collect();
    let plain = named.iter().map(|(name, ..)| name).filter(|name| mapped(name) == **name).cloned();
    let mut taken: HashSet<String> = plain.collect();
    let offers = named.into_iter().map(|(name, description, schema)| {
        let offered = if mapped(&name) == name { name.clone() } else { free(&mapped(&name), &mut taken) };
        Offer { name, offered, description, schemas: schema::read(schema) }
    });
    offers.collect()
}

/// A name of letters, digits, `_` and `-`, short enough for all services.
fn mapped(name: &str) -> String {
    let plain = |char: char| if char.is_ascii_alphanumeric() || "_-".contains(char) { char } else { '_' };
    name.chars().map(plain).take(LONGEST_NAME).collect()
}

/// This name, or the first with a number that no other tool has.
fn free(name: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (2_usize..).map(|number| {
        let number = format!("_{number}");
        format!("{}{number}", &name[..name.len().min(LONGEST_NAME - number.len())])
    });
    let found = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name));
    let found = found.unwrap_or_default();
    taken.insert(found.clone());
    found
}

/// What all services allow.
const LONGEST_NAME: usize = 64;

/// Pages of a list that are asked for.
const MOST_PAGES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        let tools = names.iter().map(|name| json!({"name": name})).collect();
        read(tools).into_iter().map(|offer| offer.offered).collect()
    }

    #[test]
    fn a_tool_without_a_name_or_a_schema_takes_no_other_along() {
        let offers =
            read(vec![json!({"name": "a"}), json!({}), json!(7), json!({"name": "b", "inputSchema": null})]);
        assert_eq!(offers.iter().map(|offer| offer.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn names_that_models_may_not_use_are_mapped_and_stay_apart() {
        assert_eq!(
            names(&["orders.find", "orders/find", "orders_find", "a b", "ok", "ok"]),
            ["orders_find_2", "orders_find_3", "orders_find", "a_b", "ok"]
        );
        let long = ["n".repeat(80), "n".repeat(81)];
        let offered = names(&[&long[0], &long[1]]);
        assert_eq!(offered, ["n".repeat(64), format!("{}_2", "n".repeat(62))]);
    }
}
