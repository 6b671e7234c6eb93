//! What a person reads who calls the agent without knowing how.

use super::agent::EIP;

/// How many names the agent `eip` can be called with.
const COUNT: usize = EIP.actions.len();

/// All actions that the agent `eip` takes as its argument.
pub const ACTIONS: [&str; COUNT] = {
    let mut names = [""; COUNT];
    let mut index = 0;
    // Iterators can't run at compile time. An index out of bounds would not compile.
    #[allow(clippy::indexing_slicing)]
    while index < COUNT {
        names[index] = EIP.actions[index].name;
        index += 1;
    }
    names
};

/// Returns the text of `usage`, for a binary called by this name.
#[must_use]
pub fn text(name: &str) -> String {
    let name = if name.is_empty() { EIP.name } else { name };
    let (actions, short) = (ACTIONS.join("|"), EIP.short);
    format!(
        "usage: {name} {{{actions}}}\n\n{short}. An OCF resource agent, run by Pacemaker.\n\
         Parameters are read from the environment as OCF_RESKEY_NAME; \"{name} meta-data\" describes them.\n"
    )
}

/// Returns the text of `methods`: the actions, one a line.
#[must_use]
pub fn methods() -> String {
    ACTIONS.map(|name| format!("{name}\n")).concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_names_every_action_and_the_name_it_was_called_by() {
        let text = text("eip-test");
        assert!(text.starts_with("usage: eip-test {start|stop|monitor|"), "{text}");
        assert!(ACTIONS.iter().all(|name| text.contains(name)) && text.is_ascii() && text.ends_with('\n'));
    }

    #[test]
    fn methods_are_one_a_line() {
        assert_eq!(methods().lines().collect::<Vec<_>>(), ACTIONS);
        assert!(ACTIONS.contains(&"status") && ACTIONS.contains(&"reload-agent"));
    }
}
