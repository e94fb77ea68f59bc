use futures_util::stream::{BoxStream, StreamExt, unfold};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use ringway_stages::services::{Accepted, Endpoint, Http, Limits, Phase, Post, ServiceError, SetupError};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ErrorData, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use serde_json::Value;
use sse_stream::{Error as SseError, Sse, SseStream};
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The [streamable HTTP](https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#streamable-http) of a
/// server of tools, over our own connections.
#[derive(Clone, Debug)]
pub(super) struct HttpClient {
    http: Http,
    path: String,
    address: String,
    server: Arc<str>,
    /// The server failed in a way that may have cost its session: the next request begins another one.
    doubtful: Arc<AtomicBool>,
}

type Failure = StreamableHttpError<ServiceError>;

impl HttpClient {
    /// Connections are set up on the present runtime.
    pub(super) fn new(
        server: &Arc<str>,
        url: &Endpoint,
        headers: &HeaderMap,
        limit: Duration,
    ) -> Result<Self, SetupError> {
        // Calls have their own limit; beginning may take longer than the shortest of them.
        let limit = limit.max(LEAST_LIMIT);
        let limits = Limits { connect: limit, first_byte: limit, idle: limit };
        let http = headers.iter().fold(Http::new(url, None, limits)?, |http, (name, value)| {
            http.with(name.clone(), value.clone())
        });
        let (path, address) = (url.below(""), format!("{url:?}"));
        Ok(Self { http, path, address, server: server.clone(), doubtful: Arc::default() })
    }

    /// Where it is; the transport names it only.
    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// Whoever hears of this begins another session, and sends once more what was refused.
    fn forgotten(&self) -> Failure {
        tracing::warn!(server = %self.server, "the server of tools has lost its session: another one is begun");
        Failure::SessionExpired
    }

    async fn send(&self, method: Method, body: Vec<u8>, headers: Headers) -> Result<Accepted, ServiceError> {
        let http = headers.into_map().into_iter().fold(self.http.clone(), |http, (name, value)| match name {
            Some(name) => http.with(name, value),
            None => http,
        });
        let post = Post {
            path: self.path.clone(),
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("application/json, text/event-stream"),
            body: body.into(),
            answer_limit: LARGEST_ANSWER,
        };
        http.send(method, post).await
    }
}

/// What a request has besides our own.
struct Headers {
    session: Option<Arc<str>>,
    token: Option<String>,
    custom: HashMap<HeaderName, HeaderValue>,
}

impl Headers {
    fn into_map(self) -> HeaderMap {
        let mut map: HeaderMap = self.custom.into_iter().collect();
        let token = self.token.and_then(|token| HeaderValue::from_str(&format!("Bearer {token}")).ok());
        map.extend(token.map(|value| (AUTHORIZATION, value)));
        let session = self.session.and_then(|session| HeaderValue::from_str(&session).ok());
        map.extend(session.map(|value| (SESSION, value)));
        map
    }
}

impl StreamableHttpClient for HttpClient {
    type Error = ServiceError;

    async fn post_message(
        &self,
        _: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        token: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let body = serde_json::to_vec(&message)?;
        let had_session = session.is_some();
        if had_session && self.doubtful.swap(false, Ordering::Relaxed) {
            return Err(self.forgotten());
        }
        match self.send(Method::POST, body, Headers { session, token, custom }).await {
            Ok(accepted) => match answer(accepted, &message).await {
                Ok(StreamableHttpPostResponse::Json(ServerJsonRpcMessage::Error(error), _))
                    if had_session && is_about_session(error.error.code.0, &error.error.message) =>
                {
                    Err(self.forgotten())
                }
                answer => answer,
            },
            Err(ServiceError::Status { status, message }) if had_session && is_refused(status, &message) => {
                Err(self.forgotten())
            }
            Err(ServiceError::Status { status, message: words })
                if !had_session && asks_for_versions(&message) =>
            {
                refusal(&message, status, &words)
            }
            Err(error) => {
                if had_session && matches!(error, ServiceError::Status { status: 500.., .. }) {
                    self.doubtful.store(true, Ordering::Relaxed);
                }
                Err(Failure::Client(error))
            }
        }
    }

    async fn delete_session(
        &self,
        _: Arc<str>,
        session: Arc<str>,
        token: Option<String>,
        custom: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        let headers = Headers { session: Some(session), token, custom };
        match self.send(Method::DELETE, Vec::new(), headers).await {
            Ok(_) => Ok(()),
            Err(ServiceError::Status { status: 405, .. }) => Err(Failure::ServerDoesNotSupportDeleteSession),
            Err(error) => Err(Failure::Client(error)),
        }
    }

    /// The server's own messages: nothing that they say is of use to a call.
    async fn get_stream(
        &self,
        _: Arc<str>,
        _: Option<Arc<str>>,
        _: Option<String>,
        _: Option<String>,
        _: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        Err(Failure::ServerDoesNotSupportSse)
    }
}

async fn answer(
    accepted: Accepted,
    asked: &ClientJsonRpcMessage,
) -> Result<StreamableHttpPostResponse, Failure> {
    let Accepted { status, headers, answer } = accepted;
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let session = header(SESSION).map(str::to_owned);
    match header(CONTENT_TYPE) {
        _ if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) => {
            answer.finish();
            Ok(StreamableHttpPostResponse::Accepted)
        }
        Some(kind) if kind.starts_with("text/event-stream") => {
            let pieces = unfold(answer, |mut answer| async move {
                let piece = poll_fn(|cx| answer.poll_piece(cx)).await;
                piece.map(|piece| (piece, answer))
            });
            Ok(StreamableHttpPostResponse::Sse(SseStream::from_bytes_stream(pieces.boxed()).boxed(), session))
        }
        Some(kind) if kind.starts_with("application/json") => {
            let body = answer.whole().await.map_err(Failure::Client)?;
            Ok(StreamableHttpPostResponse::Json(read(&body, asked)?, session))
        }
        kind if matches!(asked, ClientJsonRpcMessage::Request(_)) => {
            Err(Failure::UnexpectedContentType(kind.map(str::to_owned)))
        }
        // Some servers say yes to a notification with 200.
        _ => Ok(StreamableHttpPostResponse::Accepted),
    }
}

