//! Windows that are too quiet for the network.

use super::calls::Call;
use super::judge::{Judge, Window, Windows};
use super::noise::Noise;
use super::segments::{Difference, Judged, heard};
use super::table::{Column, percent, spread, write};
use ringway_frame::SampleRate;
use std::fmt;

/// Which windows the network does not see: they count as silence, and its state waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gate {
    /// None.
    Open,
    /// Those below a level in dBFS.
    Below(f32),
    /// As [`Self::Below`]; the two windows before one that is loud enough are seen once it comes.
    BelowWithRunUp(f32),
    /// Those less than so many dB above the noise floor of the line, with the same run-up.
    NearFloor(f32),
}

/// Windows that are seen late, when the gate opens.
const RUN_UP: usize = 2;

const GATES: [Gate; 8] = [
    Gate::Below(-60.0),
    Gate::Below(-50.0),
    Gate::Below(-45.0),
    Gate::Below(-40.0),
    Gate::BelowWithRunUp(-50.0),
    Gate::BelowWithRunUp(-45.0),
    Gate::NearFloor(6.0),
    Gate::NearFloor(9.0),
];

impl Gate {
    /// The windows that the network sees, in this order.
    pub fn plan(self, windows: &[Window]) -> Vec<usize> {
        let mut plan = Vec::new();
        let mut seen = 0;
        for (n, _) in windows.iter().enumerate().filter(|(_, window)| self.lets(window)) {
            plan.extend(n.saturating_sub(self.run_up()).max(seen)..=n);
            seen = n + 1;
        }
        plan
    }

    /// What was seen only when the gate opened came too late to be speech.
    pub fn shut(self, windows: &[Window], plan: &[usize], judged: &mut Judged) {
        for &n in plan.iter().filter(|&&n| !self.lets(&windows[n])) {
            judged.windows[n].1 = 0.0;
        }
    }

    fn lets(self, window: &Window) -> bool {
        match self {
            Self::Open => true,
            Self::Below(least) | Self::BelowWithRunUp(least) => window.level >= least,
            Self::NearFloor(above) => window.level >= window.floor + above,
        }
    }

    fn run_up(self) -> usize {
        if matches!(self, Self::BelowWithRunUp(_) | Self::NearFloor(_)) { RUN_UP } else { 0 }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.pad("none"),
            Self::Below(least) => f.pad(&format!("{least} dBFS")),
            Self::BelowWithRunUp(least) => f.pad(&format!("{least} dBFS, run-up")),
            Self::NearFloor(above) => f.pad(&format!("floor + {above} dB, run-up")),
        }
    }
}

/// What each gate saves and changes at 16 kHz, over all voices, by noise.
#[derive(Debug, Default)]
pub struct GateTable {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    noise: Noise,
    gate: Gate,
    windows: usize,
    ran: usize,
    difference: Difference,
    voiced: [usize; 2],
}

impl GateTable {
    pub fn measure(&mut self, judge: &mut Judge, noise: Noise, calls: &[Call]) {
        let rate = SampleRate::HZ_16000;
        let windows: Vec<_> = calls.iter().map(|call| Windows::of(call, noise, rate)).collect();
        let ungated = judge.judge(rate, &windows, Gate::Open);
        for gate in GATES {
            let gated = judge.judge(rate, &windows, gate);
            let row = self.row(noise, gate);
            for ((call, gated), ungated) in calls.iter().zip(&gated).zip(&ungated) {
                let segments = gated.segments();
                row.windows += gated.windows.len();
                row.ran += gated.ran;
                row.difference.add(&segments, &ungated.segments());
                let [found, all] = heard(&segments, call.voiced());
                row.voiced = [row.voiced[0] + found, row.voiced[1] + all];
            }
        }
    }

    fn row(&mut self, noise: Noise, gate: Gate) -> &mut Row {
        let same = |row: &Row| row.noise == noise && row.gate == gate;
        let at = self.rows.iter().position(same).unwrap_or_else(|| {
            let (difference, voiced) = (Difference::default(), [0, 0]);
            self.rows.push(Row { noise, gate, windows: 0, ran: 0, difference, voiced });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }
}

impl fmt::Display for GateTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: [Column<Row>; 10] = [
            ("noise", |row| row.noise.to_string()),
            ("gate", |row| row.gate.to_string()),
            ("windows saved", |row| percent(row.windows.saturating_sub(row.ran), row.windows)),
            ("segments", |row| row.difference.expected.to_string()),
            ("lost", |row| row.difference.missed.to_string()),
            ("new", |row| row.difference.added.to_string()),
            ("cut or joined", |row| (row.difference.split + row.difference.joined).to_string()),
            ("starts moved, ms", |row| spread(&row.difference.starts)),
            ("ends moved, ms", |row| spread(&row.difference.ends)),
            ("voice in segments", |row| percent(row.voiced[0], row.voiced[1])),
        ];
        write(f, &columns, &self.rows)
    }
}
