//! The one table of parameters, a part for each agent: the parser's defaults, the meta-data, the man page and the documents
//! come from it.
//!
//! `reloadable` is set where a change only alters what later actions do, so that a running address stays up while the
//! change takes effect. That holds for how AWS is reached and how long is waited, and also for the three policies:
//! `allow_reassociation` is looked at by the next start alone, `on_stop` by the next stop (Pacemaker stops with the
//! parameters of the last successful start or reload), and `restore_displaced` by both, where a restart could bring
//! nothing back that a reload does not, since what was displaced was displaced by the first start. Which address it is
//! and where it goes are not reloadable: there the change is the move.

mod eip;
mod shared;
mod vip;

pub use eip::EIP;
pub use vip::VIP;

/// The type of a value, as the meta-data calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    String,
    /// A whole number.
    Integer,
    /// A word for true or false.
    Boolean,
}

impl Kind {
    /// Returns the word that the meta-data uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }
}

/// Whether the agent looks at a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It does.
    Used,
    /// It takes any value and does nothing with it.
    NoEffect,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The name in the cluster's configuration.
    pub name: &'static str,
    /// The type of the value.
    pub kind: Kind,
    /// The value when unset; none where "unset" has a meaning of its own.
    pub default: Option<&'static str>,
    /// The group in which no two resources may have the same values; none where they may.
    pub unique: Option<&'static str>,
    /// Whether a change takes effect without stopping the resource.
    pub reloadable: bool,
    /// Whether the agent looks at it.
    pub effect: Effect,
    /// Whether no resource can do without it.
    pub required: bool,
    /// A few words for lists.
    pub short: &'static str,
    /// What an operator has to know, but for the default, which is added to it.
    pub long: &'static str,
}

/// Returns the parameter of this name.
#[must_use]
pub fn find<'a>(table: &'a [Spec], name: &str) -> Option<&'a Spec> {
    table.iter().find(|spec| spec.name == name)
}

/// A parameter with nothing particular about it: text, no default, freely repeated, changed by a restart.
const PLAIN: Spec = Spec {
    name: "",
    kind: Kind::String,
    default: None,
    unique: None,
    reloadable: false,
    effect: Effect::Used,
    required: false,
    short: "",
    long: "",
};

/// As [`PLAIN`], changed by a reload.
const RELOADABLE: Spec = Spec { reloadable: true, ..PLAIN };

/// A number of seconds.
const SECONDS: Spec = Spec { kind: Kind::Integer, ..RELOADABLE };

/// Something that is on unless switched off.
const ON: Spec = Spec { kind: Kind::Boolean, default: Some("true"), ..RELOADABLE };

/// Something that `awseip` has and this agent has no use for.
const NO_EFFECT: Spec = Spec { effect: Effect::NoEffect, ..RELOADABLE };
