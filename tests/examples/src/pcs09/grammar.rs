//! What pcs 0.9 accepts, for the commands that the examples use.
//!
//! # Source
//! `pcs help` and `pcs(8)` of pcs 0.9.169, the last version in `CentOS` 7.9. Its verdict on each line of the tests below was
//! compared with that of the program itself.

use super::forms::{CommandForm, FORMS, OPERATION_OPTIONS, PROPERTIES, Rest, Value};

/// A command line that pcs 0.9 accepts.
#[derive(Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The CIB file to work on, from `-f`.
    pub file: Option<String>,
    /// All other words.
    pub command: Vec<String>,
}

/// Parses a command line. The error says why pcs 0.9 would refuse it.
pub fn parse(words: &[&str]) -> Result<Parsed, String> {
    let (file, words) = match words {
        ["-f", file, rest @ ..] => (Some((*file).to_owned()), rest),
        _ => (None, words),
    };
    let known = |form: &&CommandForm| words.starts_with(form.words);
    let form = FORMS.iter().find(known).ok_or_else(|| {
        let begin: Vec<_> = words.iter().take_while(|word| !word.starts_with('-')).take(2).copied().collect();
        format!("there is no command `{}`, or no example needs it", begin.join(" "))
    })?;
    let plain = without_options(words.get(form.words.len()..).unwrap_or_default(), form)?;
    let named = words.iter().any(|word| *word == "--name" || word.starts_with("--name="));
    if form.words == ["cluster", "setup"] && !named {
        return Err("a cluster name is needed: --name <name>".into());
    }
    rest(form, &plain)?;
    Ok(Parsed { file, command: words.iter().map(ToString::to_string).collect() })
}

/// The words that are not options, after checking that the command takes each option.
fn without_options<'a>(words: &[&'a str], form: &CommandForm) -> Result<Vec<&'a str>, String> {
    let mut plain = Vec::new();
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        if !word.starts_with('-') || word.parse::<i64>().is_ok() || word == "-INFINITY" {
            plain.push(word);
            continue;
        }
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let known = form.options.iter().find(|(option, _)| *option == name);
        match (known, value) {
            (None, _) => return Err(format!("`{name}` is no option of `{}`", form.words.join(" "))),
            (Some((_, Value::None)), Some(_)) => return Err(format!("`{name}` takes no value")),
            (Some((_, Value::Must)), None) => {
                words.next().ok_or_else(|| format!("`{name}` needs a value"))?;
            }
            _ => {}
        }
    }
    Ok(plain)
}

fn rest(form: &CommandForm, words: &[&str]) -> Result<(), String> {
    let command = form.words.join(" ");
    match form.rest {
        Rest::Nothing if words.is_empty() => Ok(()),
        Rest::Nothing => Err(format!("`{command}` takes nothing more")),
        Rest::Words(least, most) => counted(&command, words, least, most),
        Rest::Assignments => {
            let names = assigned(words)?;
            if names.is_empty() {
                return Err(format!("`{command}` needs name=value"));
            }
            let unknown =
                names.iter().find(|name| form.words == ["property", "set"] && !PROPERTIES.contains(name));
            unknown.map_or(Ok(()), |name| Err(format!("`{name}` is no property of Pacemaker 1.1")))
        }
        Rest::IdAndAssignments => match words {
            [_, assignments @ ..] if !assignments.is_empty() => assigned(assignments).map(drop),
            _ => Err(format!("`{command}` needs an id and name=value")),
        },
        Rest::Create => match words {
            [id, agent, more @ ..] if !id.contains('=') && !agent.contains('=') => sections(more, form),
            _ => Err(format!("`{command}` needs an id and an agent")),
        },
        Rest::Update => match words {
            [id, more @ ..] if !id.contains('=') && !more.is_empty() => sections(more, form),
            _ => Err(format!("`{command}` needs an id and something to change")),
        },
        Rest::Sections(names) => {
            let parts = words.split(|word| names.contains(word));
            let whole: Result<Vec<_>, _> = parts.map(assigned).collect();
            if whole?.iter().any(Vec::is_empty) {
                Err(format!("`{command}` needs name=value"))
            } else {
                Ok(())
            }
        }
        Rest::Pair(between) => match without_actions(between, words).as_slice() {
            [_, word, _, more @ ..] if *word == between => more.iter().try_for_each(|word| {
                let score = word.parse::<i64>().is_ok() || word.trim_start_matches('-') == "INFINITY";
                let fits = word.contains('=') || (score && between == "with");
                if fits { Ok(()) } else { Err(format!("`{word}` has no place in `{command}`")) }
            }),
            _ => Err(format!("`{command}` needs A {between} B")),
        },
        Rest::Rule => match words {
            [_, "rule", more @ ..] => {
                let expression = more.iter().skip_while(|word| word.starts_with("score="));
                match expression.copied().collect::<Vec<_>>().as_slice() {
                    [attribute, "eq" | "ne", value] if !attribute.contains(' ') && !value.contains('=') => {
                        Ok(())
                    }
                    other => Err(format!("`{}` is no expression of a rule", other.join(" "))),
                }
            }
            _ => Err(format!("`{command}` needs a resource and a rule")),
        },
        Rest::Push => match words {
            [file] if !file.contains('=') => Ok(()),
            [_, how] if how.starts_with("diff-against=") || how.starts_with("scope=") => Ok(()),
            _ => Err(format!("`{command}` needs a file, and diff-against=<file> or scope=<scope>")),
        },
    }
}

