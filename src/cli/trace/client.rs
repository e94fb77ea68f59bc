use crate::cli::talk::connection::{self, ConnectError};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, InvalidHeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use ringway_frame::OneLine;
use ringway_stages::secret::{self, SecretError};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How long the server has to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// Why the server does not tell.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Not an address of a server.
    #[error("{0:?} is not an address such as http://127.0.0.1:3000")]
    Url(String),
    /// Nobody is there.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// It wants a token and was given none.
    #[error("{0} asks for a token: give --token, or set RINGWAY_ADMIN_TOKEN")]
    NoToken(String),
    /// It does not know the token.
    #[error("{0} does not know this token")]
    WrongToken(String),
    /// No header can hold the token.
    #[error("the token: {0}")]
    BadToken(#[from] InvalidHeaderValue),
    /// It cannot be what was meant.
    #[error("the token {0}")]
    NoSecret(#[from] SecretError),
    /// It says no; in its own words.
    #[error("{address}: {message}")]
    Refused {
        /// Who.
        address: String,
        /// Why.
        message: String,
    },
    /// It breaks off, or speaks something else.
    #[error("{address}: {error}")]
    Broken {
        /// Who.
        address: String,
        /// How.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It takes the question and says nothing.
    #[error("{0} does not answer")]
    Silent(String),
}

/// A server that is asked one question.
#[derive(Debug)]
pub struct Server {
    host: String,
    port: u16,
    tls: bool,
    token: Option<String>,
    insecure: bool,
}

impl Server {
    /// The server at this `http://` or `https://` address.
    ///
    /// # Errors
    /// It is none.
    pub fn new(url: &str, token: Option<&str>, insecure: bool) -> Result<Self, AskError> {
        let malformed = || AskError::Url(secret::masked_address(url).into_owned());
        let uri: Uri = url.parse().map_err(|_| malformed())?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(malformed()),
        };
        let host = uri.host().ok_or_else(malformed)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let token = secret::read(token.unwrap_or_default())?.map(str::to_owned);
        Ok(Self { host, port, tls, token, insecure })
    }

    /// Asks for what is at `path`.
    ///
    /// # Errors
    /// Nobody is there, or the server does not tell.
    pub async fn get(&self, path: &str) -> Result<String, AskError> {
        let stream = connection::reach(&self.host, self.port, self.tls, self.insecure).await?;
        let asked = timeout(ANSWER_WITHIN, self.ask(stream, path)).await;
        asked.unwrap_or_else(|_elapsed| Err(AskError::Silent(self.address())))
    }

    async fn ask(&self, stream: Box<dyn connection::Io>, path: &str) -> Result<String, AskError> {
        let request = self.request(path)?;
        let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| self.broken(error))?;
        let answered = async {
            let response = sender.send_request(request).await.map_err(|error| self.broken(error))?;
            self.read(response).await
        };
        tokio::pin!(answered);
        // The connection makes the request go; what it dies of the request tells.
        tokio::select! {
            biased;
            answer = &mut answered => answer,
            _ = connection => answered.await,
        }
    }

    fn request(&self, path: &str) -> Result<Request<Empty<Bytes>>, AskError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = path.parse().map_err(|_| AskError::Url(path.to_owned()))?;
        request.headers_mut().insert(HOST, HeaderValue::from_str(&self.address())?);
        if let Some(token) = &self.token {
            request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}"))?);
        }
        Ok(request)
    }

    async fn read(&self, response: Response<Incoming>) -> Result<String, AskError> {
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        let bytes = body.map_err(|error| AskError::Broken { address: self.address(), error })?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match status {
            StatusCode::OK => Ok(text),
            StatusCode::UNAUTHORIZED if self.token.is_none() => Err(AskError::NoToken(self.address())),
            StatusCode::UNAUTHORIZED => Err(AskError::WrongToken(self.address())),
            status => Err(AskError::Refused { address: self.address(), message: message(status, &text) }),
        }
    }

    fn address(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}", self.port)
    }

    fn broken(&self, error: hyper::Error) -> AskError {
        AskError::Broken { address: self.address(), error: error.into() }
    }
}

/// What the error object says, or the status when there is none.
fn message(status: StatusCode, body: &str) -> String {
    let object: Option<Value> = serde_json::from_str(body).ok();
    let message = object.as_ref().and_then(|object| object["message"].as_str());
    message.map_or_else(|| format!("HTTP {status}"), |message| OneLine(message).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_with_a_scheme() {
        let server = Server::new("https://[::1]:3443/anything", Some(""), false).unwrap();
        assert_eq!((server.address().as_str(), server.tls, server.token), ("[::1]:3443", true, None));
        for wrong in ["127.0.0.1:3000", "ws://127.0.0.1", "", "http://"] {
            assert!(matches!(Server::new(wrong, None, false), Err(AskError::Url(url)) if url == wrong));
        }
    }

    #[test]
    fn an_error_is_told_in_the_words_of_the_server() {
        assert_eq!(message(StatusCode::NOT_FOUND, r#"{"message":"no such call"}"#), "no such call");
        assert_eq!(message(StatusCode::BAD_GATEWAY, "<html>"), "HTTP 502 Bad Gateway");
    }
}
