use crate::tally::{Tally, Times};
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Shows a run in the terminal while it goes on; shows nothing where there is no terminal.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A run of this length begins.
    pub fn start(length: Duration) -> Self {
        let style = ProgressStyle::with_template("{elapsed_precise} {bar:30} {msg}")
            .expect("a constant template that indicatif takes");
        Self(ProgressBar::new(whole_millis(length)).with_style(style))
    }

    /// So long it has been going on, and this is measured.
    pub fn show(&self, elapsed: Duration, tally: &Tally) {
        self.0.set_position(whole_millis(elapsed));
        if !self.0.is_hidden() {
            self.0.set_message(message(tally));
        }
    }

    /// The run is over.
    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}

fn message(tally: &Tally) -> String {
    let Tally { active, underruns, missing, .. } = tally;
    let (answers, p50) = (tally.answer.count(), shown(&tally.answer, 50.0));
    let (p95, late) = (shown(&tally.answer, 95.0), shown(&tally.lateness, 99.0));
    format!(
        "{active} calls, {answers} answers p50 {p50} p95 {p95}, {underruns} underruns, {missing} missing, \
         {} refused, {} errors, late {late}",
        tally.refused_count(),
        tally.error_count()
    )
}

fn shown(times: &Times, percent: f64) -> String {
    times.percentile(percent).map_or_else(|| "-".to_owned(), |time| format!("{} ms", time.as_millis()))
}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
