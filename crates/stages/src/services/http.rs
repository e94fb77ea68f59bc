//! Requests to one service over HTTP/1.1.

use super::answer::{Answer, reason};
use super::connections::{Connection, KEEP, Pool};
use super::connector::Connector;
use super::endpoint::refusal;
use super::proxy::Proxy;
use super::redirect::{self, Redirect};
use super::{ApiKey, Endpoint, KeyHeader, Limits, Phase, ServiceError, SetupError};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// One service's client, shared by all calls.
#[derive(Clone, Debug)]
pub struct Http {
    pool: Pool,
    limits: Limits,
    headers: Arc<HeaderMap>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Post {
    /// Path and query.
    pub path: String,
    /// Of the body.
    pub content_type: HeaderValue,
    /// Content types of an answer.
    pub accept: HeaderValue,
    /// May be empty.
    pub body: Bytes,
    /// Bytes of an answer that are taken in.
    pub answer_limit: usize,
}

/// An answer whose head is here: it was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// 2xx.
    pub status: StatusCode,
    /// Of the answer.
    pub headers: HeaderMap,
    /// Its body.
    pub answer: Answer,
}

impl Http {
    /// The client of a service; handshakes are done on the present runtime.
    ///
    /// # Errors
    /// Connections cannot even be tried.
    pub fn new(endpoint: &Endpoint, key: Option<&ApiKey>, limits: Limits) -> Result<Self, SetupError> {
        Self::keyed(endpoint, key, &KeyHeader::default(), limits)
    }

    /// The same of one that takes its key in a header of its own.
    pub(super) fn keyed(
        endpoint: &Endpoint,
        key: Option<&ApiKey>,
        header: &KeyHeader,
        limits: Limits,
    ) -> Result<Self, SetupError> {
        Self::over(Connector::for_requests(endpoint, limits.connect)?, header.of(key, endpoint)?, limits)
    }

