use super::{ServiceError, SetupError};
use hyper::HeaderMap;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use hyper::http::uri::Scheme;
use hyper::{StatusCode, Uri};
use serde::Deserialize;
use std::fmt;

/// Where a service listens: `https://host/path`, `http://`, and `wss://` or `ws://` for sockets, `tcp://` for what is
/// neither.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Endpoint {
    host: String,
    port: u16,
    tls: bool,
    /// Without a slash at the end.
    path: String,
    query: Option<String>,
}

/// Not the address of a service. It does not repeat the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an address at all.
    #[error("is no address such as https://host/path")]
    NotAnAddress,
    /// Nothing that a service speaks.
    #[error("must begin with http://, https://, ws://, wss:// or tcp://")]
    Scheme,
    /// Passwords in addresses end up in logs.
    #[error("must not hold a user or a password: keys of services come from environment variables")]
    UserInfo,
}

impl Endpoint {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none of a service.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let uri: Uri = text.parse().map_err(|_| Self::refusal(text))?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(Self::refusal(text));
        };
        if authority.as_str().contains('@') {
            return Err(EndpointError::UserInfo);
        }
        let tls = is_secure(scheme).ok_or(EndpointError::Scheme)?;
        let port = match authority.as_str()[authority.host().len()..].trim_start_matches(':') {
            "" => {
                if tls {
                    443
                } else {
                    80
                }
            }
            port => port.parse().map_err(|_| Self::refusal(text))?,
        };
        let path = uri.path().trim_end_matches('/').to_owned();
        let query = uri.query().filter(|query| !query.is_empty()).map(str::to_owned);
        Ok(Self { host: authority.host().to_owned(), port, tls, path, query })
    }

    /// A password may keep an address from being read: then it is what is wrong.
    fn refusal(text: &str) -> EndpointError {
        if text.contains('@') { EndpointError::UserInfo } else { EndpointError::NotAnAddress }
    }

    /// The host's name, or its address in digits.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) const fn is_secure(&self) -> bool {
        self.tls
    }

    /// Path and query below the address, such as `/v1/chat/completions`; the address's own query comes first.
    pub fn below(&self, path: &str) -> String {
        let (path, more) = path.split_once('?').map_or((path, None), |(path, more)| (path, Some(more)));
        let mut whole = format!("{}{path}", self.path);
        if !whole.starts_with('/') {
            whole.insert(0, '/');
        }
        for (joint, query) in ['?', '&'].into_iter().zip(self.query.as_deref().into_iter().chain(more)) {
            whole.push(joint);
            whole += query;
        }
        whole
    }

    /// The value of a Host header: a port that goes without saying is not said, since servers compare names.
    pub(super) fn host_header(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual { self.host.clone() } else { self.authority() }
    }

    /// Host and port, as messages have them.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;

    fn try_from(text: String) -> Result<Self, EndpointError> {
        Self::parse(&text)
    }
}

fn is_secure(scheme: &Scheme) -> Option<bool> {
    match scheme.as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" | "tcp" => Some(false),
        _ => None,
    }
}

impl fmt::Debug for Endpoint {
    /// Queries may hold keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.path.is_empty() && self.query.is_none() { String::new() } else { self.below("") };
        write!(f, "{}{}", self.authority(), crate::secret::masked(&below))
    }
}

/// The key of a service; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key as the environment has it.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The value of a header that holds nothing but the key; `None` as below.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(self.0.trim()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The value of an Authorization header; `None` when the key has characters that a header must not have.
    pub(super) fn authorization(&self, scheme: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{scheme} {}", self.0.trim())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The header that a service takes its key in: `authorization` has it as `Bearer KEY`, any other the key alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct KeyHeader(HeaderName);

/// No header for a key. It does not repeat the text, which may be the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyHeaderError {
    /// Not a name at all.
    #[error("must be the name of a header, such as api-key")]
    NotAName,
    /// It has another meaning in each request.
    #[error("must be a header that requests do not have anyway, such as api-key")]
    Taken,
}

impl KeyHeader {
    /// This one, always.
    pub(super) const fn named(name: HeaderName) -> Self {
        Self(name)
    }

    /// What a request has of a key.
    pub(super) fn of(&self, key: Option<&ApiKey>, service: &Endpoint) -> Result<HeaderMap, SetupError> {
        self.behind("Bearer", key, service)
    }

    /// The same for a service whose `authorization` has another word before the key.
    pub(super) fn behind(
        &self,
        scheme: &str,
        key: Option<&ApiKey>,
        service: &Endpoint,
    ) -> Result<HeaderMap, SetupError> {
        let Some(key) = key else { return Ok(HeaderMap::new()) };
        let value = if self.0 == AUTHORIZATION { key.authorization(scheme) } else { key.header() };
        let value = value.ok_or_else(|| SetupError::Key { host: service.host().to_owned() })?;
        Ok([(self.0.clone(), value)].into_iter().collect())
    }
}

impl Default for KeyHeader {
    fn default() -> Self {
        Self(AUTHORIZATION)
    }
}

impl TryFrom<String> for KeyHeader {
    type Error = KeyHeaderError;

    fn try_from(text: String) -> Result<Self, KeyHeaderError> {
        let name = HeaderName::try_from(text.trim()).map_err(|_| KeyHeaderError::NotAName)?;
        let taken = TAKEN.contains(&name) || name.as_str().starts_with("sec-websocket-");
        if taken { Err(KeyHeaderError::Taken) } else { Ok(Self(name)) }
    }
}

/// Headers that say something else.
const TAKEN: [HeaderName; 8] =
    [ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING, UPGRADE, USER_AGENT];

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(..)")
    }
}

