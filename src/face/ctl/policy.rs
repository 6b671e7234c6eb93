//! `eipctl policy`: the IAM policy that an address requires.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::call::{Failure, Invocation, print, print_json};
use super::command::partition_names;
use super::options::{ADDRESS, FOR_TABLES_ROLE, ROUTE_TABLE, TABLES_ROLE, VIP};
use super::subject::Subject;
use crate::base::ids::{AllocationId, RouteTableId};
use crate::cloud::{Imds as _, Selector};
use crate::ocf::agent;
use crate::params::{self, OverlayParams, Params, Tables, table};
use crate::resource::World as _;
use crate::resource::by_hand::BY_HAND;
use crate::resource::error::Error;
use crate::resource::policy::{self, PolicyScope, RouteCalls, partition_of};
use crate::world;

/// Prints the policy, or an explanation of its statements.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let (scope, role_arn) = scope(invocation)?;
    let statements = scope.statements();
    let limited: Vec<&str> = statements.iter().filter(|one| one.has_condition()).map(|one| one.sid).collect();
    if limited.is_empty() && !scope.tags.is_empty() {
        return Err(Failure::Usage(
            "--tag limits instances and interfaces, and no statement of this policy is about them".to_owned(),
        ));
    }
    if !invocation.is_set("explain") {
        if let RouteCalls::By(_) = scope.route_calls {
            invocation.log.warn(roles(&scope.route_calls, role_arn.as_deref()).join(". "));
        }
        return print_json(&scope.policy());
    }
    let mut text = String::new();
    for statement in &statements {
        let (sid, actions) = (statement.sid, statement.action.join(", "));
        let _ = writeln!(text, "{sid}: {actions}\n    {}", statement.purpose);
    }
    if !limited.is_empty() {
        let _ = writeln!(
            text,
            "\n{}: only instances and interfaces with the tags are allowed. Tag the interfaces too: EC2 does not copy an \
             instance's tags to them.",
            limited.join(", ")
        );
    }
    for sentence in roles(&scope.route_calls, role_arn.as_deref()) {
        let _ = writeln!(text, "\n{sentence}.");
    }
    print(&text)
}

/// Which roles need policies besides the one that is printed, a sentence for each.
fn roles(route_calls: &RouteCalls, role_arn: Option<&str>) -> Vec<String> {
    let caller = role_arn.unwrap_or("the role of the nodes");
    let of_tables = match route_calls {
        RouteCalls::Same => None,
        RouteCalls::By(role) => Some(format!(
            "{role} needs a policy of its own, which --{FOR_TABLES_ROLE} prints, and a trust policy that names {caller}"
        )),
        RouteCalls::Of(role) => {
            return vec![format!(
                "This is the policy of {role}. Its trust policy has to name {caller}, which needs a policy of its own, \
                 printed without --{FOR_TABLES_ROLE}"
            )];
        }
    };
    let of_caller = role_arn.map(|role| {
        format!(
            "This is the policy of {role}. The role of the nodes needs only sts:AssumeRole on it, and its trust policy has \
             to name that role"
        )
    });
    of_caller.into_iter().chain(of_tables).collect()
}

/// Combines the options with what is configured and what can be looked up; also the role that the nodes assume for all calls.
fn scope(invocation: &Invocation<'_>) -> Result<(PolicyScope, Option<String>), Failure> {
    let tags = tags(invocation)?;
    let partition = invocation.text("partition").map(partition).transpose()?;
    let account = invocation.text("account").map(account).transpose()?;
    // Here the options for the kind mean "also", for more addresses than the one that is named.
    let is_enough = invocation.is_set(VIP) || !invocation.texts(ROUTE_TABLE).is_empty();
    let subject = match invocation.text(ADDRESS) {
        None if is_enough => None,
        _ => Some(Subject::named(invocation, &[], false)?),
    };
    let (api, timing) = match &subject {
        Some(subject) => params::reach(&subject.configuration.parameters)?,
        None => params::reach(&invocation.parameters(table::EIP))?,
    };
    let mut allocations = Vec::new();
    for id in invocation.texts("also") {
        let id = AllocationId::parse(id).map_err(|error| Failure::Usage(format!("--also: {error}")))?;
        allocations.push(id.to_string());
    }
    let tables = invocation.texts(ROUTE_TABLE).into_iter().map(route_table);
    let mut tables = tables.collect::<Result<Vec<_>, _>>()?;
    let named = subject.as_ref().map(|subject| subject.agent.name);
    if let Some(subject) = subject.as_ref().filter(|_| named == Some(agent::OVERLAY_IP.name)) {
        tables.extend(tables_of(subject, &tables)?);
    }
    if tables.iter().any(|id| id == "*") {
        tables = vec!["*".to_owned()];
    }
    let mut needs = BTreeMap::from([(agent::EIP.name, allocations), (agent::OVERLAY_IP.name, tables)]);
    needs.retain(|_, ids| !ids.is_empty());
    if invocation.is_set(VIP) || named == Some(agent::VIP.name) {
        needs.insert(agent::VIP.name, Vec::new());
    }
    let route_calls = route_calls(invocation, subject.as_ref(), needs.contains_key(agent::OVERLAY_IP.name))?;
    let of_tables = match &route_calls {
        RouteCalls::Of(role) => account_of(role),
        RouteCalls::Same | RouteCalls::By(_) => None,
    };
    let elastic = subject.filter(|_| of_tables.is_none() && named == Some(agent::EIP.name));
    let elastic = elastic.map(|subject| Params::parse(&subject.configuration.parameters)).transpose()?;
    let world = invocation.world(BY_HAND, &api, &timing)?;
    let (settings, _) = world::settings(&api, &timing, &invocation.environment, invocation.deadline.budget());
    let deadline = &invocation.deadline;
    let look_up = || {
        let region = policy::from_metadata(deadline, async || world.imds().region().await);
        found(invocation, "region unknown, give --region", region)
    };
    let region = settings.region.map_or_else(look_up, Ok)?;
    let look_up = || {
        let account = policy::from_metadata(deadline, async || world.imds().account().await);
        found(invocation, "account unknown, give --account", account)
    };
    let given = of_tables.or(account).or_else(|| account_of(api.role_arn.as_deref()?));
    let account = given.map_or_else(look_up, Ok)?;
    if let Some(params) = elastic {
        let id = match (params.allocation_id, params.elastic_ip) {
            (None, Some(ip)) => {
                let unknown = format!("allocation unknown, give eipalloc-... instead of {ip}");
                let which = Selector::PublicIp(ip);
                Some(found(invocation, &unknown, policy::allocation(&world, &which, deadline))?)
            }
            (id, _) => id,
        };
        needs.entry(agent::EIP.name).or_default().splice(..0, id.map(|id| id.to_string()));
    }
    let partition = partition.unwrap_or_else(|| partition_of(&region).to_owned());
    Ok((PolicyScope { partition, region, account, tags, needs, route_calls }, api.role_arn))
}