/// Omits the actions that may precede the resources of `constraint order`.
fn without_actions<'a>(between: &str, words: &[&'a str]) -> Vec<&'a str> {
    let is_action = |word: &str| between == "then" && ["start", "stop", "promote", "demote"].contains(&word);
    words.iter().copied().filter(|word| !is_action(word)).collect()
}

fn counted(command: &str, words: &[&str], least: usize, most: usize) -> Result<(), String> {
    // This is the difference that users meet most often: from 0.10 on, `addr=` and `token=` are among the words.
    let misplaced = words.iter().find(|word| word.contains('=') && !word.starts_with("scope="));
    if let Some(word) = misplaced {
        return Err(format!("`{word}` has no place in `{command}`"));
    }
    if command == "cluster setup" && words.iter().any(|word| ["totem", "transport", "quorum"].contains(word))
    {
        return Err("sections (totem, transport, quorum) are of pcs 0.10; here they are options".into());
    }
    let fits = (least..=most).contains(&words.len());
    if fits { Ok(()) } else { Err(format!("`{command}` has {} words", words.len())) }
}

fn assigned<'a>(words: &[&'a str]) -> Result<Vec<&'a str>, String> {
    let name = |word: &&'a str| match word.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(name),
        _ => Err(format!("`{word}` is not name=value")),
    };
    words.iter().map(name).collect()
}

/// Agent's parameters, then `op NAME name=value...`, `meta name=value...`, and for resources `clone [name=value...]`.
fn sections(words: &[&str], form: &CommandForm) -> Result<(), String> {
    let keyword = |word: &str| {
        word == "op" || word == "meta" || (word == "clone" && form.words == ["resource", "create"])
    };
    let mut from = 0;
    while from < words.len() {
        let length = words.iter().skip(from + 1).take_while(|word| !keyword(word)).count() + 1;
        match words.get(from..from + length).unwrap_or_default() {
            ["op", action, options @ ..] if !action.contains('=') => {
                let names = assigned(options)?;
                if names.is_empty() {
                    return Err(format!("`op {action}` has no options"));
                }
                if let Some(name) = names.iter().find(|name| !OPERATION_OPTIONS.contains(name)) {
                    return Err(format!("`{name}` is no option of an operation"));
                }
            }
            ["op", ..] => return Err("`op` needs the name of an action".into()),
            ["meta"] => return Err("`meta` needs name=value".into()),
            ["meta" | "clone", options @ ..] => drop(assigned(options)?),
            parameters => drop(assigned(parameters)?),
        }
        from += length;
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