/// The error of a status; of an unknown key only that, since services show a part of it.
pub(super) fn refusal(status: StatusCode, body: &[u8]) -> ServiceError {
    let message = match status {
        StatusCode::UNAUTHORIZED => "the key is missing or was refused".to_owned(),
        StatusCode::FORBIDDEN if body.trim_ascii().is_empty() => {
            "the key is missing or was refused".to_owned()
        }
        // Why it is forbidden (a country, a model, a quota) is what helps.
        StatusCode::FORBIDDEN => crate::secret::masked(&super::error::own_words(body)).into_owned(),
        _ => super::error::own_words(body),
    };
    ServiceError::Status { status: status.as_u16(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_port_of_its_scheme() {
        for (text, authority, secure) in [
            ("https://api.example/v1", "api.example:443", true),
            ("http://127.0.0.1:8000/v1/", "127.0.0.1:8000", false),
            ("wss://api.example", "api.example:443", true),
            ("ws://[::1]:9/listen", "[::1]:9", false),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((endpoint.authority().as_str(), endpoint.is_secure()), (authority, secure), "{text}");
        }
        assert_eq!(Endpoint::parse("ws://[::1]:9").unwrap().host(), "::1");
    }

    #[test]
    fn paths_are_put_below_the_address() {
        let below = |text| Endpoint::parse(text).unwrap().below("/chat");
        assert_eq!(below("http://host/v1/"), "/v1/chat");
        assert_eq!(below("http://host"), "/chat");
        assert_eq!(Endpoint::parse("http://host").unwrap().below(""), "/");
        let azure = Endpoint::parse("https://h/openai/deployments/d/?api-version=1").unwrap();
        assert_eq!(azure.below("/chat"), "/openai/deployments/d/chat?api-version=1");
        assert_eq!(azure.below("/chat?a=b"), "/openai/deployments/d/chat?api-version=1&a=b");
        assert_eq!(Endpoint::parse("http://host?a=b").unwrap().below(""), "/?a=b");
    }

    #[test]
    fn a_usual_port_is_no_part_of_the_host_header() {
        for (text, expected) in [
            ("https://h", "h"),
            ("http://h:80/v1", "h"),
            ("http://h:443", "h:443"),
            ("https://[::1]", "[::1]"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().host_header(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_service_is_refused() {
        assert_eq!(Endpoint::parse("localhost:80"), Err(EndpointError::NotAnAddress));
        assert_eq!(Endpoint::parse("/v1"), Err(EndpointError::NotAnAddress));
        assert_eq!(Endpoint::parse("http://host:99999/"), Err(EndpointError::NotAnAddress));
        assert_eq!(Endpoint::parse("ftp://host/"), Err(EndpointError::Scheme));
        for text in [
            "https://me:secret@host/",
            "https://me:sec ret@host/",
            "https://me:sec/ret@host",
            "me:secret@host",
        ] {
            assert_eq!(Endpoint::parse(text), Err(EndpointError::UserInfo), "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_without_the_keys_in_its_query() {
        let endpoint = Endpoint::parse("https://host/v1?version=2&api-key=abc").unwrap();
        assert_eq!(format!("{endpoint:?}"), "host:443/v1?version=2&api-key=(hidden)");
    }

    #[test]
    fn a_key_goes_bare_into_a_header_of_its_own() {
        let (key, service) = (ApiKey::new("abc"), Endpoint::parse("https://h").unwrap());
        for (header, name, value) in
            [("authorization", "authorization", "Bearer abc"), ("API-Key", "api-key", "abc")]
        {
            let header = KeyHeader::try_from(header.to_owned()).unwrap();
            let headers = header.of(Some(&key), &service).unwrap();
            assert_eq!((headers.len(), headers[name].to_str().unwrap()), (1, value));
            assert!(headers[name].is_sensitive() && header.of(None, &service).unwrap().is_empty());
        }
    }

    #[test]
    fn a_scheme_stands_before_a_key_in_the_authorization_alone() {
        let (key, service) = (ApiKey::new("abc"), Endpoint::parse("https://h").unwrap());
        let value = |header: KeyHeader| {
            let headers = header.behind("Token", Some(&key), &service).unwrap();
            headers.values().next().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(value(KeyHeader::default()), "Token abc");
        assert_eq!(value(KeyHeader::named(HeaderName::from_static("x-api-key"))), "abc");
        let error = KeyHeader::default().behind("Token", Some(&ApiKey::new("a\nb")), &service).unwrap_err();
        assert_eq!(error.to_string(), "the key of h has characters that no header takes");
    }

    #[test]
    fn a_header_that_is_none_or_means_something_else_is_refused_without_being_repeated() {
        for (text, expected) in [
            ("", KeyHeaderError::NotAName),
            ("api key", KeyHeaderError::NotAName),
            ("api-key: abc", KeyHeaderError::NotAName),
            ("Host", KeyHeaderError::Taken),
            ("sec-websocket-key", KeyHeaderError::Taken),
        ] {
            assert_eq!(KeyHeader::try_from(text.to_owned()), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = ApiKey::new("sk-correct-horse");
        let header = key.authorization("Bearer").unwrap();
        assert!(!format!("{key:?} {header:?}").contains("horse"));
        let told = refusal(StatusCode::UNAUTHORIZED, b"{\"error\": \"Incorrect API key: sk-corr****rse\"}");
        assert_eq!(told.to_string(), "status 401: the key is missing or was refused");
        let told =
            refusal(StatusCode::FORBIDDEN, b"{\"error\": \"sk-correct-horse: country not supported\"}");
        assert_eq!(told.to_string(), "status 403: (hidden): country not supported");
    }
}
