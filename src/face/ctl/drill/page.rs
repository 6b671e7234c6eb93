//! The report of a drill or of the demo: one HTML file that needs nothing else, neither a script nor the network. Pure.

use std::fmt::Write as _;

use super::picture::{TimelineChart, escape};

/// A table of figures.
#[derive(Debug, Clone, Default)]
pub struct FigureTable {
    /// Heading above it.
    pub heading: String,
    /// Heads of the columns; the first ones up to `texts` are text, the others numbers.
    pub heads: Vec<&'static str>,
    /// Number of columns with text.
    pub texts: usize,
    /// Rows, of as many cells as there are heads.
    pub rows: Vec<Vec<String>>,
    /// Remark below it; empty if there is none.
    pub remark: String,
}

/// The whole report.
#[derive(Debug, Clone, Default)]
pub struct ReportPage {
    /// Heading.
    pub title: String,
    /// A sentence below it.
    pub about: String,
    /// The main figures, each with what it is.
    pub figures: Vec<(String, String)>,
    /// Timelines.
    pub charts: Vec<TimelineChart>,
    /// Figures in detail.
    pub table: FigureTable,
    /// What would make it faster; no section if `None`.
    pub faster: Option<Vec<String>>,
    /// What wrote it, and when.
    pub written: String,
}

/// The policy forbids everything that is not in the file. Patterns distinguish the spans without colour.
const HEAD: &str = r#"<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root { --paper: #fff; --card: #f6f8fa; --ink: #1b2330; --soft: #556070; --line: #d5dbe3; --old: #bcd3f2; --new: #b9e3cf;
  --edge: #44546a; --red: #b3261e; --pale: #fdeceb; --moving: #eceff3; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #12161c; --card: #1a2028; --ink: #e6eaf0; --soft: #9aa7b6; --line: #323c49; --old: #274a78; --new: #1f5a43;
    --edge: #9fb0c5; --red: #ff8a80; --pale: #3a1f1f; --moving: #262e38; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 2rem 1.5rem 3rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .7rem; }
