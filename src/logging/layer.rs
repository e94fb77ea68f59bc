use super::LogFormat;
use super::limit;
use super::line::Line;
use super::queue::Queue;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Makes a line of each event that is to be logged, and puts it into the queue.
#[derive(Debug)]
pub struct LogLayer {
    format: LogFormat,
    colours: bool,
    queue: Queue,
}

impl LogLayer {
    pub fn new(format: LogFormat, colours: bool, queue: Queue) -> Self {
        Self { format, colours, queue }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if let Some(suppressed) = limit::permits(event) {
            self.queue.put(Line::of(event, suppressed).write(self.format, self.colours));
        }
    }
}
