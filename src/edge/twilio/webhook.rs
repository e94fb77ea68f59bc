//! What the carrier asks over HTTP: when a call comes, and when its media socket has closed.

use super::parties::Parties;
use super::proof::{Door, Signed};
use super::socket::TOKEN;
use super::sorry;
use super::{AFTER, MEDIA, RESUME};
use crate::api::ApiError;
use crate::app::Server;
use crate::live::Ending;
use crate::refusals;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::IntoResponse;
use ringway_config::PublicUrl;
use ringway_frame::CallId;
use ringway_stages::transfer::Destination;
use ringway_wire::twilio::twiml::{self, Noun};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How often and how many times a call is looked at that has not ended yet: 2 s.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: usize = 40;

/// Fields of a webhook at most: a carrier has some 30.
const MOST_FIELDS: usize = 500;

/// Letters of a parameter's name and value together:
/// <https://www.twilio.com/docs/voice/twiml/stream#custom-parameters>.
const LONGEST_PARAMETER: usize = 500;

/// Parameters of a webhook's address, and bytes of their names and values, that are passed on.
const MOST_PARAMETERS: usize = 90;
const MOST_BYTES: usize = 14 * 1_024;

/// A call comes: the `TwiML` that connects it to the media socket, or refuses it.
pub(super) async fn voice(
    State(server): State<Arc<Server>>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Result<impl IntoResponse, ApiError> {
    let Webhook { address, fields, mut passed } = Webhook::read(&server, &method, &headers, &uri, &body)?;
    let parties = Parties::of(&fields);
    let twiml = if can_begin(&server, passed.get("dialogue").map(String::as_str)) {
        leave_out_rest(&mut passed);
        parties.put(&mut passed);
        leave_out_long(&mut passed);
        let passed = passed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        twiml::connect_stream(&address.ws(MEDIA), &address.http(AFTER), passed)
    } else {
        sorry::refuse(&server.carrier, &parties)
    };
    Ok(answer(twiml))
}

/// The media socket has closed: the carrier dials whom the call was to be transferred to, or hangs up.
pub(super) async fn after(
    State(server): State<Arc<Server>>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Result<impl IntoResponse, ApiError> {
    let Webhook { address, fields, .. } = Webhook::read(&server, &method, &headers, &uri, &body)?;
    let call = fields.get("CallSid");
    let call = call.ok_or_else(|| ApiError::BadRequest("the request has no CallSid".into()))?;
    Ok(answer(match ending_of(&server, call).await {
        Ending::Transferred(to) => dial(&to),
        Ending::Detached(call) => reconnect(&server, &address, call),
        Ending::Over | Ending::InProgress => twiml::hang_up(),
        // It was refused at the socket, or another process had it: all that the caller has heard is silence.
        Ending::Unknown => sorry::apologise(&server.carrier),
    }))
}

/// How a call has ended. Its end may be on its way to us still when the carrier asks.
async fn ending_of(server: &Server, carrier_call_id: &str) -> Ending {
    for _ in 0..LOOKS {
        match server.hub.ending(carrier_call_id.to_owned()).await {
            Ending::InProgress => tokio::time::sleep(LOOK_EVERY).await,
            ending => return ending,
        }
    }
    Ending::InProgress
}

/// The same call goes on, over another socket.
fn reconnect(server: &Server, address: &PublicUrl, call: CallId) -> String {
    let token = server.sessions.of(call).map(|(token, _)| token);
    let passed = token.iter().map(|token| (TOKEN, token.as_str()));
    match &token {
        Some(_) => twiml::connect_stream(&address.ws(RESUME), &address.http(AFTER), passed),
        None => twiml::hang_up(),
    }
}

/// Nothing but a number or a SIP address is ever dialled.
fn dial(to: &str) -> String {
    match Destination::written(to) {
        Ok(to) if to.is_sip() => twiml::dial(Noun::Sip, to.as_str()),
        Ok(to) => twiml::dial(Noun::Number, to.as_str()),
        Err(error) => {
            tracing::error!(to, %error, "a call is not transferred");
            twiml::hang_up()
        }
    }
}

/// Whether a call that comes now would be taken. Its place is taken by the media socket.
fn can_begin(server: &Server, dialogue: Option<&str>) -> bool {
    if let Some(error) = server.unknown_dialogue(dialogue) {
        refusals::count("unknown_dialogue");
        tracing::warn!(code = "unknown_dialogue", %error, "a carrier's call is refused");
        return false;
    }
    match server.admission.would_admit() {
        Ok(()) => true,
        Err(refused) => {
            tracing::warn!(code = refused.reason(), error = %refused, "a carrier's call is refused");
            false
        }
    }
}

/// A carrier drops a call that is passed a parameter that is too long.
fn leave_out_long(passed: &mut BTreeMap<String, String>) {
    passed.retain(|name, value| {
        let letters = name.chars().count() + value.chars().count();
        if letters > LONGEST_PARAMETER {
            tracing::warn!(
                code = "long_parameter",
                parameter = name,
                letters,
                most = LONGEST_PARAMETER,
                "a parameter is left out: its name and value are longer than the carrier takes"
            );
        }
        letters <= LONGEST_PARAMETER
    });
}

/// The media socket takes so many parameters and no more, our own included.
fn leave_out_rest(passed: &mut BTreeMap<String, String>) {
    let (all, mut kept, mut bytes) = (passed.len(), 0, 0);
    passed.retain(|name, value| {
        kept += 1;
        bytes += name.len() + value.len();
        kept <= MOST_PARAMETERS && bytes <= MOST_BYTES
    });
    if passed.len() < all {
        let (parameters, kept) = (all, passed.len());
        tracing::warn!(
            code = "many_parameters",
            parameters,
            kept,
            "parameters are left out: there are too many"
        );
    }
}

fn answer(twiml: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/xml")], twiml)
}

/// A request of the carrier, its signature checked.
struct Webhook {
    /// Where the carrier reaches us.
    address: PublicUrl,
    fields: Fields,
    /// What the webhook's address passes on, `dialogue` among it.
    passed: BTreeMap<String, String>,
}

/// What the carrier says of a call.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, String)>);

impl Webhook {
    fn read(
        server: &Server,
        method: &Method,
        headers: &HeaderMap,
        uri: &Uri,
        body: &[u8],
    ) -> Result<Self, ApiError> {
        let form = read_form(body)?;
        let signed: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let address = Signed { door: Door::Webhook, headers, uri, form: &signed }.verify(server)?;
        let query = read_form(uri.query().unwrap_or_default().as_bytes())?;
        let (fields, passed) = if *method == Method::POST { (form, query) } else { apart(query) };
        Ok(Self { address, fields: Fields(fields), passed: passed.into_iter().collect() })
    }
}

/// The fields of a form, or of a query.
fn read_form(text: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    let mut pairs = form_urlencoded::parse(text);
    let read: Vec<_> = pairs.by_ref().take(MOST_FIELDS).map(|pair| (pair.0.into(), pair.1.into())).collect();
    match pairs.next() {
        None => Ok(read),
        Some(_) => Err(ApiError::BadRequest(format!("a webhook has at most {MOST_FIELDS} fields"))),
    }
}

/// Names and values, in the order of the request.
type Pairs = Vec<(String, String)>;

/// A query that holds both the carrier's fields and what the webhook's address passes on: the carrier's begin with a
/// capital letter.
fn apart(query: Pairs) -> (Pairs, Pairs) {
    query.into_iter().partition(|(name, _)| name.starts_with(|first: char| first.is_ascii_uppercase()))
}

impl Fields {
    #[cfg(test)]
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The value of a field that says something.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(of, value)| of == name && !value.is_empty());
        field.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn of_a_query_the_fields_with_capitals_are_the_carriers() {
        let query = read_form(b"CallSid=CA1&dialogue=booking&From=%2B431&campaign=a%20b").unwrap();
        let (fields, passed) = apart(query);
        assert_eq!(fields, pairs(&[("CallSid", "CA1"), ("From", "+431")]));
        assert_eq!(passed, pairs(&[("dialogue", "booking"), ("campaign", "a b")]));
    }

    #[test]
    fn a_form_of_too_many_fields_is_refused() {
        assert_eq!(read_form(&b"a&".repeat(MOST_FIELDS)).unwrap().len(), MOST_FIELDS);
        assert!(read_form(&b"a&".repeat(MOST_FIELDS + 1)).is_err());
    }

    #[test]
    fn a_parameter_that_the_carrier_would_not_take_is_left_out() {
        let fits = "x".repeat(LONGEST_PARAMETER - 4);
        let mut passed = pairs(&[("note", &fits), ("more", &format!("{fits}é")), ("name", "Ada")]);
        let mut parameters = passed.drain(..).collect();
        leave_out_long(&mut parameters);
        assert_eq!(parameters.keys().collect::<Vec<_>>(), ["name", "note"]);
    }

    #[test]
    fn no_more_parameters_are_passed_on_than_the_socket_takes() {
        let mut many = (0..300).map(|number| (format!("p{number:03}"), String::new())).collect();
        leave_out_rest(&mut many);
        assert_eq!(many.len(), MOST_PARAMETERS);
        let mut large = (0..40).map(|number| (format!("p{number:03}"), "x".repeat(496))).collect();
        leave_out_rest(&mut large);
        assert_eq!(large.len(), MOST_BYTES / 500);
    }

    #[test]
    fn only_numbers_and_sip_addresses_are_dialled() {
        assert!(dial("+431234").contains("<Dial><Number>+431234</Number></Dial>"));
        assert!(dial("sip:desk@example.com").contains("<Dial><Sip>sip:desk@example.com</Sip></Dial>"));
        for nothing in ["", "the front desk", "client:boss", "+1900;+882", "+1\r\n+2"] {
            assert!(!dial(nothing).contains("<Dial"), "{nothing:?}");
        }
    }
}
