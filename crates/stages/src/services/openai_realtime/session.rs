use super::audio::{Download, Upload};
use super::message::{self, Failure, Message};
use super::{NAME, OpenAiRealtime, TurnDetection};
use crate::alarm::Alarm;
use crate::llm::{Called, Cue, Role, Said, ToolCall, ToolSpec};
use crate::services::socket::Socket;
use crate::services::{Phase, ServiceError};
use crate::speech_to_speech::{Hearing, Remark, SpeechCall, SpeechError, SpeechEvent, SpeechSession, Wanted};
use ringway_frame::{Format, Frame};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite;

/// One call's conversation with the model.
pub(super) struct Session {
    service: OpenAiRealtime,
    format: Format,
    tools: Arc<[ToolSpec]>,
    socket: Socket,
    opened: Instant,
    /// The service knows nothing of what was said before.
    fresh: bool,
    /// It has taken what the session is to be.
    accepted: bool,
    upload: Upload,
    download: Download,
    /// Audio was sent that is no item yet.
    appended: bool,
    turns: Turns,
    answer: Option<Answer>,
    /// Items of the running answer, or of the last one, with the bytes of audio that have come of each.
    spoken: Vec<(String, u64)>,
    /// An answer that the service still works on, and has not been told the end of.
    busy: bool,
    alarm: Alarm,
    events: VecDeque<SpeechEvent>,
    /// Losses of the socket since the last answer.
    losses: u32,
}

/// Turns of the caller's whose words are still to come.
#[derive(Debug, Default)]
struct Turns {
    turns: VecDeque<Heard>,
    /// Items that the service made by itself, before we found the turn over.
    unclaimed: VecDeque<String>,
}

#[derive(Debug)]
struct Heard {
    turn: u32,
    item: Option<String>,
    text: String,
}

/// The running answer.
struct Answer {
    id: u32,
    /// What asks for it, while the one before it is still being stopped.
    request: Option<String>,
    response: Option<String>,
    /// It waits for what comes of its calls.
    calls: bool,
    complete: bool,
    /// Since when nothing has come.
    since: Instant,
    begun: bool,
}

impl Session {
    pub(super) fn new(service: OpenAiRealtime, call: SpeechCall) -> Self {
        let SpeechCall { format, tools, .. } = call;
        let socket = Socket::open(service.plan());
        let mut session = Self {
            service,
            format,
            tools,
            socket,
            opened: Instant::now(),
            fresh: true,
            accepted: false,
            upload: Upload::new(format),
            download: Download::new(format),
            appended: false,
            turns: Turns::default(),
            answer: None,
            spoken: Vec::new(),
            busy: false,
            alarm: Alarm::default(),
            events: VecDeque::new(),
            losses: 0,
        };
        session.begin();
        session
    }

    fn say(&mut self, message: String) {
        self.socket.send(tungstenite::Message::text(message));
    }

    fn append(&mut self, message: Option<String>) {
        if let Some(message) = message {
            self.appended = !self.decides();
            self.say(message);
        }
    }

    fn decides(&self) -> bool {
        self.service.config.turn_detection != TurnDetection::Own
    }

    fn take(&mut self, text: &str) -> Result<(), ServiceError> {
        let message = message::read(text)?;
        self.accepted |=
            matches!(message, Message::Updated | Message::Created { .. } | Message::Committed { .. });
        match message {
            Message::SpeechStarted => self.events.push_back(SpeechEvent::Started),
            Message::SpeechStopped => self.events.push_back(SpeechEvent::Stopped),
            Message::Committed { item } => self.turns.committed(item),
            Message::Heard { item, delta } => self.events.extend(self.turns.more(&item, &delta)),
            Message::Transcript { item, text } => self.events.extend(self.turns.told(&item, &text)),
            Message::Created { response } => self.created(response),
            Message::Audio { response, item, delta } => self.audio(&response, item, &delta)?,
            Message::Text { response, delta } => self.text(&response, &delta),
            Message::Done { response, failure, calls } => self.done(&response, failure, calls)?,
            Message::Error(failure) => self.failed(failure)?,
            Message::Updated | Message::Other => {}
        }
        Ok(())
    }

