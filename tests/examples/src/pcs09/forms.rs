//! The commands of pcs 0.9 as tables, which [`super::grammar`] parses; their source is documented there.

/// Options that a command takes, with whether each takes a value: after `=`, or, if it must have one, as the next word.
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

/// What may stand after the command's words and options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    /// At least so many and at most so many plain words.
    Words(usize, usize),
    /// Assignments alone, at least one.
    Assignments,
    /// An id, then assignments.
    IdAndAssignments,
    /// An id and an agent, then assignments in sections.
    Create,
    /// An id, then assignments in sections.
    Update,
    /// `A with B`, or `A then B` with perhaps an action before each, perhaps a score, perhaps options.
    Pair(&'static str),
    /// A file and how much of it.
    Push,
}

/// A command.
pub(super) struct CommandForm {
    pub(super) words: &'static [&'static str],
    pub(super) options: OptionTable,
    pub(super) rest: Rest,
}

const WAIT: (&str, Value) = ("--wait", Value::Maybe);
const FORCE: (&str, Value) = ("--force", Value::None);
const MANY: usize = usize::MAX;

/// The commands that the examples use, and some that they might.
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
    form(&["stonith", "create"], &[FORCE, ("--disabled", Value::None), WAIT], Rest::Create),
    form(&["stonith", "show"], &[("--full", Value::None)], Rest::Words(0, 1)),
    form(&["status"], &[("--full", Value::None)], Rest::Nothing),
];

/// The cluster properties that Pacemaker 1.1.23 knows, of those that one might want to set; pcs refuses others.
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
/// What operations may carry beside the agent's own words.
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
