//! The transient attributes of a node, from the section `status` of the XML of `cibadmin --query`.

use std::collections::BTreeMap;

use quick_xml::de::from_str;
use serde::Deserialize;

/// The attributes of this node by name; empty if it has none, or the document cannot be read.
#[must_use]
pub fn attributes_of(xml: &str, node: &str) -> BTreeMap<String, String> {
    let Ok(document) = from_str::<AttributeDocument>(xml) else { return BTreeMap::new() };
    let states = document.status.node_state.into_iter().filter(|state| state.uname == node);
    let sets = states.flat_map(|state| state.transient_attributes).flat_map(|all| all.instance_attributes);
    sets.flat_map(|set| set.nvpair).map(|pair| (pair.name, pair.value)).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AttributeDocument {
    status: AttributeStates,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AttributeStates {
    node_state: Vec<AttributeState>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AttributeState {
    #[serde(rename = "@uname")]
    uname: String,
    transient_attributes: Vec<AttributeSets>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AttributeSets {
    instance_attributes: Vec<AttributeList>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AttributeList {
    nvpair: Vec<AttributePair>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AttributePair {
    #[serde(rename = "@name")]
    name: String,
    #[serde(rename = "@value")]
    value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attributes_of_one_node_are_told_from_those_of_others() {
        let state = |node: &str, value: &str| {
            format!(
                r#"<node_state id="1" uname="{node}"><lrm id="1"/><transient_attributes id="1"><instance_attributes id="s">
                <nvpair id="p" name="eip-report-eip" value="{value}"/></instance_attributes></transient_attributes></node_state>"#
            )
        };
        let (one, two) = (state("n1", "at=1 &quot;a&quot;"), state("n2", "at=2"));
        let xml = format!("<cib><configuration/><status>{one}{two}<node_state id=\"3\"/></status></cib>");
        let found = attributes_of(&xml, "n1");
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            [("eip-report-eip".to_owned(), "at=1 \"a\"".to_owned())]
        );
        assert!(attributes_of(&xml, "n3").is_empty() && attributes_of("<cib>", "n1").is_empty());
    }
}
