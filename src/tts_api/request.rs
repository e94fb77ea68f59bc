use super::error::TtsApiError;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use serde::Deserialize;

/// What is to be said, and how.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Wish {
    /// What is said.
    pub text: String,
    /// By whom; without a name, and by the name `default`, the first voice.
    #[serde(default)]
    pub voice: Option<String>,
    /// How many times as fast as the voice is configured.
    #[serde(default = "usual")]
    pub speed: f64,
    /// Whether what was made before will do.
    #[serde(default = "yes")]
    pub cache: bool,
}

fn usual() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

/// The wish in an object of JSON.
pub async fn read_json(request: Request) -> Result<Wish, TtsApiError> {
    let body = read(request, "application/json").await?;
    serde_json::from_slice(&body).map_err(|error| TtsApiError::BadRequest(error.to_string()))
}

/// The wish in a form, whose text may be called a phrase.
pub async fn read_form(request: Request) -> Result<Wish, TtsApiError> {
    let body = read(request, "application/x-www-form-urlencoded").await?;
    let mut wish = Wish { text: String::new(), voice: None, speed: usual(), cache: yes() };
    let mut said = false;
    for (name, value) in form_urlencoded::parse(&body) {
        match &*name {
            "text" | "phrase" => {
                wish.text = value.into_owned();
                said = true;
            }
            "voice" => wish.voice = Some(value.into_owned()),
            "speed" => wish.speed = number(&value)?,
            "cache" => wish.cache = flag(&value)?,
            _ => {}
        }
    }
    let missing = || TtsApiError::BadRequest("the form has no field text or phrase".to_owned());
    if said { Ok(wish) } else { Err(missing()) }
}

fn number(text: &str) -> Result<f64, TtsApiError> {
    text.trim().parse().map_err(|_| TtsApiError::BadRequest(format!("speed: {text:?} is no number")))
}

fn flag(text: &str) -> Result<bool, TtsApiError> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(TtsApiError::BadRequest(format!("cache: {text:?} is neither true nor false"))),
    }
}

async fn read(request: Request, wanted: &str) -> Result<Bytes, TtsApiError> {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(wanted) {
        return Err(TtsApiError::BadRequest(format!("the content type is to be {wanted}, not {given:?}")));
    }
    let refused = |error: axum::Error| TtsApiError::BadRequest(error.to_string());
    to_bytes(request.into_body(), LONGEST_BODY).await.map_err(refused)
}

/// Bytes of a request: more than the longest text can be, as JSON may write it.
pub const LONGEST_BODY: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn post(kind: &str, body: &str) -> Request {
        Request::post("/").header(CONTENT_TYPE, kind).body(Body::from(body.to_owned())).expect("a request")
    }

    #[tokio::test]
    async fn what_is_left_out_has_its_default() {
        let wish = Wish { text: "Hi".into(), voice: None, speed: 1.0, cache: true };
        let json = |body| read_json(post("application/json; charset=utf-8", body));
        assert_eq!(json(r#"{"text":"Hi"}"#).await.ok(), Some(wish.clone()));
        assert_eq!(json(r#"{"text":"Hi","voice":null,"speed":1,"more":2}"#).await.ok(), Some(wish.clone()));
        let form = |body| read_form(post("application/x-www-form-urlencoded", body));
        assert_eq!(form("phrase=Hi").await.ok(), Some(wish));
        let all = Wish { text: "a b".into(), voice: Some("amy".into()), speed: 0.9, cache: false };
        assert_eq!(form("text=a+b&voice=amy&speed=0.9&cache=False").await.ok(), Some(all));
    }

    #[tokio::test]
    async fn what_is_wrong_is_told() {
        let told = |wish: Result<Wish, TtsApiError>| wish.expect_err("it is wrong").to_string();
        let json = |body| read_json(post("application/json", body));
        assert!(told(json("Hi").await).starts_with("expected value"));
        assert!(told(json("{}").await).starts_with("missing field `text`"));
        assert!(told(json(r#"{"text":"Hi","speed":"fast"}"#).await).contains("\"fast\", expected f64"));
        assert!(
            told(read_json(post("text/plain", "{}")).await).contains("application/json, not \"text/plain\"")
        );
        let form = |body| read_form(post("application/x-www-form-urlencoded", body));
        assert!(told(form("voice=amy").await).contains("no field text"));
        assert!(told(form("text=a&speed=fast").await).starts_with("speed: \"fast\""));
        assert!(told(form("text=a&cache=maybe").await).starts_with("cache: \"maybe\""));
    }
}
