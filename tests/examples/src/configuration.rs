//! A cluster's configuration as a set of lines, to compare what an example changed with what it claims.

use std::collections::BTreeSet;

use cluster::error::{HarnessError, Result, ensure};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Properties that the cluster and its tools write by themselves.
const NOT_CONFIGURED: [&str; 5] =
    ["cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog", "last-lrm-refresh"];

/// One line for each resource, parameter, meta attribute, operation, property and constraint, without generated ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationLines(BTreeSet<String>);

impl ConfigurationLines {
    /// Parses the output of `cibadmin --query --scope configuration`.
    ///
    /// # Errors
    /// [`HarnessError::Wrong`] if it is not well-formed.
    pub fn parse(xml: &str) -> Result<Self> {
        let mut reader = Reader::from_str(xml);
        // For each enclosing element, the prefix of the lines inside it.
        let (mut lines, mut path) = (BTreeSet::new(), Vec::<Vec<String>>::new());
        loop {
            let event = reader.read_event().map_err(unreadable)?;
            match &event {
                Event::Start(start) | Event::Empty(start) => {
                    let name = start.name().as_ref().to_owned();
                    let attributes = attributes(start)?;
                    let around = path.last().map_or(&[][..], Vec::as_slice);
                    lines.extend(line(around, &name, &attributes));
                    if matches!(event, Event::Start(_)) {
                        let inner = match name.as_str() {
                            // Only one line of a group's member contains the group's id.
                            "primitive" | "group" | "clone" => vec![value(&attributes, "id").to_owned()],
                            _ => [around, &[label(&name, &attributes)]].concat(),
                        };
                        path.push(inner);
                    }
                }
                Event::End(_) => drop(path.pop()),
                Event::Eof => return Ok(Self(lines)),
                _ => {}
            }
        }
    }

    /// Asserts that exactly the named changes lead to the configuration `after`: lines that begin with `-` are gone, those with `+` are new.
    /// A name that ends with `*` stands for all changes with that prefix.
    ///
    /// # Errors
    /// [`HarnessError::Wrong`] with all changes that were made but not named, and those that were named but not made.
    pub fn ensure_became(&self, after: &Self, named: &[impl AsRef<str>]) -> Result<()> {
        let gone = self.0.difference(&after.0).map(|line| format!("- {line}"));
        let made: Vec<String> =
            gone.chain(after.0.difference(&self.0).map(|line| format!("+ {line}"))).collect();
        let named: Vec<&str> = named.iter().map(AsRef::as_ref).collect();
        let fits = |line: &str, name: &str| {
            name.strip_suffix('*').map_or(line == name, |begin| line.starts_with(begin))
        };
        let unnamed: Vec<_> = made.iter().filter(|line| !named.iter().any(|name| fits(line, name))).collect();
        let missing: Vec<_> = named.iter().filter(|name| !made.iter().any(|line| fits(line, name))).collect();
        ensure(unnamed.is_empty() && missing.is_empty(), || {
            format!("changed and not named: {unnamed:#?}; named and not changed: {missing:#?}")
        })
    }
}

type AttributePairs = Vec<(String, String)>;

fn attributes(start: &BytesStart<'_>) -> Result<AttributePairs> {
    let pair = |attribute: std::result::Result<quick_xml::events::attributes::Attribute<'_>, _>| {
        let attribute = attribute.map_err(unreadable)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(unreadable)?;
        Ok((attribute.key.as_ref().to_owned(), value.into_owned()))
    };
    let mut pairs: AttributePairs = start.attributes().map(pair).collect::<Result<_>>()?;
    pairs.sort();
    Ok(pairs)
}

fn value<'a>(attributes: &'a AttributePairs, name: &str) -> &'a str {
    attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// What an element adds to the prefix of the lines inside it.
fn label(name: &str, attributes: &AttributePairs) -> String {
    match name {
        "op" => format!("op {} {}", value(attributes, "name"), value(attributes, "interval")),
        "meta_attributes" => "meta".to_owned(),
        "cluster_property_set" => "property".to_owned(),
        "rsc_defaults" => "default".to_owned(),
        "nodes" => "nodes".to_owned(),
        _ => String::new(),
    }
}

