//! The meta-data against every schema that an installed package has, and as crmsh reads it.
//!
//! No package of Debian or RHEL brings the OCF project's own schema of version 1.1. pcs's is nearly the same; the last
//! tests here hold the agent to the points in which the official one is stricter.

use std::path::PathBuf;

use crate::agent::{MetaDataForm, meta_data};
use crate::program::{command, file_of};
use crate::xml;

fn pcs_schema(form: MetaDataForm) -> PathBuf {
    match form {
        MetaDataForm::V1_0 => {
            file_of("pcs", &["/usr/share/pcs/data/ocf-1.0.rng", "/usr/lib/pcs/data/ocf-1.0.rng"])
        }
        MetaDataForm::V1_1 => {
            file_of("pcs", &["/usr/share/pcs/data/ocf-1.1.rng", "/usr/lib/pcs/data/ocf-1.1.rng"])
        }
    }
}

/// [meta-1]
#[test]
fn old_form_is_valid_by_the_dtd() {
    let dtd = file_of("resource-agents", &["/usr/share/resource-agents/ra-api-1.dtd"]);
    xml::validate(&meta_data(MetaDataForm::V1_0), "--dtdvalid", &dtd).exits(0);
}

#[test]
fn old_form_is_valid_by_the_schema_of_resource_agents() {
    let schema = file_of("resource-agents", &["/usr/share/resource-agents/metadata.rng"]);
    xml::validate(&meta_data(MetaDataForm::V1_0), "--relaxng", &schema).exits(0);
}

/// pcs chooses the schema by the version that the document says, and refuses the agent where it does not fit.
/// [meta-1]
#[test]
fn both_forms_are_valid_by_the_schemas_of_pcs() {
    for form in MetaDataForm::ALL {
        xml::validate(&meta_data(form), "--relaxng", &pcs_schema(form)).exits(0);
    }
}

/// An agent that always printed the old form would pass every other test of the new one.
#[test]
fn new_form_has_what_the_old_one_cannot() {
    let version = |form| xml::string(&meta_data(form), "/resource-agent/version");
    assert_eq!(
        (version(MetaDataForm::V1_0), version(MetaDataForm::V1_1)),
        ("1.0".to_owned(), "1.1".to_owned())
    );
    let dtd = file_of("resource-agents", &["/usr/share/resource-agents/ra-api-1.dtd"]);
    xml::validate(&meta_data(MetaDataForm::V1_1), "--dtdvalid", &dtd).exits(3);
    let in_new = |xpath: &str| xml::values(&meta_data(MetaDataForm::V1_1), xpath);
    assert_eq!(in_new("//action[@name='reload-agent']/@name"), ["reload-agent"]);
    assert_eq!(in_new("//parameter[@name='elastic_ip']/@unique"), ["1"]);
    assert_eq!(in_new("//parameter[@name='elastic_ip']/@unique-group"), ["elastic_ip"]);
    assert_eq!(in_new("//parameter[@name='elastic_ip']/@reloadable"), ["0"]);
    assert_eq!(in_new("//parameter[@name='settle_window']/@reloadable"), ["1"]);
}

/// crmsh has a decoded string, for which lxml refuses a declared encoding.
#[test]
fn lxml_parses_it_as_crmsh_does() {
    let script = "import sys; from lxml import etree; print(etree.fromstring(sys.stdin.read()).get('name'))";
    for form in MetaDataForm::ALL {
        let answer = xml::fed(command("/usr/bin/python3").args(["-c", script]), &meta_data(form));
        assert_eq!(answer.exits(0).stdout, "eip\n");
    }
}

/// Here the official schemas are stricter than pcs's.
#[test]
fn every_action_has_a_timeout_in_seconds() {
    for form in MetaDataForm::ALL {
        let document = meta_data(form);
        let actions = xml::values(&document, "//action/@name");
        let timeouts = xml::values(&document, "//action/@timeout");
        assert_eq!(actions.len(), timeouts.len());
        let times = [timeouts, xml::values(&document, "//action/@interval")].concat();
        for time in times {
            let digits = time.strip_suffix('s').unwrap_or_else(|| panic!("{time}: no s"));
            assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()), "{time}");
        }
    }
}

/// Here too: pcs knows a type `time`, and attributes of fence agents.
#[test]
fn types_and_flags_are_those_that_every_schema_has() {
    let document = meta_data(MetaDataForm::V1_1);
    for kind in xml::values(&document, "//content/@type") {
        assert!(["string", "integer", "boolean"].contains(&kind.as_str()), "{kind}");
    }
    for flag in xml::values(&document, "//parameter/@*[name()!='name' and name()!='unique-group']") {
        assert!(flag == "0" || flag == "1", "{flag}");
    }
    assert_eq!(xml::values(&document, "//parameter[@deprecated or @obsoletes or @private]/@name"), [""; 0]);
}
