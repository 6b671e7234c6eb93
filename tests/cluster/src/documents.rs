//! Compares the output that documents show with what the programs print in a real cluster.

use crate::error::{Result, ensure};

pub const README: &str = include_str!("../../../README.md");
/// The operator manual.
pub const OPERATIONS: &str = include_str!("../../../docs/operations.md");
/// The document on announcements and metrics.
pub const MONITORING: &str = include_str!("../../../docs/monitoring.md");

/// Asserts that a document shows a screen that begins with the first printed line, and that every line of it was printed. Numbers, ids and
/// nodes may differ, and so may the order, because simultaneous events have none.
pub fn ensure_shown(document: &str, printed: &str) -> Result<()> {
    let lines: Vec<String> = printed.lines().map(masked).collect();
    let from_there = document.lines().skip_while(|line| Some(&masked(line)) != lines.first());
    let mut screen = from_there.take_while(|line| line.is_empty() || line.starts_with("    ")).peekable();
    ensure(screen.peek().is_some(), || format!("the document does not show:\n{printed}"))?;
    let wrong = screen.find(|line| !line.is_empty() && !lines.contains(&masked(line)));
    ensure(wrong.is_none(), || format!("the document shows {wrong:?}, not:\n{printed}"))
}

/// The line with `#` for each number and id, without the repeat count.
fn masked(line: &str) -> String {
    let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f' | '.');
    let piece = |piece: &str| {
        let end = piece.trim_start_matches(is_digit);
        if piece.contains(|c: char| c.is_ascii_digit()) { format!("#{end}") } else { piece.to_owned() }
    };
    let word = |word: &str| -> String {
        let name = word.trim_start_matches('-').replace("node", "n");
        name.split_inclusive(|c| !is_digit(c)).map(piece).collect()
    };
    let line = line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    line.trim_end_matches(" (# times)").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_figure_is_the_same_screen_and_another_word_is_not() {
        let document = "It prints:\n\n    node1 -> node2: after 1.24 s\n     -0.1  EC2  i-0aaaa (10.0.0.21)\n\nThis is it.\n";
        for same in [
            "n2 -> n1: after 0.9 s\n0.02  EC2  i-0e1b (10.0.1.2) (3 times)\n",
            "n2 -> n1: after 0.9 s\nmore\n0.02  EC2  i-0e1b (10.0.1.2)\n",
        ] {
            assert!(ensure_shown(document, same).is_ok(), "{same}");
        }
        for other in ["n2 -> n1: within 0.9 s", "n2 -> n1: after 0.9 s\n0.02 by IMDS i-0e1b (10.0.1.2)", ""] {
            assert!(ensure_shown(document, other).is_err(), "{other}");
        }
    }
}
