//! A man page being written: sections, paragraphs, lists and examples, in the macros that every troff has.
//!
//! In running text, what stands between backquotes is printed in bold, as one types it.

use roff::{Inline, Roff, bold, roman};

/// A man page.
pub(crate) struct Man {
    title: String,
    roff: Roff,
    /// Whether a section has just begun, which begins a paragraph too.
    at_section: bool,
}

impl Man {
    /// Begins a page: its name, its section, and what the whole volume is called.
    ///
    /// The version stands for the date, which would have to be changed by hand at every change of a table.
    pub(crate) fn new(name: &str, section: &str, volume: &str) -> Self {
        let (name, version) = (name.to_uppercase(), env!("CARGO_PKG_VERSION"));
        // Written by hand: `Roff` forgets an argument that is empty.
        let title = format!(".TH \"{name}\" \"{section}\" \"\" \"eip {version}\" \"{volume}\"\n");
        let mut roff = Roff::new();
        // Neither hyphens nor stretched lines among names that are copied to a terminal.
        roff.control("nh", []);
        roff.control("ad", ["l"]);
        Self { title, roff, at_section: false }
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, name: &str) {
        self.roff.control("SH", [name]);
        self.at_section = true;
    }

    /// Begins a part of a section.
    pub(crate) fn subsection(&mut self, name: &str) {
        self.roff.control("SS", [name]);
        self.at_section = true;
    }

    /// Adds paragraphs that are separated by empty lines.
    pub(crate) fn paragraphs(&mut self, text: &str) {
        for paragraph in text.split("\n\n") {
            self.paragraph(paragraph);
        }
    }

    /// Adds a paragraph.
    pub(crate) fn paragraph(&mut self, text: &str) {
        if !self.at_section {
            self.roff.control("PP", []);
        }
        self.line(text);
    }

    /// Adds running text to what is there.
    pub(crate) fn line(&mut self, text: &str) {
        self.roff.text(inlines(text));
        self.at_section = false;
    }

    /// Adds an entry to a list: a term, printed in bold where it is between backquotes, and paragraphs about it.
    pub(crate) fn item(&mut self, term: &str, paragraphs: &[&str]) {
        self.roff.control("TP", []);
        self.line(term);
        for (index, paragraph) in paragraphs.iter().enumerate() {
            if index > 0 {
                // An indented paragraph with the indentation of the list.
                self.roff.control("IP", []);
            }
            self.line(paragraph);
        }
    }

    /// Adds lines that are printed as they are.
    pub(crate) fn verbatim(&mut self, lines: &str) {
        self.roff.control("PP", []);
        self.roff.control("RS", ["4"]);
        self.roff.control("nf", []);
        for line in lines.lines() {
            self.roff.text(vec![roman(line)]);
        }
        self.roff.control("fi", []);
        self.roff.control("RE", []);
    }

    /// Adds the sections that every page ends with.
    pub(crate) fn closing(&mut self, files: &[(&str, &str)], examples: &[(&str, &str)], see_also: &[&str]) {
        self.section("FILES");
        for (path, meaning) in files {
            self.item(&names(path), &[meaning]);
        }
        self.section("EXAMPLES");
        for (text, commands) in examples {
            self.paragraph(text);
            self.verbatim(commands);
        }
        self.section("SEE ALSO");
        self.line(&see_also.join(", "));
    }

    /// Returns the source of the page.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.title, self.roff.render())
    }
}

/// Returns a list of names, separated by spaces, each as one types it.
pub(crate) fn names(list: &str) -> String {
    list.split(' ').map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns running text with what is between backquotes in bold. Sentences begin a line of the source, as troff wants it.
fn inlines(text: &str) -> Vec<Inline> {
    let sentences = text.replace(". ", ".\n").replace("...\n", "... ");
    let parts = sentences.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { bold(part) } else { roman(part) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_backquotes_is_bold_and_signs_stay_what_they_are() {
        let mut man = Man::new("a", "7", "b c");
        man.paragraph("Set `on_stop` to a-b. .Then 'go'");
        let text = man.text();
        assert!(text.starts_with(".TH \"A\" \"7\" \"\" \"eip "), "{text}");
        assert!(text.contains("Set \\fBon_stop\\fR to a\\-b.\n\\&.Then \\*(Aqgo\\*(Aq"), "{text}");
    }
}
