//! A plot of numbers: axes, lines, dots and bars in SVG, coloured by the page's style sheet.

use std::fmt::Write;

/// Size of a plot in its own units, in which text is 12 high: readable when shown 340 pixels wide.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 38.0;

/// Ticks on an axis, about.
const TICKS: f64 = 5.0;

/// One plot under construction.
#[derive(Debug)]
pub(super) struct Plot {
    x: Axis,
    y: Axis,
    body: String,
}

/// What is shown from where to where.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    name: &'static str,
    from: f64,
    to: f64,
}

impl Axis {
    /// From `from` to a round number at or above `to`; numbers that are none do not count.
    pub(super) fn new(name: &'static str, from: f64, to: f64) -> Self {
        let (from, to) = (finite(from), finite(to));
        let span = if to > from { to - from } else { 1.0 };
        let step = round_step(span);
        Self { name, from, to: from + (span / step).ceil() * step }
    }

    fn share(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        let step = round_step(self.to - self.from);
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step + 1e-9).floor() as i64;
        (first..=last).map(|tick| tick as f64 * step).collect()
    }
}

const fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// 1, 2 or 5 times a power of ten, so that there are about [`TICKS`] ticks.
fn round_step(span: f64) -> f64 {
    let rough = span / TICKS;
    let power = 10_f64.powf(rough.log10().floor());
    let rounded = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough * 0.999);
    rounded.unwrap_or(10.0) * power
}

impl Plot {
    pub(super) fn new(x: Axis, y: Axis) -> Self {
        let mut plot = Self { x, y, body: String::new() };
        plot.axes();
        plot
    }

    /// A line through these points.
    pub(super) fn line(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<_> = self.places(points).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.put(format_args!(r#"<polyline class="line {class}" points="{}"/>"#, points.join(" ")));
    }

    /// Dots that tell what they are when they are pointed at.
    pub(super) fn dots(&mut self, class: &str, points: &[((f64, f64), String)]) {
        for ((x, y), about) in points {
            let (x, y, about) = (self.at_x(*x), self.at_y(*y), escape(about));
            self.put(format_args!(
                r#"<circle class="dot {class}" cx="{x:.1}" cy="{y:.1}" r="3.5"><title>{about}</title></circle>"#
            ));
        }
    }

    /// A bar from the axis up.
    pub(super) fn bar(&mut self, class: &str, from: f64, to: f64, height: f64, about: &str) {
        let (left, right) = (self.at_x(from), self.at_x(to));
        let (top, bottom) = (self.at_y(height), HEIGHT - BOTTOM);
        self.put(format_args!(
            r#"<rect class="bar {class}" x="{left:.2}" y="{top:.2}" width="{:.2}" height="{:.2}"><title>{}</title></rect>"#,
            (right - left).max(0.8),
            (bottom - top).max(0.8),
            escape(about)
        ));
    }

    /// A line across, with its name.
    pub(super) fn bound(&mut self, y: f64, name: &str) {
        if y <= self.y.from || y >= self.y.to {
            return;
        }
        let (y, right) = (self.at_y(y), WIDTH - RIGHT);
        self.put(format_args!(r#"<line class="bound" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#));
        self.put(format_args!(
            r#"<text class="tick" x="{right}" y="{:.1}" text-anchor="end">{}</text>"#,
            y - 4.0,
            escape(name)
        ));
    }

    /// The whole, told to those who cannot see it by `about`.
    pub(super) fn finish(self, about: &str) -> String {
        format!(
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">{}</svg>"#,
            escape(about),
            self.body
        )
    }

    fn axes(&mut self) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for tick in self.y.ticks() {
            let y = self.at_y(tick);
            self.put(format_args!(
                r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/>"#
            ));
            let (x, y) = (LEFT - 5.0, y + 4.0);
            self.put(format_args!(
                r#"<text class="tick" x="{x}" y="{y:.1}" text-anchor="end">{}</text>"#,
                number(tick)
            ));
        }
        for tick in self.x.ticks() {
            let (x, y) = (self.at_x(tick), bottom + 15.0);
            self.put(format_args!(
                r#"<text class="tick" x="{x:.1}" y="{y}" text-anchor="middle">{}</text>"#,
                number(tick)
            ));
        }
        let (x_name, y_name) = (self.x.name, self.y.name);
        self.put(format_args!(
            r#"<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>"#
        ));
        self.put(format_args!(
            r#"<text class="name" x="{right}" y="{}" text-anchor="end">{x_name}</text>"#,
            HEIGHT - 6.0
        ));
        self.put(format_args!(r#"<text class="name" x="{LEFT}" y="{}">{y_name}</text>"#, HEIGHT - 6.0));
    }

    fn places(&self, points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
        points
            .iter()
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .map(|(x, y)| (self.at_x(*x), self.at_y(*y)))
    }

    fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        self.body.write_fmt(what).expect("a string takes all");
    }
}

/// Without digits that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Text in HTML and SVG, also inside of attributes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        let ticks = |to| Axis::new("ms", 0.0, to).ticks();
        assert_eq!(ticks(437.0), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(ticks(1.0), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0].map(|tick: f64| (tick / 0.2).round() * 0.2));
        assert_eq!(Axis::new("ms", 0.0, 0.0).ticks().len(), 6, "nothing to show still has an axis");
    }

    #[test]
    fn numbers_that_are_none_reach_no_plot() {
        let mut plot = Plot::new(Axis::new("calls", 0.0, f64::NAN), Axis::new("ms", 0.0, f64::INFINITY));
        plot.line("a", &[(1.0, f64::NAN), (0.5, 0.5)]);
        let svg = plot.finish("nothing");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn a_point_is_where_its_numbers_say() {
        let plot = Plot::new(Axis::new("calls", 0.0, 100.0), Axis::new("ms", 0.0, 100.0));
        assert_eq!((plot.at_x(0.0), plot.at_x(100.0)), (LEFT, WIDTH - RIGHT));
        assert_eq!((plot.at_y(0.0), plot.at_y(100.0)), (HEIGHT - BOTTOM, TOP));
    }

    #[test]
    fn what_others_wrote_cannot_become_markup() {
        assert_eq!(escape(r#"<a href="x">&"#), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
