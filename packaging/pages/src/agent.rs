//! The page of an agent, in the form that resource-agents gives to `ocf_heartbeat_*(7)`.

use eip::ocf::agent::{ActionSpec, Advertised, Agent};
use eip::ocf::exit::ExitCode;
use eip::params::table::{Effect, Spec};

use crate::about::{About, COMMON_ENVIRONMENT, COMMON_FILES};
use crate::man::{Man, names};

/// Returns the page of an agent.
pub(crate) fn page(about: &About) -> String {
    let agent = about.agent;
    let name = format!("ocf_heartbeat_{}", agent.name);
    let mut man = Man::new(&name, "7", "OCF resource agents");
    man.section("NAME");
    man.line(&format!("{name} - {}", agent.short));
    man.section("SYNOPSIS");
    man.line(&format!("`{}` [{}]", agent.name, actions(agent, true).join(" | ")));
    man.section("DESCRIPTION");
    man.paragraphs(agent.long);
    man.section("SUPPORTED PARAMETERS");
    for spec in agent.parameters {
        man.item(&format!("`{}`", spec.name), &[spec.long, &facts(spec)]);
    }
    supported_actions(&mut man, about);
    man.section("EXIT STATUS");
    for (code, meaning) in about.exit_codes {
        man.item(&format!("`{}` {}", u8::from(*code), ocf_name(*code)), &[meaning]);
    }
    man.paragraph(
        "With each failure goes one line to standard error, which `pcs status` and `crm_mon` show: what failed, on what, \
         and what was answered.",
    );
    man.section("ENVIRONMENT");
    for (name, meaning) in COMMON_ENVIRONMENT {
        man.item(&names(name), &[meaning]);
    }
    man.closing(COMMON_FILES, about.examples, about.see_also);
    man.text()
}

/// Returns the names of the actions that the cluster is told of, or of the others.
fn actions(agent: &Agent, advertised: bool) -> Vec<&'static str> {
    let listed = |action: &&ActionSpec| (action.advertised != Advertised::Never) == advertised;
    agent.actions.iter().filter(listed).map(|action| action.name).collect()
}

/// Returns what is in parentheses below a parameter.
fn facts(spec: &Spec) -> String {
    let mut facts = Vec::new();
    if spec.unique.is_some() {
        facts.push("unique".to_owned());
    }
    facts.push(if spec.required { "required" } else { "optional" }.to_owned());
    facts.push(spec.kind.as_str().to_owned());
    if spec.effect == Effect::NoEffect {
        facts.push("no effect".to_owned());
    } else {
        facts.push(match spec.default {
            Some(default) => format!("default `{default}`"),
            None => "no default".to_owned(),
        });
        if spec.reloadable {
            facts.push("reloadable".to_owned());
        }
    }
    format!("({})", facts.join(", "))
}

fn supported_actions(man: &mut Man, about: &About) {
    man.section("SUPPORTED ACTIONS");
    for action in about.agent.actions.iter().filter(|action| action.advertised != Advertised::Never) {
        let mut sentences = vec![about.does(action.name).to_owned()];
        sentences.push(format!("Suggested minimum timeout: {} s.", action.timeout_s));
        sentences.extend(action.interval_s.map(|interval| format!("Suggested interval: {interval} s.")));
        if action.advertised == Advertised::Since11 {
            sentences.push("Advertised to Pacemaker 2.1.0 and later.".to_owned());
        }
        man.item(&format!("`{}`", action.name), &[&sentences.join(" ")]);
    }
    man.paragraph(&format!(
        "For people, and not advertised: {}. From Pacemaker 2.1.0 on, a change of a parameter that is marked reloadable is no \
         restart of the resource, except the first one after a refresh.",
        actions(about.agent, false).join(", ")
    ));
}

/// Returns what the standard calls a code.
fn ocf_name(code: ExitCode) -> &'static str {
    match code {
        ExitCode::Success => "OCF_SUCCESS",
        ExitCode::Generic => "OCF_ERR_GENERIC",
        ExitCode::Args => "OCF_ERR_ARGS",
        ExitCode::Unimplemented => "OCF_ERR_UNIMPLEMENTED",
        ExitCode::Permission => "OCF_ERR_PERM",
        ExitCode::Installed => "OCF_ERR_INSTALLED",
        ExitCode::Configured => "OCF_ERR_CONFIGURED",
        ExitCode::NotRunning => "OCF_NOT_RUNNING",
    }
}
