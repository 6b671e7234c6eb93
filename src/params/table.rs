//! The table of parameters, a part for each agent: the source of the parser's defaults, the meta-data, the man pages
//! and the documentation.
//!
//! `reloadable` is set if a change only alters later actions, so that the address stays up while the change takes
//! effect. That is true for access to AWS and time limits, and for the three policies: `allow_reassociation` is used by
//! the next start only, `on_stop` by the next stop (Pacemaker stops with the parameters of the last successful start or
//! reload), and `restore_displaced` by both; a restart would restore no more than a reload, because an address is
//! displaced by the first start. Address and target are not reloadable: changing them requires a move.

mod eip;
mod health;
mod overlay;
mod shared;
mod vip;

pub use eip::EIP;
pub use health::HEALTH;
pub use overlay::OVERLAY;
pub use vip::VIP;

/// The type of a value in the meta-data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
}

impl ContentType {
    /// Name of the type in the meta-data.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }
}

/// One parameter, as the parser, the meta-data and the documents need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Name in the cluster's configuration.
    pub name: &'static str,
    /// Type of the value.
    pub kind: ContentType,
    /// Value if unset; `None` if "unset" has a meaning of its own.
    pub default: Option<&'static str>,
    /// The group in which no two resources may have the same values; `None` if they may.
    pub unique: Option<&'static str>,
    /// Whether a change takes effect without stopping the resource.
    pub reloadable: bool,
    /// Whether the agent uses it; if not, any value is accepted and ignored.
    pub used: bool,
    /// Whether it must be set.
    pub required: bool,
    /// A few words for lists.
    pub short: &'static str,
    /// What an operator has to know, without the default, which is appended; `{old}` stands for the agent that ours replaces.
    pub long: &'static str,
}

/// The parameter with this name.
pub fn find<'a>(table: &'a [Spec], name: &str) -> Option<&'a Spec> {
    table.iter().find(|spec| spec.name == name)
}

/// Defaults for a parameter: text, no default value, not unique, changed by a restart.
const PLAIN: Spec = Spec {
    name: "",
    kind: ContentType::String,
    default: None,
    unique: None,
    reloadable: false,
    used: true,
    required: false,
    short: "",
    long: "",
};

/// As [`PLAIN`], changed by a reload.
const RELOADABLE: Spec = Spec { reloadable: true, ..PLAIN };

/// A number of seconds.
const SECONDS: Spec = Spec { kind: ContentType::Integer, ..RELOADABLE };

/// A switch that is on by default.
const ON: Spec = Spec { kind: ContentType::Boolean, default: Some("true"), ..RELOADABLE };

/// A parameter of `awseip` that has no effect here.
const NO_EFFECT: Spec = Spec { used: false, ..RELOADABLE };