/// The role for calls about route tables, as given or configured, and whether the policy is for it.
fn route_calls(
    invocation: &Invocation<'_>,
    subject: Option<&Subject>,
    has_tables: bool,
) -> Result<RouteCalls, Failure> {
    let configured = || subject?.configuration.parameters.get("routing_table_role").map(String::as_str);
    let role = invocation.text(TABLES_ROLE).or_else(configured);
    let is_for_it = invocation.is_set(FOR_TABLES_ROLE);
    match role {
        Some(role) if !params::is_role(role) => {
            Err(Failure::Usage(format!("--{TABLES_ROLE} {role}: expected arn:aws:iam::ACCOUNT:role/NAME")))
        }
        Some(_) if !has_tables => {
            Err(Failure::Usage(format!("--{TABLES_ROLE} is for route tables: add --{ROUTE_TABLE} ID")))
        }
        Some(role) if is_for_it => Ok(RouteCalls::Of(role.to_owned())),
        Some(role) => Ok(RouteCalls::By(role.to_owned())),
        None if is_for_it => Err(Failure::Usage(format!(
            "--{FOR_TABLES_ROLE}: no routing_table_role is configured, add --{TABLES_ROLE} ARN"
        ))),
        None => Ok(RouteCalls::Same),
    }
}

/// The route tables of an overlay address, as configured or on record, without those that are `given`.
fn tables_of(subject: &Subject, given: &[String]) -> Result<Vec<String>, Failure> {
    let parameters = &subject.configuration.parameters;
    if !parameters.contains_key("routing_table") && !given.is_empty() {
        return Ok(Vec::new());
    }
    let mut tables = match OverlayParams::parse(parameters)?.tables {
        Tables::Ids(ids) => ids.iter().map(ToString::to_string).collect(),
        Tables::Tagged { .. } | Tables::Routing => vec!["*".to_owned()],
    };
    tables.retain(|id| !given.contains(id));
    Ok(tables)
}

/// Looks up a value that was not given; `unknown` begins the message of a failure and names the option.
fn found<T>(
    invocation: &Invocation<'_>,
    unknown: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    let failed = |error| format!("{unknown}: {}", world::in_full(&error)).into();
    world::run(invocation.deadline, work).map_err(failed)
}

/// The account of an assumed role, which is the one that owns the address or the route tables.
fn account_of(role: &str) -> Option<String> {
    role.split(':').nth(4).map(str::to_owned)
}

fn account(text: &str) -> Result<String, Failure> {
    let valid = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    expected("account", text, valid.then(|| text.to_owned()), "twelve digits")
}

fn partition(text: &str) -> Result<String, Failure> {
    let is_known = policy::partitions().any(|name| name == text);
    expected("partition", text, is_known.then(|| text.to_owned()), &partition_names())
}

/// Refuses the value of an option from which nothing was read.
fn expected<T>(option: &str, text: &str, read: Option<T>, expected: &str) -> Result<T, Failure> {
    read.ok_or_else(|| Failure::Usage(format!("--{option} {text}: expected {expected}")))
}

/// Checks the id of a route table; `*` stands for every one.
fn route_table(text: &str) -> Result<String, Failure> {
    if text == "*" {
        return Ok(text.to_owned());
    }
    let id = RouteTableId::parse(text);
    id.map(|id| id.to_string()).map_err(|error| Failure::Usage(format!("--route-table: {error}, or *")))
}

/// The tags, each key once: a condition has one value for a key, and IAM takes no notice of the key's case.
fn tags(invocation: &Invocation<'_>) -> Result<Vec<(String, String)>, Failure> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for text in invocation.texts("tag") {
        // IAM would expand `${...}` in the value as a policy variable.
        let pair = text.split_once('=').filter(|(key, _)| !key.is_empty() && !text.contains("${"));
        let (key, value) = expected("tag", text, pair, "KEY=VALUE without ${")?;
        if tags.iter().any(|(other, _)| other.eq_ignore_ascii_case(key)) {
            return Err(Failure::Usage(format!("--tag {text}: {key} is given twice, a tag has one value")));
        }
        tags.push((key.to_owned(), value.to_owned()));
    }
    Ok(tags)
}
