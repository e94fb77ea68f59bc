//! Which pages may open a browser socket.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whether a request comes from a page that may connect: our own, one that is configured, or no page at all (a program
/// is not tricked into connecting; a browser always says where its page is from).
pub fn permitted(headers: &HeaderMap, allowed: &[String]) -> Result<(), String> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    if own || allowed.iter().any(|allowed| allowed.trim_end_matches('/') == origin) {
        Ok(())
    } else {
        Err(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(origin: &'static str, host: &'static str) -> HeaderMap {
        HeaderMap::from_iter([
            (ORIGIN, HeaderValue::from_static(origin)),
            (HOST, HeaderValue::from_static(host)),
        ])
    }

    #[test]
    fn a_page_of_another_site_may_not_connect() {
        let own = headers("http://127.0.0.1:3000", "127.0.0.1:3000");
        let foreign = headers("https://evil.example", "127.0.0.1:3000");
        assert_eq!(permitted(&own, &[]), Ok(()));
        assert_eq!(permitted(&foreign, &[]), Err("https://evil.example".to_owned()));
        assert_eq!(permitted(&foreign, &["https://evil.example/".to_owned()]), Ok(()));
        assert!(permitted(&headers("null", "127.0.0.1:3000"), &[]).is_err());
        assert!(permitted(&headers("http://127.0.0.1:3000.evil.example", "127.0.0.1:3000"), &[]).is_err());
    }

    #[test]
    fn a_program_has_no_origin() {
        assert_eq!(permitted(&HeaderMap::new(), &[]), Ok(()));
    }
}
