//! Reads single values from the raw parameters: trimmed, empty counting as unset, with defaults from the table.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::ParamError;
use super::table;
use crate::base::text::{boolean, seconds};

/// The raw parameters of one resource.
pub(super) struct Values<'a> {
    raw: &'a BTreeMap<String, String>,
    table: &'static [table::Spec],
}

impl<'a> Values<'a> {
    pub(super) fn new(raw: &'a BTreeMap<String, String>, table: &'static [table::Spec]) -> Self {
        Self { raw, table }
    }

    /// The configured value without surrounding white space; `None` if unset or blank.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.raw.get(name).map(|value| value.trim_ascii()).filter(|value| !value.is_empty())
    }

    /// The configured value, validated; `None` if unset.
    pub(super) fn checked(
        &self,
        name: &'static str,
        valid: impl Fn(&str) -> bool,
        expected: &'static str,
    ) -> Result<Option<&'a str>, ParamError> {
        match self.text(name) {
            Some(value) if !valid(value) => Err(ParamError::invalid(name, value, expected)),
            value => Ok(value),
        }
    }

    /// The configured value, or the default of the table.
    fn or_default(&self, name: &str) -> &'a str {
        self.text(name)
            .or_else(|| table::find(self.table, name).and_then(|spec| spec.default))
            .unwrap_or_default()
    }

    /// A parameter as a boolean, in any spelling that `ocf_is_true` knows, or the opposite.
    pub(super) fn boolean(&self, name: &'static str) -> Result<bool, ParamError> {
        let value = self.or_default(name);
        boolean(value).ok_or_else(|| ParamError::invalid(name, value, "true or false"))
    }

    /// A parameter in whole seconds within `least..=most`.
    pub(super) fn seconds(&self, name: &'static str, least: u64, most: u64) -> Result<Duration, ParamError> {
        let value = self.or_default(name);
        let expected = || format!("a whole number of seconds from {least} to {most}");
        seconds(value, least..=most).ok_or_else(|| ParamError::invalid(name, value, expected()))
    }
}
