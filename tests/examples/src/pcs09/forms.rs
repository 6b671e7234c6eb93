//! The commands of pcs 0.9 as tables, which [`super::grammar`] parses and whose source it documents.

/// A command's options, and whether each takes a value: after `=`, or, if it must have one, as the next word.
pub(super) type OptionTable = &'static [(&'static str, Value)];

/// Whether an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    None,
    /// `--wait` or `--wait=60`.
    Maybe,
    /// `--name x` or `--name=x`.
    Must,
}

/// What may follow the command's words and options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// A minimum and a maximum number of plain words.
    Words(usize, usize),
    /// Only assignments, at least one.
    Assignments,
    /// An id, then assignments.
    IdAndAssignments,
    /// An id and an agent, then assignments in sections.
    Create,
    /// An id, then assignments in sections.
    Update,
    /// Assignments, then more of them in sections with these names.
    Sections(&'static [&'static str]),
    /// `A with B`, or `A then B` with an optional action before each, an optional score and options.
    Pair(&'static str),
    /// A resource, `rule`, an optional score, and an expression.
    Rule,
    /// A file and a scope.
    Push,
}

pub(super) struct CommandForm {
    pub(super) words: &'static [&'static str],
    pub(super) options: OptionTable,
    pub(super) rest: Rest,
}

const WAIT: (&str, Value) = ("--wait", Value::Maybe);
const FORCE: (&str, Value) = ("--force", Value::None);
const MANY: usize = usize::MAX;

/// The commands that the examples use, and some that they might use.
pub(super) const FORMS: &[CommandForm] = &[
    form(
        &["cluster", "auth"],
        &[("-u", Value::Must), ("-p", Value::Must), FORCE, ("--local", Value::None)],
        Rest::Words(0, MANY),
    ),
    form(
        &["cluster", "setup"],
        &[
            ("--name", Value::Must),
            ("--start", Value::None),
            ("--enable", Value::None),
            ("--local", Value::None),
            WAIT,
            FORCE,
            ("--transport", Value::Must),
            ("--token", Value::Must),
            ("--consensus", Value::Must),
            ("--encryption", Value::Must),
        ],
        Rest::Words(1, MANY),
    ),
    form(&["cluster", "start"], &[("--all", Value::None), WAIT], Rest::Words(0, MANY)),
    form(&["cluster", "stop"], &[("--all", Value::None), FORCE], Rest::Words(0, MANY)),
    form(&["cluster", "sync"], &[], Rest::Nothing),
    form(&["cluster", "cib"], &[("--config", Value::None)], Rest::Words(0, 2)),
    form(&["cluster", "cib-push"], &[("--config", Value::None), WAIT], Rest::Push),
    form(&["alert", "create"], &[], Rest::Sections(&["options", "meta"])),
    form(&["alert", "recipient", "add"], &[], Rest::IdAndAssignments),
    form(&["alert"], &[], Rest::Nothing),
    form(&["property", "set"], &[FORCE, ("--node", Value::Must)], Rest::Assignments),
    form(
        &["resource", "create"],
        &[
            ("--disabled", Value::None),
            ("--group", Value::Must),
            ("--no-default-ops", Value::None),
            WAIT,
            FORCE,
        ],
        Rest::Create,
    ),
    form(&["resource", "update"], &[WAIT, FORCE], Rest::Update),
    form(&["resource", "meta"], &[WAIT], Rest::IdAndAssignments),
    form(&["resource", "defaults"], &[], Rest::Assignments),
    form(&["resource", "group", "add"], &[WAIT], Rest::Words(2, MANY)),
    form(&["resource", "unmanage"], &[("--monitor", Value::None)], Rest::Words(1, MANY)),
    form(&["resource", "manage"], &[("--monitor", Value::None)], Rest::Words(1, MANY)),
    form(&["resource", "delete"], &[], Rest::Words(1, 1)),
    form(&["resource", "show"], &[("--full", Value::None)], Rest::Words(0, MANY)),
    form(&["constraint", "colocation", "add"], &[], Rest::Pair("with")),
    form(&["constraint", "order"], &[], Rest::Pair("then")),
    form(&["constraint", "location"], &[], Rest::Rule),
    form(&["stonith", "create"], &[FORCE, ("--disabled", Value::None), WAIT], Rest::Create),
    form(&["stonith", "show"], &[("--full", Value::None)], Rest::Words(0, 1)),
    form(&["status"], &[("--full", Value::None)], Rest::Nothing),
];

/// The cluster properties of Pacemaker 1.1.23 that an example might set; pcs refuses others.
pub(super) const PROPERTIES: &[&str] = &[
    "cluster-recheck-interval",
    "crmd-transition-delay",
    "dc-deadtime",
    "maintenance-mode",
    "no-quorum-policy",
    "start-failure-is-fatal",
    "stonith-enabled",
    "stonith-timeout",
    "stop-orphan-resources",
    "symmetric-cluster",
];
/// Options that operations may have, in addition to those of the agent.
pub(super) const OPERATION_OPTIONS: &[&str] = &[
    "id",
    "interval",
    "timeout",
    "on-fail",
    "enabled",
    "record-pending",
    "role",
    "requires",
    "start-delay",
    "OCF_CHECK_LEVEL",
];

const fn form(words: &'static [&'static str], options: OptionTable, rest: Rest) -> CommandForm {
    CommandForm { words, options, rest }
}
