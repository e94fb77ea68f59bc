use super::error::TtsApiError;
use ringway_frame::Format;
use ringway_speech_cache::{Speech, render};
use ringway_stages::tts::TextToSpeech;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;
use tokio::time::timeout;

/// A thread with one runtime on which voices speak, as a media core: sessions stay on it, and connections are kept.
#[derive(Debug)]
pub struct Synthesis {
    orders: mpsc::Sender<Order>,
}

struct Order {
    chain: Vec<Arc<dyn TextToSpeech>>,
    clauses: Vec<String>,
    done: oneshot::Sender<Result<Speech, TtsApiError>>,
}

impl Synthesis {
    /// For so many requests at once.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(requests: usize) -> std::io::Result<Self> {
        let (orders, received) = mpsc::channel(requests);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("tts-api".into()).spawn(move || run(&runtime, received))?;
        Ok(Self { orders })
    }

    /// All that the first voice says that can.
    ///
    /// # Errors
    /// None can, or the one that began takes too long.
    pub async fn speak(
        &self,
        chain: Vec<Arc<dyn TextToSpeech>>,
        clauses: Vec<String>,
    ) -> Result<Speech, TtsApiError> {
        let (done, spoken) = oneshot::channel();
        // There is room for as many as are let in; none when the thread has ended.
        self.orders.send(Order { chain, clauses, done }).await.map_err(|_| TtsApiError::Busy)?;
        spoken.await.map_err(|_| TtsApiError::Busy)?
    }
}

fn run(runtime: &Runtime, mut orders: mpsc::Receiver<Order>) {
    LocalSet::new().block_on(runtime, async {
        while let Some(order) = orders.recv().await {
            tokio::task::spawn_local(order.carry_out());
        }
    });
}

impl Order {
    /// Until it is done, or nobody waits any more.
    async fn carry_out(self) {
        let Self { chain, clauses, mut done } = self;
        let spoken = tokio::select! {
            spoken = speak(&chain, &clauses) => spoken,
            () = done.closed() => return,
        };
        drop(done.send(spoken));
    }
}

async fn speak(chain: &[Arc<dyn TextToSpeech>], clauses: &[String]) -> Result<Speech, TtsApiError> {
    let clauses: Vec<&str> = clauses.iter().map(String::as_str).collect();
    let mut failure = TtsApiError::Busy;
    for voice in chain {
        let speaking = render(voice.as_ref(), Format::Pcm16k, &clauses, LARGEST_SPEECH);
        match timeout(PATIENCE, speaking).await {
            Ok(Ok(speech)) => return speech.ok_or(TtsApiError::LongSpeech),
            Ok(Err(error)) => failure = TtsApiError::Silent(error),
            Err(_elapsed) => failure = TtsApiError::Late(PATIENCE),
        }
        tracing::warn!(error = %failure, voice = voice.name(), "a voice did not speak");
    }
    Err(failure)
}

/// A voice that takes longer for all of a text is given up; its own limits are shorter, clause by clause.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of samples of one text: over half an hour.
const LARGEST_SPEECH: usize = 60 << 20;
