use super::config::HttpDeclaration;
use super::signature::{Signing, sign};
use super::template::{Template, encoded, plain};
use super::{Answer, Arguments, Calling, Reach, Tool, ToolError};
use hyper::Method;
use hyper::header::HeaderValue;
use ringway_stages::services::{Http, Limits, Post, ServiceError, SetupError};
use ringway_stages::tool_use::Slots;
use serde_json::Value;
use std::sync::Arc;

/// A request that a model may have sent.
#[derive(Clone, Debug)]
pub(super) struct HttpTool {
    http: Http,
    method: Method,
    path: Template,
    signing: Option<Arc<Signing>>,
    answer_limit: usize,
}

impl HttpTool {
    /// Connections are set up on the present runtime.
    pub(super) fn new(declaration: HttpDeclaration) -> Result<Self, SetupError> {
        let limit = declaration.manner.timeout;
        let limits = Limits { connect: limit, first_byte: limit, idle: limit };
        let mut http = Http::new(&declaration.host, None, limits)?;
        for (name, value) in declaration.headers {
            http = http.with(name, value);
        }
        let HttpDeclaration { method, path, signing, answer_limit, .. } = declaration;
        Ok(Self { http, method, path, signing: signing.map(Arc::new), answer_limit })
    }

    /// What the address does not take goes into the body, or behind the question mark where there is none.
    fn post(&self, mut arguments: Arguments, slots: &Slots) -> Result<Post, ToolError> {
        let mut path = self.path.fill(&mut arguments, slots)?;
        let bodied = matches!(self.method, Method::POST | Method::PUT | Method::PATCH);
        let body = if bodied { Value::Object(arguments).to_string() } else { ask(&mut path, &arguments)? };
        Ok(Post {
            path,
            content_type: HeaderValue::from_static("application/json"),
            accept: HeaderValue::from_static("application/json, text/*"),
            body: body.into(),
            answer_limit: self.answer_limit,
        })
    }

    fn signed(&self, post: &Post, seconds: i64) -> Http {
        let Some(signing) = &self.signing else { return self.http.clone() };
        let signed = if post.body.is_empty() { post.path.as_bytes() } else { &post.body };
        let header = |text: String| HeaderValue::from_str(&text).expect("digits");
        let http = self.http.clone().with(signing.timestamp.clone(), header(seconds.to_string()));
        http.with(signing.signature.clone(), header(sign(&signing.secret, seconds, signed)))
    }
}

impl Tool for HttpTool {
    fn reach(&self) -> Reach {
        if self.method.is_safe() { Reach::Asks } else { Reach::Acts }
    }

    fn call(&self, arguments: Arguments, slots: Slots) -> Calling {
        let tool = self.clone();
        Box::pin(async move {
            let post = tool.post(arguments, &slots)?;
            let http = tool.signed(&post, jiff::Timestamp::now().as_second());
            let accepted = http.send(tool.method, post).await?;
            let body = accepted.answer.whole().await?;
            let text = String::from_utf8(body);
            let text = text.map_err(|error| ServiceError::malformed("answer", error.utf8_error()))?;
            Ok(Answer::text(if text.trim().is_empty() { "Done." } else { text.trim() }))
        })
    }
}

/// Arguments behind the question mark.
fn ask(path: &mut String, arguments: &Arguments) -> Result<String, ToolError> {
    for (name, value) in arguments {
        path.push(if path.contains('?') { '&' } else { '?' });
        *path += &format!("{}={}", encoded(name)?, encoded(&plain(value))?);
    }
    Ok(String::new())
}
