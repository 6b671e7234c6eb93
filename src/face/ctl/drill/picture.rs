//! A timeline as SVG: lanes with spans of time. Each span has a pattern and a label, so that it can be read without colour, and
//! no label covers another. Pure.

use std::fmt::Write as _;

use crate::base::text::{cut, without_controls};

/// Size and places, in the units of the view box.
const WIDTH: f64 = 1000.0;
const PLOT: f64 = 84.0;
const RIGHT: f64 = 992.0;
/// What is drawn before the origin.
const LEAD: f64 = 76.0;
/// Room after the last change: a long label fits.
const TRAIL: f64 = 250.0;
const TOP: f64 = 30.0;
const BAR: f64 = 28.0;
const GAP: f64 = 14.0;
const ROW: f64 = 18.0;
const AXIS: f64 = 24.0;
/// Rows of labels below a bar; what finds no place is a tooltip only.
const ROWS: usize = 4;
/// Width of most characters at most, on average, at 12 px.
const CHARACTER: f64 = 7.2;
/// Longest label, in bytes.
const LABEL: usize = 32;
/// Smallest distance of two marks of the axis.
const MARK: f64 = 56.0;

/// What a span is about; it has a pattern of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// The node that had the address before.
    Old,
    /// The node that has it afterwards.
    New,
    /// Neither, for the moment: under way.
    Moving,
    /// No holder, or no answer.
    Missing,
    /// An action of the agent.
    Work,
}

/// A span of time, in seconds from the origin; infinite if it began before or lasts.
#[derive(Debug, Clone)]
pub struct LaneSpan {
    /// Beginning, in seconds; minus infinity if it began before the picture.
    pub from: f64,
    /// End, in seconds; infinity if it lasts.
    pub to: f64,
    /// What it is about.
    pub kind: SpanKind,
    /// What it is, in a few words; empty for one of many of the same.
    pub label: String,
}

/// A row of the drawing: what one observer saw.
#[derive(Debug, Clone)]
pub struct TimelineLane {
    /// The observer: cluster, agent, EC2 or client.
    pub name: &'static str,
    /// In order of time, without overlaps; if there are none, the lane shows the reason.
    pub spans: Vec<LaneSpan>,
    /// Why it is empty.
    pub empty: &'static str,
}

/// The timeline of one move: what each observer saw.
#[derive(Debug, Clone)]
pub struct TimelineChart {
    /// Heading above it.
    pub heading: String,
    /// What happened at the origin.
    pub origin: String,
    /// Lanes from top to bottom.
    pub lanes: Vec<TimelineLane>,
}

/// The class of each kind in the page, and what its pattern means.
pub(super) const LEGEND: [(SpanKind, &str, &str); 5] = [
    (SpanKind::Old, "old", "the node before"),
    (SpanKind::New, "new", "the node afterwards"),
    (SpanKind::Moving, "moving", "under way"),
    (SpanKind::Missing, "missing", "no holder, no answer"),
    (SpanKind::Work, "work", "the agent at work"),
];

/// Escapes text for HTML and SVG, and drops control characters.
pub fn escape(text: &str) -> String {
    quick_xml::escape::escape(without_controls(text)).into_owned()
}

/// Seconds for a person.
pub fn seconds(time: f64) -> String {
    if time < 9.995 { format!("{time:.2} s") } else { format!("{time:.1} s") }
}

/// Where times are on the horizontal axis.
struct Scale {
    /// Units for a second.
    second: f64,
    /// Last time that is drawn.
    end: f64,
}

impl Scale {
    /// A scale that ends after the last change.
    fn of(lanes: &[TimelineLane]) -> Self {
        let times = lanes.iter().flat_map(|lane| &lane.spans).flat_map(|span| [span.from, span.to]);
        let last = times.filter(|time| time.is_finite()).fold(0.0, f64::max);
        let second = (RIGHT - PLOT - LEAD - TRAIL) / if last > 0.0 { last } else { 1.0 };
        Self { second, end: (RIGHT - PLOT - LEAD) / second }
    }

    fn at(&self, time: f64) -> f64 {
        (PLOT + LEAD + time * self.second).clamp(PLOT, RIGHT)
    }

    /// Distance of the marks in seconds.
    fn step(&self) -> f64 {
        let steps = (-3..5).flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)));
        steps.into_iter().find(|step| step * self.second >= MARK).unwrap_or(self.end)
    }
}

/// Places labels, each with its anchor, from right to left, each in the first row that is free: the line down to it crosses none.
fn place(mut labels: Vec<(f64, String)>) -> Vec<(f64, String, usize)> {
    labels.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut taken = [RIGHT + 1.0; ROWS];
    let mut placed = Vec::new();
    for (anchor, text) in labels {
        let end = anchor + 5.0 + width(&text) + 8.0;
        if let Some(row) = taken.iter().position(|left| end <= *left) {
            // The line down to it takes its place in the rows above, too.
            taken.iter_mut().take(row + 1).for_each(|left| *left = anchor - 4.0);
            placed.push((anchor, text, row));
        }
    }
    placed
}

/// Width of a text at most, on average, at 12 px.
fn width(text: &str) -> f64 {
    let character = |sign: char| match sign {
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 13.0,
        'A'..='Z' => 9.5,
        ' '..='~' => CHARACTER,
        _ => 13.0,
    };
    text.chars().map(character).sum()
}