    fn created(&mut self, response: String) {
        if let Some(answer) = self.answer.as_mut().filter(|answer| answer.request.is_none()) {
            answer.response.get_or_insert(response);
        }
    }

    fn audio(&mut self, response: &str, item: String, delta: &str) -> Result<(), ServiceError> {
        let Some(answer) = running(&mut self.answer, response) else { return Ok(()) };
        let bytes = self.download.take(delta)?;
        answer.since = Instant::now();
        answer.begun = true;
        match self.spoken.last_mut() {
            Some((last, sum)) if *last == item => *sum += bytes,
            _ => self.spoken.push((item, bytes)),
        }
        Ok(())
    }

    fn text(&mut self, response: &str, delta: &str) {
        if let Some(answer) = running(&mut self.answer, response) {
            answer.since = Instant::now();
            let (id, text) = (answer.id, delta.to_owned());
            self.events.push_back(SpeechEvent::Text { id, text });
        }
    }

    fn done(
        &mut self,
        response: &str,
        failure: Option<String>,
        calls: Vec<ToolCall>,
    ) -> Result<(), ServiceError> {
        self.busy = false;
        if let Some(answer) = running(&mut self.answer, response) {
            if let Some(message) = failure {
                return Err(ServiceError::Failed { message });
            }
            self.losses = 0;
            (answer.calls, answer.complete) = (!calls.is_empty(), calls.is_empty());
            if answer.calls {
                self.events.push_back(SpeechEvent::Calls { id: answer.id, calls });
            } else {
                self.download.finish();
            }
        }
        self.ask();
        Ok(())
    }

    fn failed(&mut self, failure: Failure) -> Result<(), ServiceError> {
        if failure.is_harmless() {
            return Ok(());
        }
        if failure.is_empty_commit() {
            self.events.extend(self.turns.empty());
            return Ok(());
        }
        if failure.is_expiry() && self.is_idle() {
            self.renew();
            return Ok(());
        }
        if failure.is_about_a_message() && self.accepted && !self.awaits_an_answer() {
            // Not all servers tell which message they refuse.
            tracing::debug!(error = failure.words(), "the all-in-one service refused a message");
            return Ok(());
        }
        Err(failure.into())
    }

    /// An answer was asked for that has not begun.
    fn awaits_an_answer(&self) -> bool {
        let awaits = |answer: &Answer| {
            answer.request.is_none() && answer.response.is_none() && !answer.calls && !answer.complete
        };
        self.answer.as_ref().is_some_and(awaits)
    }

    /// Asks for the answer that waits, once the one before it is over.
    fn ask(&mut self) {
        let request = self.answer.as_mut().filter(|_| !self.busy).and_then(|answer| {
            answer.since = Instant::now();
            answer.request.take()
        });
        if let Some(request) = request {
            self.busy = true;
            self.say(request);
        }
    }

    /// Nobody speaks, and nothing is waited for.
    fn is_idle(&self) -> bool {
        self.answer.is_none() && !self.busy && !self.appended && self.turns.turns.is_empty()
    }

    /// Another connection takes the place of this one; it is told what was said with the next answer.
    fn renew(&mut self) {
        self.socket = Socket::open(self.service.plan());
        self.begin();
    }

    /// The first that the service is told on a socket.
    fn begin(&mut self) {
        self.say(message::update(&self.service.config, self.format, &self.tools));
        self.opened = Instant::now();
        (self.fresh, self.accepted) = (true, false);
        self.turns = Turns::default();
        self.spoken.clear();
        self.upload.forget();
    }

    /// What a loss means: the end, or nothing but the time to connect again.
    fn lose(&mut self, error: ServiceError) -> Result<(), SpeechError> {
        let cut =
            matches!(error, ServiceError::Cut { phase: Phase::Answer, .. } | ServiceError::Closed { .. });
        if !cut || !self.is_idle() || self.losses >= MOST_LOSSES {
            return Err(failure(error));
        }
        self.losses += 1;
        tracing::info!(%error, "the all-in-one service is connected again");
        self.socket.rest();
        self.begin();
        Ok(())
    }

