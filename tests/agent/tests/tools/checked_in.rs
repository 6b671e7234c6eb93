//! `ocf/eip.xml` and `ocf/eip-1.1.xml`, and the same of `vip`: the meta-data for whoever wants to read it without building the agent, and for
//! reviewers, who see in them what a change does to users' configurations.

use crate::agent::{Form, binary, meta_data_of, repository};

#[track_caller]
fn assert_current(agent: &str, name: &str, form: Form) {
    let kept = std::fs::read_to_string(repository().join("ocf").join(name)).unwrap_or_default();
    let printed = meta_data_of(agent, form);
    if kept == printed {
        return;
    }
    let changed = printed.lines().zip(kept.lines()).position(|(printed, kept)| printed != kept);
    let line = changed.unwrap_or_else(|| printed.lines().count().min(kept.lines().count())) + 1;
    let variables: Vec<String> =
        form.variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
    panic!(
        "ocf/{name} is not what the agent prints, from line {line} on; after a look at the difference:\n\
         env -i {} sh -c 'exec -a {agent} {} meta-data' >ocf/{name}",
        variables.join(" "),
        binary().display()
    );
}

#[test]
fn old_form_is_what_the_agent_prints() {
    assert_current("eip", "eip.xml", Form::V1_0);
    assert_current("vip", "vip.xml", Form::V1_0);
}

#[test]
fn new_form_is_what_the_agent_prints() {
    assert_current("eip", "eip-1.1.xml", Form::V1_1);
    assert_current("vip", "vip-1.1.xml", Form::V1_1);
}
