use crate::services::ServiceError;
use crate::services::lenient;
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;

/// What the server says.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// The first: whether it takes samples as they are.
    Config { takes_pcm: bool },
    /// All that it knows.
    Snapshot(Update),
    /// What has changed.
    Diff { update: Update, pruned: usize, lines: usize },
    /// All of the stream was looked at, and it is over.
    ReadyToStop,
    /// What is not known here.
    Other,
}

/// What is understood of the stream.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Update {
    /// Lines of words that stand, or the new ones of them.
    pub(super) lines: Vec<String>,
    /// Words that may change.
    pub(super) guess: String,
    /// How much of the audio it has and has not looked at; older servers do not tell.
    pub(super) behind: Option<Duration>,
}

/// Reads a message.
pub(super) fn read(text: &str) -> Result<Message, ServiceError> {
    let raw: Raw<'_> =
        serde_json::from_str(text).map_err(|error| ServiceError::malformed("message", error))?;
    if let Some(said) = raw.failure() {
        return Err(ServiceError::Failed { message: said });
    }
    Ok(match raw.kind.as_deref() {
        Some("config") => Message::Config { takes_pcm: raw.takes_pcm },
        Some("ready_to_stop") => Message::ReadyToStop,
        Some("diff") => {
            let (pruned, lines) = (raw.lines_pruned, raw.n_lines);
            Message::Diff { update: raw.update(), pruned, lines }
        }
        Some("snapshot") | None => Message::Snapshot(raw.update()),
        Some(_) => Message::Other,
    })
}

#[derive(Deserialize)]
struct Raw<'m> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'m, str>>,
    #[serde(rename = "useAudioWorklet", default, deserialize_with = "lenient::or_default")]
    takes_pcm: bool,
    #[serde(borrow, default)]
    status: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    error: Option<Cow<'m, str>>,
    #[serde(borrow, default, deserialize_with = "lenient::or_default")]
    lines: Vec<Line<'m>>,
    #[serde(borrow, default, deserialize_with = "lenient::or_default")]
    new_lines: Vec<Line<'m>>,
    #[serde(default, deserialize_with = "lenient::or_default")]
    n_lines: usize,
    #[serde(default, deserialize_with = "lenient::or_default")]
    lines_pruned: usize,
    #[serde(borrow, default)]
    buffer_diarization: Option<Cow<'m, str>>,
    #[serde(borrow, default)]
    buffer_transcription: Option<Cow<'m, str>>,
    #[serde(rename = "remaining_time_transcription_processing", default)]
    behind: Option<f64>,
}

/// Silence is a line without text.
#[derive(Deserialize)]
struct Line<'m> {
    #[serde(borrow, default)]
    text: Option<Cow<'m, str>>,
}

impl Raw<'_> {
    fn failure(&self) -> Option<String> {
        let failed = self.status.as_deref() == Some("error") || self.kind.as_deref() == Some("error");
        let said = self.error.as_deref().filter(|error| !error.is_empty());
        (failed || said.is_some())
            .then(|| crate::services::error::own_words(said.unwrap_or_default().as_bytes()))
    }

    fn update(self) -> Update {
        let lines = if self.lines.is_empty() { self.new_lines } else { self.lines };
        let lines = lines.into_iter().map(|line| line.text.unwrap_or_default().into_owned()).collect();
        let mut guess = self.buffer_diarization.unwrap_or_default().into_owned();
        guess.push_str(&self.buffer_transcription.unwrap_or_default());
        let behind = self.behind.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Update { lines, guess, behind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_state_is_read_with_its_guess() {
        let text = r#"{"status":"active_transcription","lines":[
            {"speaker":1,"text":" the quick","start":"0:00:00.00","end":"0:00:01.00"},
            {"speaker":-2,"text":null,"start":"0:00:01.00","end":"0:00:07.00"}],
            "buffer_transcription":" brown","buffer_diarization":"","buffer_translation":"",
            "remaining_time_transcription":0.3,"remaining_time_transcription_processing":0.2}"#;
        let update = Update {
            lines: vec![" the quick".into(), String::new()],
            guess: " brown".into(),
            behind: Some(Duration::from_millis(200)),
        };
        assert_eq!(read(text).unwrap(), Message::Snapshot(update));
    }

    #[test]
    fn changes_tell_what_they_change() {
        let text = r#"{"type":"diff","seq":3,"status":"active_transcription","n_lines":1,"lines_pruned":1,
            "new_lines":[{"speaker":1,"text":" the quick brown","start":"0:00:00.00","end":"0:00:01.50"}],
            "buffer_transcription":"","buffer_diarization":""}"#;
        let update = Update { lines: vec![" the quick brown".into()], ..Update::default() };
        assert_eq!(read(text).unwrap(), Message::Diff { update, pruned: 1, lines: 1 });
        let bare = r#"{"type":"diff","n_lines":null,"lines_pruned":null,"new_lines":null,"lines":null}"#;
        let update = Update::default();
        assert_eq!(read(bare).unwrap(), Message::Diff { update, pruned: 0, lines: 0 });
    }

    #[test]
    fn the_first_and_the_last_message_are_known() {
        let config = r#"{"type":"config","useAudioWorklet":true,"mode":"full"}"#;
        assert_eq!(read(config).unwrap(), Message::Config { takes_pcm: true });
        assert_eq!(read(r#"{"type":"ready_to_stop"}"#).unwrap(), Message::ReadyToStop);
        assert_eq!(read(r#"{"type":"later"}"#).unwrap(), Message::Other);
    }

    #[test]
    fn the_servers_own_errors_and_garbage_are_told() {
        for (text, expected) in [
            (r#"{"type":"error","error":"no such language"}"#, "failed inside its answer: no such language"),
            (
                r#"{"status":"error","error":"FFmpeg error: not_found","lines":[]}"#,
                "failed inside its answer: FFmpeg error: not_found",
            ),
            (r#"{"status":"error"}"#, "failed inside its answer: without a word of why"),
            ("oops", "malformed message: expected value at line 1 column 1"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected);
        }
    }
}