    fn tell_history(&mut self, history: &[Said], remarks: &[Remark]) {
        let fresh = std::mem::take(&mut self.fresh);
        if fresh {
            // The audio of the turn that is answered may be there already: each goes before all others.
            for said in history.iter().rev() {
                self.say(message::item(said, true));
            }
        }
        for remark in remarks.iter().filter(|remark| fresh || !remark.told) {
            self.say(message::remark(&remark.text));
        }
    }

    /// What is asked for, once the service knows what the caller did.
    fn request(&mut self, cue: Cue, already: &str) -> String {
        let system = &self.service.config.system;
        let with = |task: &str| Some(format!("{system}\n\n{task}"));
        let greeting = self.service.config.greeting.trim();
        let instructions = match &cue {
            Cue::Joined if greeting.is_empty() => with("The caller has just come on the line. Greet them."),
            Cue::Joined => {
                with(&format!("The caller has just come on the line. Say exactly this: {greeting}"))
            }
            Cue::Silent(_) => {
                with("The caller has said nothing for a while. Ask whether they are still there.")
            }
            Cue::Said(_) | Cue::Pressed(_) | Cue::Nothing => None,
        };
        let goes_on =
            "You were cut off in the middle of your last sentence. Go on right behind it, repeating nothing.";
        let instructions = if already.is_empty() { instructions } else { with(goes_on) };
        let words = match cue {
            Cue::Said(words) => words,
            Cue::Pressed(keys) => format!("(The caller pressed the keys {keys}.)"),
            Cue::Joined | Cue::Silent(_) | Cue::Nothing => String::new(),
        };
        for (role, text) in [(Role::User, words), (Role::Assistant, already.to_owned())] {
            if !text.is_empty() {
                self.say(message::item(&Said { role, text }, false));
            }
        }
        message::answer(instructions)
    }

    /// What of each item was heard is what the service is to remember of it.
    fn truncate(&mut self, heard: Duration) {
        let heard = u64::try_from(heard.as_millis()).unwrap_or(u64::MAX);
        let mut before = 0;
        for (item, bytes) in std::mem::take(&mut self.spoken) {
            let length = self.download.millis(bytes);
            if heard < before + length {
                self.say(message::truncate(&item, heard.saturating_sub(before)));
            }
            before += length;
        }
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<SpeechEvent, SpeechError>> {
        let Some(answer) = &self.answer else { return Poll::Pending };
        if !self.download.is_empty() {
            return Poll::Pending;
        }
        if answer.complete {
            let id = answer.id;
            self.answer = None;
            return Poll::Ready(Ok(SpeechEvent::Done { id, next: None }));
        }
        if answer.calls {
            // Tools have limits of their own.
            return Poll::Pending;
        }
        let config = &self.service.config;
        let (phase, limit) = match answer.begun {
            false => (Phase::FirstByte, config.first_byte),
            true => (Phase::Answer, config.idle),
        };
        self.alarm.poll(answer.since + limit, cx).map(|()| Err(failure(ServiceError::Late { phase, limit })))
    }
}

impl SpeechSession for Session {
    fn hearing(&self) -> Hearing {
        if self.decides() { Hearing::Everything } else { Hearing::Utterances }
    }