p { margin: .4rem 0; }
.about, .remark, footer { color: var(--soft); overflow-wrap: anywhere; }
.remark { font-size: .875rem; }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.4rem 0 0; }
.figures div { flex: 1 1 12rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
.figures dd { margin: 0; font-size: 1.65rem; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.2; }
.figures dt { color: var(--soft); font-size: .875rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem; overflow-x: auto; }
.timeline { display: block; width: 100%; min-width: 720px; height: auto; font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
.timeline text { fill: var(--ink); }
.timeline .lane, .timeline .event { font-weight: 650; }
.timeline .mark { fill: var(--soft); text-anchor: middle; font-variant-numeric: tabular-nums; }
.timeline .empty { fill: var(--soft); font-style: italic; }
.timeline .callout { paint-order: stroke; stroke: var(--card); stroke-width: 4px; }
.timeline .in { text-anchor: middle; paint-order: stroke; stroke-width: 4px; stroke-linejoin: round; }
.timeline text.old { stroke: var(--old); }
.timeline text.new { stroke: var(--new); }
.timeline text.moving { stroke: var(--moving); }
.timeline text.missing { stroke: var(--pale); }
.timeline text.work { fill: var(--paper); }
.grid { stroke: var(--line); }
.origin { stroke: var(--ink); stroke-dasharray: 4 3; }
.leader { stroke: var(--soft); fill: none; }
rect { stroke: var(--edge); stroke-width: 1; }
rect.old { fill: var(--old); }
rect.new { fill: url(#stripes); }
rect.moving { fill: url(#dots); stroke-dasharray: 3 3; }
rect.missing { fill: url(#crosses); stroke: var(--red); stroke-width: 1.5; }
rect.work { fill: var(--ink); stroke: none; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: 0 0 .6rem; padding: 0; list-style: none; font-size: .875rem; color: var(--soft); }
.legend svg { width: 26px; height: 14px; vertical-align: -2px; margin-right: .4rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .4rem .8rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-size: .875rem; font-weight: 600; }
.text { text-align: left; }
code { font: .9em ui-monospace, "DejaVu Sans Mono", monospace; }
tr.now td { font-weight: 650; }
li { margin: .3rem 0; }
footer { margin-top: 2.5rem; font-size: .875rem; }
</style>
"#;

const PATTERNS: &str = r#"<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>
<pattern id="stripes" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0H8V8H0Z" style="fill:var(--new)"/><path d="M1 0V8" style="stroke:var(--edge);stroke-opacity:.45"/></pattern>
<pattern id="dots" width="7" height="7" patternUnits="userSpaceOnUse"><path d="M0 0H7V7H0Z" style="fill:var(--moving)"/><circle cx="3.5" cy="3.5" r="1" style="fill:var(--edge)"/></pattern>
<pattern id="crosses" width="8" height="8" patternUnits="userSpaceOnUse"><path d="M0 0H8V8H0Z" style="fill:var(--pale)"/><path d="M0 0L8 8M8 0L0 8" style="stroke:var(--red);stroke-opacity:.6"/></pattern>
</defs></svg>
"#;

/// What the patterns mean.
const LEGEND: [(&str, &str); 5] = [
    ("old", "the node before"),
    ("new", "the node afterwards"),
    ("moving", "under way"),
    ("missing", "no holder, no answer"),
    ("work", "the agent at work"),
];

impl ReportPage {
    /// The file.
    #[must_use]
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>{title}</title>\n{HEAD}</head>\n<body>\n{PATTERNS}<main>\n<h1>{title}</h1>\n\
             <p class=\"about\">{}</p>\n<dl class=\"figures\">\n",
            prose(&self.about)
        );
        // Writing to a `String` cannot fail.
        for (figure, about) in &self.figures {
            let _ = writeln!(html, "<div><dd>{}</dd><dt>{}</dt></div>", escape(figure), escape(about));
        }
        html.push_str("</dl>\n");
        for (number, chart) in self.charts.iter().enumerate() {
            let _ = writeln!(html, "<h2>{}</h2>", escape(&chart.heading));
            if number == 0 {
                html.push_str("<ul class=\"legend\">");
                for (class, meaning) in LEGEND {
                    let _ = write!(
                        html,
                        "<li><svg viewBox=\"0 0 26 14\" aria-hidden=\"true\"><rect class=\"{class}\" x=\"1\" y=\"1\" width=\"24\" height=\"12\" rx=\"2\"/></svg>{meaning}</li>"
                    );
                }
                html.push_str("</ul>\n");
            }
            let _ = writeln!(html, "<figure>\n{}</figure>", chart.svg());
            // A remark is not repeated.
            let before = number.checked_sub(1).and_then(|before| self.charts.get(before));
            let known = |remark: &&String| before.is_some_and(|before| before.remarks.contains(remark));
            for remark in chart.remarks.iter().filter(|remark| !known(remark)) {
                let _ = writeln!(html, "<p class=\"remark\">{}</p>", prose(remark));
            }
        }
        self.table.write(&mut html);
        if let Some(faster) = &self.faster {
            html.push_str("<h2>What would make it faster</h2>\n");
            if faster.is_empty() {
                html.push_str("<p>Nothing in the configuration: token, monitor, live moves and fencing are set for speed.</p>\n");
            } else {
                html.push_str("<ul>\n");
                for item in faster {
                    let _ = writeln!(html, "<li>{}</li>", prose(item));
                }
                html.push_str("</ul>\n");
            }
        }
        let _ = writeln!(html, "<footer>{}</footer>\n</main>\n</body>\n</html>", escape(&self.written));
        html
    }
}

/// Text in which code stands between backticks.
fn prose(text: &str) -> String {
    let mut html = escape(text);
    let next = |html: &str| {
        let (before, rest) = html.split_once('`')?;
        let (code, after) = rest.split_once('`')?;
        Some(format!("{before}<code>{code}</code>{after}"))
    };
    while let Some(marked) = next(&html) {
        html = marked;
    }
    html
}

impl FigureTable {
    fn write(&self, html: &mut String) {
        let class = |column: usize| if column < self.texts { " class=\"text\"" } else { "" };
        let cells = |tag: &str, cells: Vec<String>| {
            let mut row = String::new();
            for (column, text) in cells.iter().enumerate() {
                let _ = write!(row, "<{tag}{}>{}</{tag}>", class(column), prose(text));
            }
            row
        };
        let heads = self.heads.iter().map(|head| (*head).to_owned()).collect();
        let _ = writeln!(
            html,
            "<h2>{}</h2>\n<div class=\"scroll\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>",
            escape(&self.heading),
            cells("th", heads)
        );
        for row in &self.rows {
            let _ = writeln!(html, "<tr>{}</tr>", cells("td", row.clone()));
        }
        html.push_str("</tbody>\n</table></div>\n");
        if !self.remark.is_empty() {
            let _ = writeln!(html, "<p class=\"remark\">{}</p>", prose(&self.remark));
        }
    }
}
