//! Parses a settings file in shell syntax as data: quotes, comments, `export` and line continuations work as in a
//! shell, but nothing is executed or expanded.
//!
//! No crate does this: those that split words like a shell lose the difference between `'$(reboot)'`, which is text,
//! and `$(reboot)`.

use std::iter::Peekable;
use std::str::Chars;

/// A `NAME=VALUE` in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Line on which it begins, counted from 1.
    pub line: usize,
    /// The text before the equals sign.
    pub name: String,
    /// The value without quotes; expansions are kept as written.
    pub value: String,
    /// The kind of the first expansion in the value, if any.
    pub expansion: Option<Expansion>,
}

/// An expansion that only a shell could perform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expansion {
    /// A command: `$(...)` or backticks.
    Command,
    /// `$NAME`, `${...}` and the like.
    Variable,
}

/// A settings file, parsed without running anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The assignments in file order.
    pub assignments: Vec<Assignment>,
    /// Line numbers of anything else, such as commands.
    pub ignored: Vec<usize>,
    /// Line on which an unterminated quote, `$(`, `${` or backtick begins.
    pub unclosed: Option<usize>,
}

/// Parses a settings file.
///
/// A shell command is either one or more assignments, optionally after `export`, or something else. Anything else is
/// ignored as a whole: in `A=1 make`, `A` is set for `make` only.
pub fn read(text: &str) -> Reading {
    let mut lexer =
        Lexer { rest: text.trim_start_matches('\u{feff}').chars().peekable(), line: 1, unclosed: None };
    let mut reading = Reading::default();
    while let Some(words) = lexer.command() {
        let line = words.first().map_or(lexer.line, |first| first.line);
        match assignments(words) {
            Some(found) => reading.assignments.extend(found),
            None => reading.ignored.push(line),
        }
    }
    reading.unclosed = lexer.unclosed;
    reading
}

