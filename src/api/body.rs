//! Bodies of requests: read whole before anybody looks at them, within a bound and in time.

use super::ApiError;
use crate::open_connections::Connection;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// How long a client may take for the whole body.
const WITHIN: Duration = Duration::from_secs(10);

/// Bytes of a body; what carriers and clients of the API send has a few KiB.
pub const LONGEST: usize = 64 * 1024;

/// Reads the body of at most `longest` bytes.
pub async fn read(longest: usize, request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Connection>().cloned().unwrap_or_default();
    let request = match whole(longest, request).await {
        Ok(request) => request,
        Err(error) => {
            let mut response = error.into_response();
            // Where the next request would begin is not known.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
    };
    connection.set_busy(true);
    next.run(request).await
}

async fn whole(longest: usize, request: Request) -> Result<Request, ApiError> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let told = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if told.is_some_and(|length: u64| length > longest as u64) {
        return Err(ApiError::LongBody { longest });
    }
    let (head, body) = request.into_parts();
    let read = tokio::time::timeout(WITHIN, to_bytes(body, longest)).await.map_err(|_| ApiError::SlowBody)?;
    let bytes = read.map_err(|_| ApiError::LongBody { longest })?;
    Ok(Request::from_parts(head, Body::from(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use futures_util::stream;
    use std::convert::Infallible;

    fn request(body: Body) -> Request {
        Request::post("/").body(body).unwrap()
    }

    fn drops(every: Duration) -> Body {
        Body::from_stream(stream::unfold((), move |()| async move {
            let _ = tokio::time::timeout(every, std::future::pending::<()>()).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"a")), ()))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up() {
        for every in [Duration::from_secs(3), Duration::from_secs(3_600)] {
            let began = tokio::time::Instant::now();
            assert!(matches!(whole(LONGEST, request(drops(every))).await, Err(ApiError::SlowBody)));
            assert_eq!(began.elapsed(), WITHIN);
        }
    }

    #[tokio::test]
    async fn a_body_that_is_too_long_is_refused_whatever_it_says_of_itself() {
        assert!(matches!(
            whole(3, request(Body::from("four"))).await,
            Err(ApiError::LongBody { longest: 3 })
        ));
        let mut told = request(drops(Duration::from_secs(3_600)));
        told.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("4"));
        assert!(matches!(whole(3, told).await, Err(ApiError::LongBody { longest: 3 })));
        let read = whole(4, request(Body::from("four"))).await.unwrap();
        assert_eq!(to_bytes(read.into_body(), 4).await.unwrap(), "four");
    }
}
