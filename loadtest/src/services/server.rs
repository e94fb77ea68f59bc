use super::mocks::Mocks;
use super::paced::CloseUnanswered;
use super::stats::Stats;
use super::wyoming;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// How long after a failed `accept`, for want of file descriptors most likely, the next is tried.
const BREATHER: Duration = Duration::from_millis(50);

/// Accepts connections until it is dropped.
pub async fn accept(listener: TcpListener, mocks: Arc<Mocks>) -> Infallible {
    let routes = mocks.router();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // A socket that cannot be tuned serves as well, only later.
                let _ = stream.set_nodelay(true);
                tokio::spawn(either(stream, mocks.clone(), routes.clone()));
            }
            Err(error) => {
                eprintln!("ringway-load: cannot accept: {error}");
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

/// Serves one connection as its first byte wants it: events of Wyoming are JSON, requests of HTTP begin with a method.
async fn either(stream: TcpStream, mocks: Arc<Mocks>, routes: Router) {
    let mut first = [0];
    // One that ends before it begins is HTTP's to count.
    match stream.peek(&mut first).await {
        Ok(1) if first == *b"{" => wyoming::serve(stream, mocks).await,
        _ => connection(stream, mocks.stats.clone(), routes).await,
    }
}

/// Serves one connection to its end.
pub async fn connection<S>(stream: S, stats: Arc<Stats>, routes: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    stats.connected();
    let service = Answering(TowerToHyperService::new(routes));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // Failures that were asked for end here, and clients that are gone.
    let _ = served.await;
}

/// Lets a response close the connection in its place.
#[derive(Debug)]
struct Answering(TowerToHyperService<Router>);

/// The connection is to be closed without an answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("refused, as was asked for")]
struct Refused;

impl Service<Request<Incoming>> for Answering {
    type Response = Response<Body>;
    type Error = Refused;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Refused>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            let response = answer.await.unwrap_or_else(|never| match never {});
            match response.extensions().get::<CloseUnanswered>() {
                Some(_) => Err(Refused),
                None => Ok(response),
            }
        })
    }
}