/// The assignments that make up a command; `None` for any other kind of command.
fn assignments(words: Vec<Word>) -> Option<Vec<Assignment>> {
    let exported = words.first().is_some_and(|word| word.text == "export" && !word.quoted);
    let mut found = Vec::new();
    for word in words.into_iter().skip(usize::from(exported)) {
        match word.text.split_once('=').filter(|(name, _)| word.equals_sign_is_plain && is_name(name)) {
            Some((name, value)) => found.push(Assignment {
                line: word.line,
                name: name.to_owned(),
                value: value.to_owned(),
                expansion: word.expansion,
            }),
            // `export NAME` alone sets nothing.
            None if exported && is_name(&word.text) => {}
            None => return None,
        }
    }
    Some(found)
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.bytes().all(plain) && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Characters that end a word, and that assignments do not have.
const OPERATORS: &str = "&|<>()";

#[derive(Default)]
struct Word {
    line: usize,
    text: String,
    quoted: bool,
    /// Whether the first `=` is outside quotes and expansions.
    equals_sign_is_plain: bool,
    expansion: Option<Expansion>,
}

impl Word {
    fn plain(&mut self, character: char) {
        if character == '=' && !self.text.contains('=') {
            self.equals_sign_is_plain = !self.quoted && self.expansion.is_none();
        }
        self.text.push(character);
    }
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    unclosed: Option<usize>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.next();
        if next == Some('\n') {
            self.line += 1;
        }
        next
    }

    /// The words up to the end of a line or a semicolon, each operator as a word of its own; `None` at the end of the text.
    fn command(&mut self) -> Option<Vec<Word>> {
        let mut words = Vec::new();
        while let Some(&next) = self.rest.peek() {
            match next {
                '\n' | ';' if !words.is_empty() => break,
                '#' => while self.rest.next_if(|&character| character != '\n').is_some() {},
                _ if next == ';' || next.is_whitespace() => drop(self.next()),
                _ if OPERATORS.contains(next) => {
                    let text = self.next().into_iter().collect();
                    words.push(Word { line: self.line, text, ..Word::default() });
                }
                _ => words.extend(self.word()),
            }
        }
        (!words.is_empty()).then_some(words)
    }

    /// The next word; `None` if only a line continuation follows.
    fn word(&mut self) -> Option<Word> {
        let mut word = Word { line: self.line, ..Word::default() };
        while let Some(&next) = self.rest.peek() {
            if next.is_whitespace() || next == ';' || OPERATORS.contains(next) {
                break;
            }
            let from = self.line;
            self.next();
            match next {
                '\\' => match self.next() {
                    Some('\n') | None => {}
                    Some('\r') if self.rest.peek() == Some(&'\n') => drop(self.next()),
                    Some(escaped) => {
                        word.quoted = true;
                        word.plain(escaped);
                    }
                },
                '\'' | '"' => self.quotation(from, next, &mut word),
                '$' | '`' => self.expansion(from, next, &mut word),
                other => word.plain(other),
            }
        }
        (word.quoted || !word.text.is_empty()).then_some(word)
    }

    /// Adds the text up to the closing quote to the word.
    fn quotation(&mut self, from: usize, quote: char, word: &mut Word) {
        word.quoted = true;
        loop {
            match self.next() {
                None => return self.never_ends(from),
                Some(next) if next == quote => return,
                Some('\\') if quote == '"' => match self.rest.peek().copied() {
                    Some('\n') => drop(self.next()),
                    Some(escaped @ ('$' | '`' | '"' | '\\')) => {
                        self.next();
                        word.plain(escaped);
                    }
                    _ => word.plain('\\'),
                },
                Some(next @ ('$' | '`')) if quote == '"' => self.expansion(self.line, next, word),
                Some(next) => word.plain(next),
            }
        }
    }

    fn never_ends(&mut self, from: usize) {
        self.unclosed.get_or_insert(from);
    }

    /// Adds a whole expansion to the word as written, so that its content is not mistaken for settings.
    fn expansion(&mut self, from: usize, begin: char, word: &mut Word) {
        let end = match (begin, self.rest.peek().copied()) {
            ('`', _) => '`',
            (_, Some('(')) => ')',
            (_, Some('{')) => '}',
            (_, Some(c)) if c.is_ascii_alphanumeric() || "_@*#?$!-'\"".contains(c) => {
                word.expansion.get_or_insert(Expansion::Variable);
                return word.text.push('$');
            }
            // A dollar sign on its own is literal.
            _ => return word.plain('$'),
        };
        word.expansion.get_or_insert(if end == '}' { Expansion::Variable } else { Expansion::Command });
        word.text.push(begin);
        let mut depth = 0;
        loop {
            let Some(next) = self.next() else {
                return self.never_ends(from);
            };
            word.text.push(next);
            match next {
                '\\' => word.text.extend(self.next()),
                '(' if end == ')' => depth += 1,
                '{' if end == '}' => depth += 1,
                c if c == end => {
                    depth -= 1;
                    if depth <= 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and values, as a shell would set them.
    fn values(text: &str) -> Vec<(String, String)> {
        let reading = read(text);
        assert_eq!((reading.ignored.as_slice(), reading.unclosed), (&[][..], None), "{text}");
        reading
            .assignments
            .into_iter()
            .inspect(|found| assert_eq!(found.expansion, None, "{text}"))
            .map(|found| (found.name, found.value))
            .collect()
    }

    fn one(text: &str) -> Assignment {
        let reading = read(text);
        assert_eq!(reading.assignments.len(), 1, "{reading:?}");
        reading.assignments.into_iter().next().unwrap()
    }

    #[test]
    fn values_are_what_a_shell_makes_of_them() {
        for (text, value) in [
            ("A=203.0.113.10", "203.0.113.10"),
            ("A=", ""),
            ("A=''", ""),
            ("  A=x  \t", "x"),
            ("A=x # a comment", "x"),
            ("A=x#y", "x#y"),
            ("A=\"--region=eu-west-1\"", "--region=eu-west-1"),
            ("A='two words'", "two words"),
            ("A=two\\ words", "two words"),
            ("A=\"a\"'b'c", "abc"),
            ("A=\"say \\\"x\\\" \\\\ \\n\"", "say \"x\" \\ \\n"),
            ("A='$(reboot) `reboot` $HOME'", "$(reboot) `reboot` $HOME"),
            ("A=\\$HOME", "$HOME"),
            ("A=\"\\$HOME \\`x\\`\"", "$HOME `x`"),
            ("A=5$", "5$"),
            ("A=\"--region=eu-west-1 \\\n  --profile x\"", "--region=eu-west-1   --profile x"),
            ("A=one\\\ntwo", "onetwo"),
            ("A=\"one\ntwo\"", "one\ntwo"),
            ("A=x;", "x"),
            ("A=b=c", "b=c"),
            ("export A=x", "x"),
            ("A=x\r\n", "x"),
            ("\u{feff}A=x", "x"),
        ] {
            assert_eq!(values(text), [("A".to_owned(), value.to_owned())], "{text:?}");
        }
    }

    #[test]
    fn several_assignments_are_read_in_order() {
        let text = "# head\n\nA=1 B=2\nexport C=3 D\n;E=5; F=6 # tail\n\\\nG=7";
        let found: String = values(text).into_iter().map(|(name, value)| name + &value).collect();
        assert_eq!(found, "A1B2C3E5F6G7");
    }

    #[test]
    fn what_a_shell_would_run_or_expand_is_known_and_kept_together() {
        for (text, value, expansion) in [
            ("A=$(curl -s http://x/y)", "$(curl -s http://x/y)", Expansion::Command),
            ("A=\"$(echo $(echo 1) )\"", "$(echo $(echo 1) )", Expansion::Command),
            ("A=`reboot; reboot`", "`reboot; reboot`", Expansion::Command),
            ("A=\"x`id`\"", "x`id`", Expansion::Command),
            ("A=$HOME/x", "$HOME/x", Expansion::Variable),
            ("A=\"${HOME:-B=1; C}\"", "${HOME:-B=1; C}", Expansion::Variable),
            ("A=$1", "$1", Expansion::Variable),
            ("A=$'x'", "$x", Expansion::Variable),
            ("A=$(\nB=2\n)", "$(\nB=2\n)", Expansion::Command),
        ] {
            let found = one(text);
            assert_eq!((found.value.as_str(), found.expansion), (value, Some(expansion)), "{text:?}");
        }
    }

    #[test]
    fn commands_are_ignored_as_a_whole_with_their_line() {
        for text in [
            "reboot",
            ". /etc/other",
            "[ -r /etc/x ] && A=1",
            "A=1 reboot",
            "A=1 | B=2",
            "(A=1)",
            "A=1 > /etc/passwd",
            "if true",
            "export -n A=1",
            "\"A=1\"",
            "A\\=1",
            "1A=1",
            "$(reboot)=1",
            "$(reboot)",
        ] {
            let reading = read(&format!("\n{text}\nB=2"));
            assert!(reading.ignored.contains(&2), "{text}: {reading:?}");
            let names: Vec<_> = reading.assignments.iter().map(|found| found.name.as_str()).collect();
            assert_eq!(names, ["B"], "{text}");
        }
    }

    #[test]
    fn what_never_ends_is_reported_by_its_line() {
        for text in ["A='x", "A=\"x", "A=$(x", "A=`x", "A=${x", "A=\"$(x\""] {
            assert_eq!(read(&format!("B=1\n\n{text}\nC=1\n")).unclosed, Some(3), "{text}");
        }
    }

    #[test]
    fn assignments_know_their_lines() {
        let reading = read("A=1\nB=\"x\ny\"\nC=\\\n3\n");
        let lines: Vec<_> = reading.assignments.iter().map(|found| found.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }
}
