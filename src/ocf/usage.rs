//! Usage text for people who call an agent by hand.

use super::agent::{Agent, UNLISTED};
use crate::base::text::one_line;

/// The names of all actions, advertised or not.
pub fn actions(agent: &'static Agent) -> impl Iterator<Item = &'static str> {
    agent.actions.iter().map(|action| action.name).chain(UNLISTED)
}

/// The usage text; `name` is the name of the binary.
pub fn text(agent: &'static Agent, name: &str) -> String {
    let name = if name.is_empty() { agent.name } else { name };
    let name = one_line(name);
    let (actions, short) = (actions(agent).collect::<Vec<_>>().join("|"), agent.short);
    format!(
        "usage: {name} {{{actions}}}\n\n{short}. An OCF resource agent, run by Pacemaker.\n\
         Parameters are read from the environment as OCF_RESKEY_NAME; \"{name} meta-data\" describes them.\n"
    )
}

/// The output of `methods`: one action per line.
pub fn methods(agent: &'static Agent) -> String {
    actions(agent).flat_map(|name| [name, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocf::agent::{self, EIP};

    #[test]
    fn usage_names_every_action_and_the_name_it_was_called_by() {
        for agent in agent::WITH_HEALTH {
            let text = text(agent, "eip-test");
            assert!(text.starts_with("usage: eip-test {start|stop|monitor|"), "{text}");
            assert!(
                actions(agent).all(|name| text.contains(name)) && text.is_ascii() && text.ends_with('\n')
            );
        }
    }

    #[test]
    fn methods_are_one_a_line() {
        let methods = methods(&EIP);
        let lines: Vec<&str> = methods.lines().collect();
        assert_eq!(lines, actions(&EIP).collect::<Vec<_>>());
        assert!(lines.contains(&"status") && lines.contains(&"reload-agent"));
    }
}
