//! The meta-data against every schema in an installed package, and as crmsh reads it.
//!
//! No package of Debian or RHEL contains the OCF project's own schema of version 1.1. pcs's is nearly the same; the last tests here
//! check the points in which the official one is stricter.

use crate::agent::{MetaDataForm, meta_data, meta_data_of};
use crate::program::{command, file_of};
use crate::xml;

/// [meta-1]
#[test]
fn every_agents_meta_data_is_valid_by_every_schema() {
    for agent in ["eip", "vip", "overlay-ip", "eip-health"] {
        let old = meta_data_of(agent, MetaDataForm::V1_0);
        let dtd = file_of("resource-agents", &["/usr/share/resource-agents/ra-api-1.dtd"]);
        xml::validate(&old, "--dtdvalid", &dtd).exits(0);
        let schema = file_of("resource-agents", &["/usr/share/resource-agents/metadata.rng"]);
        xml::validate(&old, "--relaxng", &schema).exits(0);
        for (form, file) in [(MetaDataForm::V1_0, "ocf-1.0.rng"), (MetaDataForm::V1_1, "ocf-1.1.rng")] {
            let places = [format!("/usr/share/pcs/data/{file}"), format!("/usr/lib/pcs/data/{file}")];
            let schema = file_of("pcs", &[&places[0], &places[1]]);
            xml::validate(&meta_data_of(agent, form), "--relaxng", &schema).exits(0);
        }
        assert!(old.is_ascii());
    }
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