/// Cuts a label so that it fits behind the last change.
fn short(text: &str) -> String {
    let mut text = cut(text, LABEL);
    while width(&text) > TRAIL - 14.0 {
        text.pop();
    }
    text
}

impl TimelineChart {
    /// The drawing. Its colours and patterns are those of the page around it.
    pub fn svg(&self) -> String {
        let scale = Scale::of(&self.lanes);
        let mut lanes = String::new();
        let mut top = TOP;
        for lane in &self.lanes {
            top = lane.draw(&scale, top, &mut lanes);
        }
        let height = top + AXIS;
        let mut svg = format!(
            "<svg class=\"timeline\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n",
            escape(&self.heading),
            escape(&self.in_words())
        );
        let (origin, foot) = (scale.at(0.0), top - 2.0);
        let step = scale.step();
        // Writing to a `String` cannot fail.
        for number in 0..64 {
            let time = f64::from(number) * step;
            if scale.at(time) > RIGHT - 24.0 {
                break;
            }
            let (x, decimals) = (
                scale.at(time),
                usize::from(step < 1.0) + usize::from(step < 0.1) + usize::from(step < 0.01),
            );
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{foot}\"/><text class=\"mark\" x=\"{x:.1}\" y=\"{:.1}\">{time:.decimals$} s</text>",
                foot + 18.0
            );
        }
        let _ = writeln!(
            svg,
            "<path class=\"origin\" d=\"M{origin:.1} 20V{foot}\"/><text class=\"event\" x=\"{:.1}\" y=\"16\">{}</text>",
            origin + 1.0,
            escape(&short(&self.origin))
        );
        svg + &lanes + "</svg>\n"
    }

    /// The same for a reader that shows no drawings.
    fn in_words(&self) -> String {
        let of_lane = |lane: &TimelineLane| {
            if lane.spans.is_empty() {
                return format!("{}: {}.", lane.name, lane.empty);
            }
            let spans: Vec<String> = lane.spans.iter().map(LaneSpan::in_words).collect();
            format!("{}: {}.", lane.name, spans.join("; "))
        };
        self.lanes.iter().map(of_lane).collect::<Vec<_>>().join(" ")
    }
}

impl LaneSpan {
    fn in_words(&self) -> String {
        let what = if self.label.is_empty() { "the same again" } else { &self.label };
        match (self.from.is_finite(), self.to.is_finite()) {
            (_, true) => format!("{what}, {} to {}", seconds(self.from.max(0.0)), seconds(self.to)),
            (true, false) => format!("{what}, from {}", seconds(self.from)),
            (false, false) => format!("{what} throughout"),
        }
    }
}

impl TimelineLane {
    /// Draws it below `top`; returns where the next one begins.
    fn draw(&self, scale: &Scale, top: f64, svg: &mut String) -> f64 {
        let middle = top + BAR / 2.0 + 4.0;
        let _ = writeln!(svg, "<text class=\"lane\" x=\"0\" y=\"{middle:.1}\">{}</text>", escape(self.name));
        if self.spans.is_empty() {
            let (x, text) = (scale.at(0.0) + 8.0, escape(self.empty));
            let _ = writeln!(svg, "<text class=\"empty\" x=\"{x:.1}\" y=\"{middle:.1}\">{text}</text>");
            return top + BAR + GAP;
        }
        let mut labels = Vec::new();
        for span in &self.spans {
            let (from, to) = (scale.at(span.from), scale.at(span.to));
            // What is shorter than a line is drawn all the same.
            let (wide, label) = ((to - from).max(3.0), short(&span.label));
            let class = LEGEND.iter().find(|(kind, ..)| *kind == span.kind).map_or("", |(_, class, _)| class);
            let _ = writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{BAR}\" rx=\"3\"><title>{}</title></rect>",
                escape(&span.in_words())
            );
            if label.is_empty() {
                continue;
            }
            if width(&label) + 12.0 <= wide {
                let _ = writeln!(
                    svg,
                    "<text class=\"in {class}\" x=\"{:.1}\" y=\"{middle:.1}\">{}</text>",
                    from + wide / 2.0,
                    escape(&label)
                );
            } else {
                labels.push((from + wide.min(12.0) / 2.0, label));
            }
        }
        let mut bottom = top + BAR;
        for (anchor, text, row) in place(labels) {
            let below = f64::from(u32::try_from(row).unwrap_or_default()) * ROW;
            let baseline = top + BAR + below + 15.0;
            let _ = writeln!(
                svg,
                "<path class=\"leader\" d=\"M{anchor:.1} {:.1}V{:.1}\"/><text class=\"callout\" x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>",
                top + BAR,
                baseline - 4.0,
                anchor + 5.0,
                escape(&text)
            );
            bottom = bottom.max(baseline + 3.0);
        }
        bottom + GAP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_meet_get_rows_of_their_own_and_one_without_a_place_is_left_out() {
        let label = |anchor: f64| (anchor, "ten signs!".to_owned());
        let rows = |anchors: &[f64]| {
            let placed = place(anchors.iter().copied().map(label).collect());
            placed.into_iter().map(|(anchor, _, row)| (anchor, row)).collect::<Vec<_>>()
        };
        assert_eq!(rows(&[100.0, 110.0, 300.0]), [(300.0, 0), (110.0, 0), (100.0, 1)]);
        assert_eq!(rows(&[1.0, 2.0, 3.0, 4.0, 5.0]).len(), ROWS);
    }
}
