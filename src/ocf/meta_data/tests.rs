use quick_xml::Reader;

use super::*;
use crate::ocf::agent;
use crate::params::table::{ContentType, EIP};

fn eip(version: Option<(u32, u32)>) -> String {
    meta_data(&agent::EIP, version)
}

/// Every element in order with its attributes, as `name key=value ...`.
fn elements(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut elements = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(element) | Event::Empty(element) => {
                let attributes = element.attributes().map(Result::unwrap);
                let shown = attributes.map(|a| format!(" {}={}", a.key.as_ref(), a.value));
                elements.push(element.name().as_ref().to_owned() + &shown.collect::<String>());
            }
            Event::Eof => return elements,
            _ => {}
        }
    }
}

fn of_kind(xml: &str, kind: &str) -> Vec<String> {
    elements(xml).into_iter().filter(|element| element.split(' ').next() == Some(kind)).collect()
}

/// [meta-2]
#[test]
fn the_form_is_1_0_unless_the_caller_supports_1_1() {
    for (version, form) in [
        (None, "1.0"),
        (Some((1, 0)), "1.0"),
        (Some((1, 1)), "1.1"),
        (Some((1, 2)), "1.1"),
        (Some((2, 0)), "1.1"),
    ] {
        assert!(eip(version).contains(&format!("\n  <version>{form}</version>\n")), "{version:?}");
    }
}

#[test]
fn the_declaration_names_no_encoding_and_everything_is_ascii() {
    for xml in [eip(None), eip(Some((1, 1)))] {
        let head =
            "<?xml version=\"1.0\"?>\n<!DOCTYPE resource-agent SYSTEM \"ra-api-1.dtd\">\n<resource-agent ";
        assert!(xml.starts_with(head) && xml.ends_with("</resource-agent>\n"), "{xml}");
        assert!(xml.is_ascii());
    }
}

#[test]
fn the_advertised_actions_are_those_that_users_should_find_in_their_configuration() {
    let common = [
        "action name=start timeout=60s",
        "action name=stop timeout=60s",
        "action name=monitor timeout=20s interval=10s depth=0",
        "action name=migrate_to timeout=60s",
        "action name=migrate_from timeout=60s",
        "action name=validate-all timeout=10s",
        "action name=meta-data timeout=5s",
    ];
    assert_eq!(of_kind(&eip(None), "action"), common);
    let mut newer = common.to_vec();
    newer.insert(5, "action name=reload-agent timeout=20s");
    assert_eq!(of_kind(&eip(Some((1, 1))), "action"), newer);
}

#[test]
fn every_parameter_of_the_table_is_there_in_its_order() {
    for xml in [eip(None), eip(Some((1, 1)))] {
        let names: Vec<String> = of_kind(&xml, "parameter")
            .iter()
            .map(|element| element.split(' ').nth(1).unwrap().trim_start_matches("name=").to_owned())
            .collect();
        assert_eq!(names, EIP.iter().map(|spec| spec.name).collect::<Vec<_>>());
    }
}

#[test]
fn the_older_form_knows_neither_groups_nor_reloading() {
    let xml = eip(None);
    assert!(!xml.contains("unique-group") && !xml.contains("reload"), "{xml}");
    assert!(of_kind(&xml, "parameter").contains(&"parameter name=elastic_ip unique=1 required=0".to_owned()));
    assert!(of_kind(&xml, "parameter").contains(&"parameter name=region unique=0 required=0".to_owned()));
}

#[test]
fn the_newer_form_has_groups_beside_unique() {
    let parameters = of_kind(&eip(Some((1, 1))), "parameter");
    for expected in [
        "parameter name=allocation_id unique-group=allocation_id reloadable=0 unique=1 required=0",
        "parameter name=on_stop reloadable=1 unique=0 required=0",
    ] {
        assert!(parameters.contains(&expected.to_owned()), "{parameters:?}");
    }
}

#[test]
fn defaults_and_types_are_those_of_the_table() {
    let contents = of_kind(&eip(None), "content");
    assert_eq!(contents[0], "content type=string");
    assert!(contents.contains(&"content type=boolean default=true".to_owned()));
    assert!(contents.contains(&"content type=integer default=120".to_owned()));
    assert!(eip(None).contains(" The default is 120.</longdesc>"));
}

#[test]
fn another_agent_brings_its_own_names_and_texts_are_escaped() {
    const SPECS: &[Spec] = &[Spec {
        name: "limit",
        kind: ContentType::Integer,
        default: Some("<5"),
        unique: None,
        reloadable: false,
        used: true,
        required: true,
        short: "a & b",
        long: "less < {old}.",
    }];
    let other = Agent {
        name: "other",
        short: "short",
        long: "long",
        replaces: "old",
        address: &[],
        parameters: SPECS,
        actions: &[],
    };
    let xml = meta_data(&other, None);
    assert!(xml.contains("<resource-agent name=\"other\" version="), "{xml}");
    assert!(xml.contains("<shortdesc lang=\"en\">a &amp; b</shortdesc>"), "{xml}");
    assert!(xml.contains("<longdesc lang=\"en\">less &lt; old. The default is &lt;5.</longdesc>"), "{xml}");
    assert_eq!(of_kind(&xml, "parameter"), ["parameter name=limit unique=0 required=1"]);
}
