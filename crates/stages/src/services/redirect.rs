//! Answers that send a request elsewhere.

use super::{Endpoint, ServiceError};
use hyper::header::LOCATION;
use hyper::{Method, Response, StatusCode, Uri};

/// Where to.
#[derive(Debug)]
pub(super) enum Redirect {
    /// To another path of the same service.
    Within(String),
    /// To another host, whom neither the key nor the words are for, or in a way that would change the request.
    Elsewhere(ServiceError),
}

/// What an answer to a request says of it; `None`: it sends nobody elsewhere.
pub(super) fn read<B>(at: &Endpoint, method: &Method, asked: &str, answer: &Response<B>) -> Option<Redirect> {
    let status = answer.status();
    let keeps = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let moves = matches!(status.as_u16(), 301..=303);
    if !keeps && !moves {
        return None;
    }
    let target = answer.headers().get(LOCATION)?.to_str().ok()?.trim();
    match within(at, asked, target) {
        Some(path) if keeps || method.is_safe() => Some(Redirect::Within(path)),
        _ => Some(Redirect::Elsewhere(refused(status, target))),
    }
}

impl Redirect {
    /// One was followed already.
    pub(super) fn refused(self, status: StatusCode) -> ServiceError {
        match self {
            Self::Within(path) => refused(status, &path),
            Self::Elsewhere(error) => error,
        }
    }
}

/// The target is named without its query, which may hold a key.
fn refused(status: StatusCode, target: &str) -> ServiceError {
    let target = target.split(['?', '#']).next().unwrap_or_default();
    let told = format!("it redirects to {}", crate::secret::masked_address(target));
    ServiceError::Status { status: status.as_u16(), message: super::error::own_words(told.as_bytes()) }
}

/// Path and query of the target, if it is the same service.
fn within(at: &Endpoint, asked: &str, target: &str) -> Option<String> {
    let target = target.split('#').next().unwrap_or_default();
    let asked = asked.split('?').next().unwrap_or_default();
    let path = if target.contains("://") || target.starts_with("//") {
        let scheme = if at.is_secure() { "https:" } else { "http:" };
        let whole = if target.starts_with("//") { format!("{scheme}{target}") } else { target.to_owned() };
        let other = Endpoint::parse(&whole).ok()?;
        let same = other.host().eq_ignore_ascii_case(at.host()) && other.port() == at.port();
        let uri: Uri = whole.parse().ok()?;
        (same && other.is_secure() == at.is_secure())
            .then(|| uri.path_and_query().map_or("/", |path| path.as_str()).to_owned())?
    } else if target.starts_with('/') {
        target.to_owned()
    } else if target.starts_with('?') {
        format!("{asked}{target}")
    } else {
        format!("{}/{target}", asked.rsplit_once('/').map_or("", |(folder, _)| folder))
    };
    path.parse::<Uri>().is_ok().then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(method: &Method, status: u16, target: &str) -> Option<Redirect> {
        let at = Endpoint::parse("http://shop.example:80/v1").unwrap();
        let answer = Response::builder().status(status).header(LOCATION, target).body(()).unwrap();
        read(&at, method, "/v1/orders?id=1", &answer)
    }

    #[test]
    fn a_redirect_within_the_host_is_followed_without_changing_the_request() {
        for (method, status, target, expected) in [
            (Method::POST, 307, "/v1/orders/", "/v1/orders/"),
            (Method::POST, 308, "http://SHOP.example/x?y=1#z", "/x?y=1"),
            (Method::POST, 308, "//shop.example", "/"),
            (Method::GET, 301, "other", "/v1/other"),
            (Method::GET, 302, "?id=2", "/v1/orders?id=2"),
        ] {
            let read = redirected(&method, status, target);
            assert!(matches!(&read, Some(Redirect::Within(path)) if path == expected), "{target}: {read:?}");
        }
    }

    #[test]
    fn others_are_named_with_their_target_and_without_its_query() {
        for (method, status, target) in [
            (Method::POST, 307, "http://other.example/orders?token=secret"),
            (Method::POST, 308, "https://shop.example/orders"),
            (Method::POST, 302, "/login?token=secret"),
            (Method::GET, 307, "http://shop.example:81/"),
        ] {
            let Some(Redirect::Elsewhere(error)) = redirected(&method, status, target) else {
                panic!("{target} is followed")
            };
            let (told, bare) = (error.to_string(), target.split('?').next().unwrap());
            assert_eq!(told, format!("status {status}: it redirects to {bare}"));
        }
        assert!(redirected(&Method::GET, 304, "/x").is_none());
    }
}
