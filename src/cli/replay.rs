use super::fail;
use clap::Args;
use jiff::SignedDuration;
use ringway_frame::{MediaTime, OneLine};
use ringway_turn::recording::{Cut, CutAt, Difference, Report, replay, replay_cut};
use serde_json::json;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Feeds a recorded call to the turn logic again and compares what it decides.
#[derive(Clone, Debug, Args)]
pub struct Replay {
    /// The recording, as written into `recording.dir`.
    file: PathBuf,
    /// Keeps the conversation in a snapshot there and goes on from it: after so many inputs (`120`), or at a time (`5s`).
    #[arg(long, value_name = "N|TIME", value_parser = place)]
    cut_at: Option<CutAt>,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

impl Replay {
    /// Exit 0: identical; 1: different, not a recording, or shorter than the place to cut it at.
    pub fn run(self) -> ExitCode {
        let file = match File::open(&self.file) {
            Ok(file) => file,
            Err(error) => return fail(&format!("{}: {error}", self.file.display())),
        };
        let reader = BufReader::new(file);
        let report = match self.cut_at {
            None => replay(reader),
            Some(at) => replay_cut(reader, at),
        };
        match report {
            Ok(report) if self.is_too_short(&report) => {
                fail(&format!("{}: ends before the place to cut it at", self.file.display()))
            }
            Ok(report) => self.print(&report),
            Err(error) => fail(&format!("{}: {error}", self.file.display())),
        }
    }

    fn is_too_short(&self, report: &Report) -> bool {
        self.cut_at.is_some() && report.cut.is_none() && report.difference.is_none()
    }

    fn print(&self, report: &Report) -> ExitCode {
        let same = report.difference.is_none();
        if self.json {
            let difference = report.difference.as_ref().map(describe);
            let line = json!({
                "call": report.header.call,
                "inputs": report.inputs,
                "outputs": report.outputs,
                "durationMs": report.until.as_millis(),
                "cut": report.cut.map(|Cut { inputs, at, bytes }| {
                    json!({"inputs": inputs, "atMs": at.as_millis(), "snapshotBytes": bytes})
                }),
                "identical": same,
                "difference": difference,
            });
            say_json!(line);
        } else {
            say!("call      {}", OneLine(&report.header.call));
            say!("duration  {}", report.until);
            say!("inputs    {}", report.inputs);
            say!("outputs   {}", report.outputs);
            if let Some(Cut { inputs, at, bytes }) = report.cut {
                say!("cut       behind input {inputs} at {at}, a snapshot of {bytes} bytes");
            }
            say!("replay    {}", report.difference.as_ref().map_or("identical".into(), describe));
        }
        if same { ExitCode::SUCCESS } else { ExitCode::from(super::FAILED) }
    }
}

fn place(text: &str) -> Result<CutAt, String> {
    if let Ok(inputs) = text.parse() {
        return Ok(CutAt::Input(inputs));
    }
    let time: SignedDuration =
        text.parse().map_err(|_| "neither a number of inputs nor a time such as 5s or 800ms")?;
    let time = Duration::try_from(time).map_err(|_| "a time is not negative")?;
    Ok(CutAt::Time(MediaTime::from(time)))
}

fn describe(difference: &Difference) -> String {
    let Difference { line, recorded, replayed } = difference;
    format!("differs at line {line}: recorded {recorded:?}, replayed {replayed:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_number_of_inputs_or_a_time() {
        assert_eq!(place("120"), Ok(CutAt::Input(120)));
        assert_eq!(place("1.5s"), Ok(CutAt::Time(MediaTime::from_millis(1_500))));
        assert!(place("soon").is_err() && place("-2s").is_err());
    }
}