/// The line of an element, if the element configures something.
fn line(path: &[String], name: &str, attributes: &AttributePairs) -> Option<String> {
    let own = match name {
        "configuration"
        | "instance_attributes"
        | "meta_attributes"
        | "operations"
        | "cluster_property_set" => return None,
        "nvpair" if NOT_CONFIGURED.contains(&value(attributes, "name")) => return None,
        "nvpair" => format!("{}={}", value(attributes, "name"), value(attributes, "value")),
        "primitive" | "group" | "clone" => {
            let agent = ["class", "provider", "type"].map(|part| value(attributes, part));
            let agent: Vec<_> = agent.into_iter().filter(|part| !part.is_empty()).collect();
            format!("{name} {} {}", value(attributes, "id"), agent.join(":"))
        }
        _ if attributes.is_empty() || path.iter().any(|label| label == "nodes") => return None,
        _ => {
            let without_id = attributes.iter().filter(|(key, _)| key != "id");
            // crmsh writes 0, pcs writes 0s.
            let same = |value: &str| if value == "0s" { "0" } else { value }.to_owned();
            let pairs: Vec<_> = without_id.map(|(key, value)| format!("{key}={}", same(value))).collect();
            format!("{name} {}", pairs.join(" "))
        }
    };
    let around = path.iter().map(String::as_str).filter(|label| !label.is_empty());
    Some(around.chain([own.trim_end()]).collect::<Vec<_>>().join(" "))
}

fn unreadable(why: impl std::fmt::Display) -> HarnessError {
    HarnessError::Wrong(format!("cannot read the configuration: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = r#"<configuration>
      <crm_config><cluster_property_set id="b"><nvpair id="b1" name="stonith-enabled" value="false"/>
        <nvpair id="b2" name="dc-version" value="2.1.5"/></cluster_property_set></crm_config>
      <nodes><node id="1" uname="n1"/></nodes>
      <resources><primitive id="eip" class="ocf" provider="heartbeat" type="awseip">
        <instance_attributes id="i"><nvpair id="i1" name="elastic_ip" value="203.0.113.10"/></instance_attributes>
        <operations>
          <op id="m" name="monitor" interval="20s" timeout="30s"/>
          <op id="s" name="start" interval="0s"/>
          <op id="n" name="monitor" interval="60s"><instance_attributes id="ni"><nvpair id="ni1" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op>
        </operations>
      </primitive></resources><constraints/>
      <rsc_defaults><meta_attributes id="d"><nvpair id="d1" name="resource-stickiness" value="1"/></meta_attributes></rsc_defaults>
    </configuration>"#;

    fn became(from: &str, to: &str) -> ConfigurationLines {
        assert!(BEFORE.contains(from));
        ConfigurationLines::parse(&BEFORE.replacen(from, to, 1)).unwrap()
    }

    #[test]
    fn everything_that_is_configured_has_a_line_and_nothing_else_has() {
        let lines = [
            "default meta resource-stickiness=1",
            "eip elastic_ip=203.0.113.10",
            "eip op interval=0 name=start",
            "eip op interval=20s name=monitor timeout=30s",
            "eip op interval=60s name=monitor",
            "eip op monitor 60s OCF_CHECK_LEVEL=10",
            "primitive eip ocf:heartbeat:awseip",
            "property stonith-enabled=false",
        ];
        assert_eq!(ConfigurationLines::parse(BEFORE).unwrap().0, lines.map(str::to_owned).into());
        assert!(ConfigurationLines::parse("<configuration></resources>").is_err());
    }

    #[test]
    fn a_change_that_is_not_named_is_found_operation_by_operation() {
        let before = ConfigurationLines::parse(BEFORE).unwrap();
        let after = became(r#"interval="20s" timeout="30s""#, r#"interval="60s" timeout="20s""#);
        let named = [
            "- eip op interval=20s name=monitor timeout=30s",
            "+ eip op interval=60s name=monitor timeout=20s",
        ];
        before.ensure_became(&after, &named).unwrap();
        let why = before.ensure_became(&after, &[named[0]]).unwrap_err().to_string();
        assert!(why.contains(named[1]), "{why}");
        let same = became(r#"id="m""#, r#"id="another""#);
        before.ensure_became(&same, &[""; 0]).unwrap();
        assert!(before.ensure_became(&same, &["+ eip op interval=5s name=monitor"]).is_err());
        before.ensure_became(&after, &["- eip op interval=2*", "+ eip op *"]).unwrap();
        assert!(before.ensure_became(&after, &["- eip op interval=2*", "+ eip op *", "+ web *"]).is_err());
    }
}