    fn hear(&mut self, frame: &Frame) -> Result<(), SpeechError> {
        let message = self.upload.hear(frame);
        if !self.decides() && message.is_some() {
            self.socket.hurry();
        }
        self.append(message);
        let waiting = self.socket.waiting();
        if waiting > MOST_WAITING {
            return Err(failure(ServiceError::Backlog { waiting }));
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.upload.forget();
        if std::mem::take(&mut self.appended) {
            self.say(message::clear());
        }
    }

    fn commit(&mut self, turn: u32) -> Result<(), SpeechError> {
        let rest = self.upload.finish();
        self.append(rest);
        self.appended = false;
        if self.turns.begin(turn) {
            self.say(message::commit());
        }
        if self.service.config.transcription.is_empty() {
            self.turns.turns.retain(|heard| heard.turn != turn);
            self.events.push_back(SpeechEvent::Heard { turn, text: String::new() });
        }
        Ok(())
    }

    fn answer(&mut self, wanted: Wanted) -> Result<(), SpeechError> {
        let Wanted { id, cue, history, already, remarks } = wanted;
        self.tell_history(&history, &remarks);
        let request = Some(self.request(cue, &already));
        self.spoken.clear();
        self.download.begin();
        self.socket.hurry();
        let since = Instant::now();
        let (response, calls, complete) = (None, false, false);
        self.answer = Some(Answer { id, request, response, calls, complete, since, begun: false });
        self.ask();
        Ok(())
    }

    fn results(&mut self, calls: Vec<Called>, go_on: bool) {
        for called in &calls {
            self.say(message::result(called));
        }
        let Some(answer) = self.answer.as_mut().filter(|answer| answer.calls) else { return };
        answer.calls = false;
        if go_on {
            (answer.request, answer.response) = (Some(message::answer(None)), None);
            answer.begun = false;
            self.ask();
        } else {
            answer.complete = true;
            self.download.finish();
        }
    }

    fn cancel(&mut self, heard: Duration) {
        let works = |answer: &Answer| answer.request.is_none() && !answer.complete && !answer.calls;
        if let Some(answer) = self.answer.take().filter(works) {
            self.say(message::cancel(answer.response.as_deref()));
        }
        self.truncate(heard);
        self.download.begin();
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<SpeechEvent, SpeechError>> {
        if self.opened.elapsed() >= self.service.config.renew_after && self.is_idle() {
            self.renew();
        }
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Ok(event));
            }
            match self.socket.poll(cx) {
                Poll::Ready(Ok(tungstenite::Message::Text(text))) => self.take(&text).map_err(failure)?,
                Poll::Ready(Ok(_)) => {
                    let error = ServiceError::malformed("message", "it is binary");
                    return Poll::Ready(Err(failure(error)));
                }
                Poll::Ready(Err(error)) => self.lose(error)?,
                Poll::Pending => return self.poll_answer(cx),
            }
        }
    }

    fn next_frame(&mut self, frame: &mut Frame) -> bool {
        self.answer.is_some() && self.download.next(frame)
    }
}

impl Turns {
    /// A turn is over; says whether the service is to be told.
    fn begin(&mut self, turn: u32) -> bool {
        let item = self.unclaimed.pop_front();
        let known = item.is_some();
        self.turns.push_back(Heard { turn, item, text: String::new() });
        !known
    }

    /// The service has made an item of what it heard.
    fn committed(&mut self, item: String) {
        match self.turns.iter_mut().find(|heard| heard.item.is_none()) {
            Some(heard) => heard.item = Some(item),
            None => self.unclaimed.push_back(item),
        }
        if self.unclaimed.len() > MOST_UNCLAIMED {
            self.unclaimed.pop_front();
        }
    }

    fn more(&mut self, item: &str, delta: &str) -> Option<SpeechEvent> {
        let heard = self.turns.iter_mut().find(|heard| heard.item.as_deref() == Some(item))?;
        heard.text.push_str(delta);
        Some(SpeechEvent::Guess { turn: heard.turn, text: heard.text.trim().to_owned() })
    }

    fn told(&mut self, item: &str, text: &str) -> Option<SpeechEvent> {
        let index = self.turns.iter().position(|heard| heard.item.as_deref() == Some(item))?;
        let heard = self.turns.remove(index)?;
        Some(SpeechEvent::Heard { turn: heard.turn, text: text.trim().to_owned() })
    }

    /// There was nothing to make an item of.
    fn empty(&mut self) -> Option<SpeechEvent> {
        let index = self.turns.iter().position(|heard| heard.item.is_none())?;
        let heard = self.turns.remove(index)?;
        Some(SpeechEvent::Heard { turn: heard.turn, text: String::new() })
    }
}

fn running<'a>(answer: &'a mut Option<Answer>, response: &str) -> Option<&'a mut Answer> {
    answer.as_mut().filter(|answer| answer.response.as_deref() == Some(response))
}

fn failure(source: ServiceError) -> SpeechError {
    SpeechError::Service { engine: NAME, source }
}

/// Bytes that may wait for the socket: a minute of telephone audio, or ten seconds of wideband.
const MOST_WAITING: usize = 640 * 1_024;

/// Times in a row that a lost socket is set up again without a word.
const MOST_LOSSES: u32 = 3;

/// Turns that the service saw and we did not, whose words would be told to the next one.
const MOST_UNCLAIMED: usize = 1;