/// An error that names no request is the one of what was asked.
fn read(body: &[u8], asked: &ClientJsonRpcMessage) -> Result<ServerJsonRpcMessage, Failure> {
    let mut message: Value = serde_json::from_slice(body)?;
    if let (ClientJsonRpcMessage::Request(request), Value::Object(fields)) = (asked, &mut message)
        && fields.contains_key("error")
        && fields.get("id").is_none_or(Value::is_null)
    {
        fields.insert("id".into(), serde_json::to_value(&request.id)?);
    }
    Ok(serde_json::from_value(message)?)
}

/// With a session, these say that it is unknown; a 400 may as well be about the request's own words.
fn is_refused(status: u16, words: &str) -> bool {
    match status {
        401 | 404 => true,
        400 | 409 => !words.to_ascii_lowercase().contains("param"),
        _ => false,
    }
}

/// The codes are used for much: what was begun is not to be begun again, so only its words tell that it was not.
fn is_about_session(code: i32, words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    (-32099..=-32000).contains(&code) && ["session", "initializ"].iter().any(|word| words.contains(word))
}

fn asks_for_versions(message: &ClientJsonRpcMessage) -> bool {
    matches!(message, ClientJsonRpcMessage::Request(request)
        if matches!(request.request, ClientRequest::DiscoverRequest(_)))
}

/// A server that does not know the newest way to begin says so with whatever status: the older one is tried then.
fn refusal(
    message: &ClientJsonRpcMessage,
    status: u16,
    words: &str,
) -> Result<StreamableHttpPostResponse, Failure> {
    let failed = || ServiceError::cut(Phase::FirstByte, format!("status {status}: {words}"));
    let ClientJsonRpcMessage::Request(request) = message else { return Err(Failure::Client(failed())) };
    if matches!(status, 401 | 403) || status >= 500 {
        return Err(Failure::Client(ServiceError::Status { status, message: words.to_owned() }));
    }
    let error = ErrorData::invalid_request(format!("status {status}: {words}"), None);
    let message = ServerJsonRpcMessage::error(error, Some(request.id.clone()));
    Ok(StreamableHttpPostResponse::Json(message, None))
}

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

const LEAST_LIMIT: Duration = Duration::from_secs(10);

/// Bytes of one answer that are taken in.
const LARGEST_ANSWER: usize = 4 * 1_024 * 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_lost_by_refusals_that_say_so_and_by_no_failure_of_a_tool() {
        for status in [400, 401, 404, 409] {
            assert!(is_refused(status, "No valid session ID provided"), "{status}");
        }
        assert!(!is_refused(400, "Invalid params") && !is_refused(500, "") && !is_refused(503, ""));
        assert!(is_about_session(-32000, "Bad Request: No valid session ID provided"));
        assert!(is_about_session(-32001, "Session not found"));
        assert!(is_about_session(-32000, "Bad Request: Server not initialized"));
        assert!(!is_about_session(-32000, "the booking failed half way"));
        assert!(!is_about_session(-32603, "no session with the database"));
    }
}