    fn over(connector: Connector, mut headers: HeaderMap, limits: Limits) -> Result<Self, SetupError> {
        let endpoint = connector.endpoint();
        let authority = HeaderValue::from_str(&endpoint.host_header());
        let host = authority.map_err(|_| SetupError::Name { host: endpoint.host().to_owned() })?;
        headers.insert(HOST, host);
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("ringway/", env!("CARGO_PKG_VERSION"))));
        if let Some(authorization) = connector.forwards().and_then(Proxy::authorization) {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        Ok(Self { pool: Pool::new(connector), limits, headers: Arc::new(headers) })
    }

    /// The same, with a header more in every request.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        Arc::make_mut(&mut self.headers).insert(name, value);
        self
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        self.pool.connector().endpoint()
    }

    /// Sets up a connection ahead of time; for the present media core.
    pub(crate) fn warm(&self) {
        self.pool.warm();
    }

    /// Asks for what lies at a path.
    pub(super) async fn get(self, path: String, answer_limit: usize) -> Result<Accepted, ServiceError> {
        let any = HeaderValue::from_static("*/*");
        let content_type = HeaderValue::from_static("text/plain");
        let nothing = Post { path, content_type, accept: any, body: Bytes::new(), answer_limit };
        self.send(Method::GET, nothing).await
    }

    /// Asks for words or audio and waits for the head of the answer.
    ///
    /// A connection that was used before may be closing while the request is under way: then it goes out again, though
    /// nobody knows what became of it. Made twice, an answer costs money; failed, it costs the caller seconds.
    pub(crate) async fn post(self, post: Post) -> Result<Accepted, ServiceError> {
        self.exchanged(Method::POST, post, true).await
    }

    /// Has something done, by any method: what may have been done, and must not be done twice, does not go out again.
    ///
    /// # Errors
    /// The service is not there, is late, or refuses.
    pub async fn send(self, method: Method, post: Post) -> Result<Accepted, ServiceError> {
        let again = method.is_idempotent();
        self.exchanged(method, post, again).await
    }

    /// It may be told once to ask elsewhere within the same host.
    async fn exchanged(self, method: Method, mut post: Post, again: bool) -> Result<Accepted, ServiceError> {
        let (response, connection) = self.asked(&method, &post, again).await?;
        let path = match redirect::read(self.endpoint(), &method, &post.path, &response) {
            Some(Redirect::Within(path)) => path,
            Some(Redirect::Elsewhere(error)) => return Err(error),
            None => return self.accept(response, connection, &post).await,
        };
        drop(connection);
        post.path = path;
        let (response, connection) = self.asked(&method, &post, again).await?;
        match redirect::read(self.endpoint(), &method, &post.path, &response) {
            Some(redirect) => Err(redirect.refused(response.status())),
            None => self.accept(response, connection, &post).await,
        }
    }

    async fn asked(
        &self,
        method: &Method,
        post: &Post,
        again: bool,
    ) -> Result<(Response<Incoming>, Connection), ServiceError> {
        let mut kept = self.pool.take(if again { KEEP } else { FRESH });
        loop {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => self.pool.dial().await?,
            };
            match self.exchange(&mut connection, method, post).await {
                Ok(response) => return Ok((response, connection)),
                Err(Failure::Gone(_)) if connection.used && again => {}
                Err(Failure::Unsent(_)) if connection.used => {}
                Err(Failure::Gone(error) | Failure::Unsent(error)) => {
                    return Err(ServiceError::cut(Phase::FirstByte, reason(&error)));
                }
                Err(Failure::Other(error)) => {
                    // Others that were kept as long are on the same lost way.
                    if connection.used && matches!(error, ServiceError::Late { .. }) {
                        self.pool.forget();
                    }
                    return Err(error);
                }
            }
        }
    }

    async fn exchange(
        &self,
        connection: &mut Connection,
        method: &Method,
        post: &Post,
    ) -> Result<Response<Incoming>, Failure> {
        let sender = &mut connection.sender;
        let exchange = async {
            sender.ready().await.map_err(Failure::Unsent)?;
            let sent = sender.try_send_request(self.request(method, post)).await;
            sent.map_err(|mut error| match error.take_message() {
                Some(_) => Failure::Unsent(error.into_error()),
                None => Failure::Gone(error.into_error()),
            })
        };
        let deadline = Instant::now() + self.limits.first_byte;
        match timeout_at(deadline, exchange).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(Failure::Gone(error))) if error.is_parse() => {
                Err(Failure::Other(ServiceError::malformed("head of the answer", reason(&error))))
            }
            Ok(Err(failure)) => Err(failure),
            Err(_) => {
                let late = ServiceError::Late { phase: Phase::FirstByte, limit: self.limits.first_byte };
                Err(Failure::Other(late))
            }
        }
    }

    fn request(&self, method: &Method, post: &Post) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(post.body.clone()));
        *request.method_mut() = method.clone();
        // Checked when the address was read.
        *request.uri_mut() = self.target(&post.path).parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        headers.insert(CONTENT_TYPE, post.content_type.clone());
        headers.insert(ACCEPT, post.accept.clone());
        headers.insert(CONTENT_LENGTH, post.body.len().into());
        request
    }

    /// What is asked for: of a proxy, by its whole address.
    fn target<'p>(&self, path: &'p str) -> Cow<'p, str> {
        match self.pool.connector().forwards() {
            Some(_) => format!("http://{}{path}", self.endpoint().host_header()).into(),
            None => path.into(),
        }
    }

    async fn accept(
        &self,
        response: Response<Incoming>,
        connection: Connection,
        post: &Post,
    ) -> Result<Accepted, ServiceError> {
        let (head, body) = response.into_parts();
        let limit = if head.status.is_success() { post.answer_limit } else { LARGEST_REFUSAL };
        let answer = Answer::new(body, self.pool.clone(), connection, self.limits.idle, limit);
        if head.status.is_success() {
            return Ok(Accepted { status: head.status, headers: head.headers, answer });
        }
        // A refusal counts whether or not its words arrive.
        let words = answer.whole().await.unwrap_or_default();
        Err(refusal(head.status, &words))
    }
}

enum Failure {
    /// The connection ended before the answer began.
    Gone(hyper::Error),
    /// The same, and nothing of the request had been written: it may go out again, whatever it does.
    Unsent(hyper::Error),
    Other(ServiceError),
}

/// What an answer says it is, for messages.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("no content type")
}

/// Bytes of a refusal's words that are read.
const LARGEST_REFUSAL: usize = 16 * 1_024;

/// How long a connection may have waited that carries what must not be done twice: services that close theirs wait
/// longer.
const FRESH: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
