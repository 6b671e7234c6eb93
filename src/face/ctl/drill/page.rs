//! The report of a drill or of the demo: one HTML file that needs nothing else, neither a script nor the network. Pure.

use std::fmt::Write as _;

use super::picture::{LEGEND, TimelineChart, escape};

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

/// A report of moves, as one self-contained page.
#[derive(Debug, Clone, Default)]
pub struct ReportPage {
    /// Title of the page, and its heading.
    pub title: String,
    /// A sentence below it.
    pub about: String,
    /// The main figures, each with what it is.
    pub figures: Vec<(String, String)>,
    /// One timeline for each move.
    pub charts: Vec<TimelineChart>,
    /// Remarks below the timelines, one paragraph each.
    pub remarks: Vec<String>,
    /// Figures in rows, below the timelines.
    pub table: FigureTable,
    /// What would make it faster; no section if `None`.
    pub faster: Option<Vec<String>>,
    /// What wrote it, and when.
    pub written: String,
}

/// The policy forbids everything that is not in the file. Patterns distinguish the spans without colour.
const HEAD: &str = include_str!("head.html");

const PATTERNS: &str = include_str!("patterns.svg");

impl ReportPage {
    /// The page as HTML, without any reference to other files.
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
        html.push_str("</dl>\n<ul class=\"legend\">");
        for (_, class, meaning) in LEGEND {
            let _ = write!(
                html,
                "<li><svg viewBox=\"0 0 26 14\" aria-hidden=\"true\"><rect class=\"{class}\" x=\"1\" y=\"1\" width=\"24\" height=\"12\" rx=\"2\"/></svg>{meaning}</li>"
            );
        }
        html.push_str("</ul>\n");
        for chart in &self.charts {
            let heading = escape(&chart.heading);
            let _ = writeln!(html, "<h2>{heading}</h2>\n<figure>\n{}</figure>", chart.svg());
        }
        for remark in &self.remarks {
            let _ = writeln!(html, "<p class=\"remark\">{}</p>", prose(remark));
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
    while let Some((before, rest)) = html.split_once('`')
        && let Some((code, after)) = rest.split_once('`')
    {
        html = format!("{before}<code>{code}</code>{after}");
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
