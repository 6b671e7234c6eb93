//! Resource parameters on a command line other than the cluster's: `NAME=VALUE`, or a bare address.

use std::collections::BTreeMap;

use crate::base::text::brief;
use crate::params::table;

/// The parameters that name the address: giving one of them overrides both.
const ADDRESS: [&str; 2] = ["elastic_ip", "allocation_id"];

/// Parses an argument into the parameters; returns false if it is neither `NAME=VALUE` nor an address.
///
/// # Errors
/// If there is no such parameter, or it is already set.
pub fn parse(parameters: &mut BTreeMap<String, String>, argument: &str) -> Result<bool, String> {
    let (name, value) = if let Some((name, value)) = argument.split_once('=') {
        let spec = table::find(table::EIP, &name.to_ascii_lowercase());
        let spec = spec.ok_or_else(|| format!("{}: no such parameter", brief(argument, 40)))?;
        (spec.name, value)
    } else if argument.starts_with(|first: char| first.is_ascii_digit()) && argument.contains('.') {
        // Malformed addresses too: the parameter's own message explains what is wrong.
        ("elastic_ip", argument)
    } else if argument.starts_with("eipalloc-") {
        ("allocation_id", argument)
    } else {
        return Ok(false);
    };
    set(parameters, name, value, argument).map(|()| true)
}

/// Sets a parameter; `argument` is the one to name in an error.
///
/// # Errors
/// If it is already set.
pub fn set(
    parameters: &mut BTreeMap<String, String>,
    name: &str,
    value: &str,
    argument: &str,
) -> Result<(), String> {
    match parameters.insert(name.to_owned(), value.to_owned()) {
        None => Ok(()),
        Some(first) => Err(format!("{}: {name} is already {}", brief(argument, 40), brief(&first, 40))),
    }
}

/// Lets the command line override the settings. An address, by either of its names, replaces both names in the
/// settings.
pub fn override_with(settings: &mut BTreeMap<String, String>, arguments: &BTreeMap<String, String>) {
    let has_address =
        ADDRESS.iter().any(|name| arguments.get(*name).is_some_and(|value| !value.trim().is_empty()));
    if has_address {
        for name in ADDRESS {
            settings.remove(name);
        }
    }
    settings.extend(arguments.clone());
}

/// The address as the operator named it; `None` if neither parameter is set.
pub fn address(parameters: &BTreeMap<String, String>) -> Option<&str> {
    let set = |name: &&str| parameters.get(*name).map(|value| value.trim()).filter(|value| !value.is_empty());
    ADDRESS.iter().find_map(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(String, bool), String> {
        let (mut parameters, mut all) = (BTreeMap::new(), true);
        for argument in line.split_whitespace() {
            all &= parse(&mut parameters, argument)?;
        }
        let set: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok((set.join(" "), all))
    }

    #[test]
    fn words_are_known_by_their_form() {
        for (line, set) in [
            ("203.0.113.10", "elastic_ip=203.0.113.10"),
            ("203.0.113.1000", "elastic_ip=203.0.113.1000"),
            ("54.192.x.x", "elastic_ip=54.192.x.x"),
            ("eipalloc-0123456789abcdef0", "allocation_id=eipalloc-0123456789abcdef0"),
            ("INTERFACE=eth1 203.0.113.10", "elastic_ip=203.0.113.10 interface=eth1"),
            ("private_ip_address=n1=10.0.0.1,n2=10.0.1.1", "private_ip_address=n1=10.0.0.1,n2=10.0.1.1"),
        ] {
            assert_eq!(parsed(line), Ok((set.to_owned(), true)), "{line}");
        }
        for argument in ["eth1", "1", "02:00:00:00:00:01", "eni-0123456789abcdef0", "start"] {
            assert_eq!(parsed(argument), Ok((String::new(), false)), "{argument}");
        }
    }

    #[test]
    fn what_is_given_twice_or_sets_nothing_is_refused_by_its_own_name() {
        for (line, message) in [
            ("203.0.113.10 203.0.113.11", "203.0.113.11: elastic_ip is already 203.0.113.10"),
            ("interface=eth0 interface=eth1", "interface=eth1: interface is already eth0"),
            ("elastic_pi=203.0.113.10", "elastic_pi=203.0.113.10: no such parameter"),
        ] {
            assert_eq!(parsed(line).unwrap_err(), message);
        }
    }

    #[test]
    fn an_address_on_the_command_line_sets_the_one_of_the_settings_aside_by_either_name() {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let file =
            map(&[("allocation_id", "eipalloc-1"), ("elastic_ip", "203.0.113.2"), ("interface", "eth1")]);
        for (arguments, left) in [
            (("elastic_ip", "203.0.113.3"), map(&[("elastic_ip", "203.0.113.3"), ("interface", "eth1")])),
            (("allocation_id", "eipalloc-2"), map(&[("allocation_id", "eipalloc-2"), ("interface", "eth1")])),
        ] {
            let mut settings = file.clone();
            override_with(&mut settings, &map(&[arguments]));
            assert_eq!(settings, left);
        }
        let mut settings = file.clone();
        override_with(&mut settings, &map(&[("interface", "eth2")]));
        assert_eq!(address(&settings), Some("203.0.113.2"));
        assert_eq!(settings.get("interface").map(String::as_str), Some("eth2"));
        assert_eq!(address(&BTreeMap::new()), None);
    }
}
