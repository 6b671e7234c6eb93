//! `ocf/eip.xml` and `ocf/eip-1.1.xml`: the meta-data for whoever wants to read it without building the agent, and for
//! reviewers, who see in them what a change does to users' configurations.

use crate::agent::{Form, binary, meta_data, repository};

#[track_caller]
fn assert_current(name: &str, form: Form) {
    let kept = std::fs::read_to_string(repository().join("ocf").join(name)).unwrap_or_default();
    let printed = meta_data(form);
    if kept == printed {
        return;
    }
    let changed = printed.lines().zip(kept.lines()).position(|(printed, kept)| printed != kept);
    let line = changed.unwrap_or_else(|| printed.lines().count().min(kept.lines().count())) + 1;
    let variables: Vec<String> =
        form.variables().iter().map(|(name, value)| format!("{name}={value}")).collect();
    panic!(
        "ocf/{name} is not what the agent prints, from line {line} on; after a look at the difference:\n\
         env -i {} {} meta-data >ocf/{name}",
        variables.join(" "),
        binary().display()
    );
}

#[test]
fn old_form_is_what_the_agent_prints() {
    assert_current("eip.xml", Form::V1_0);
}

#[test]
fn new_form_is_what_the_agent_prints() {
    assert_current("eip-1.1.xml", Form::V1_1);
}
