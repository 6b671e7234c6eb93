//! The configurations of the agents before this one, unchanged: `awseip` and the older `eip` with its one parameter.

use std::net::Ipv4Addr;

use aws_sim::CredState;

use crate::cib::CibFile;
use crate::node::{ELASTIC_IP, PRIMARY, PacemakerNode, SECONDARY};

/// A key that exists in the account.
const KEY: (&str, &str) = ("AKIDEXAMPLE", "wJalrXUtnFEMIbPxRfiCYEXAMPLEKEY");

/// Creates the resource without any output, then starts, checks and stops it as execd does: Pacemaker's services have no `HOME`. Without a
/// role, the node only has a key in a file.
#[track_caller]
fn assert_works(
    has_role: bool,
    file: Option<(&str, &str)>,
    private_ip: Ipv4Addr,
    parameters: impl Fn(&PacemakerNode) -> Vec<String>,
) {
    let node = PacemakerNode::new();
    node.cloud().add_access_key(KEY.0, KEY.1);
    if !has_role {
        node.cloud().set_credentials(&node.instance.id, CredState::Missing404);
    }
    let cib = CibFile::new(&node);
    let parameters = parameters(&node);
    let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
    assert_eq!(cib.create(&parameters).exits(0).both(), "");
    if let Some((path, text)) = file {
        node.write(path, text);
    }
    let force = |action| {
        let environment = ["-uHOME".to_owned(), format!("CIB_file={}", cib.path())];
        node.run_with(&environment, "crm_resource", &["-r", "eip", action])
    };
    force("--force-start").exits(0);
    node.assert_holds_on(private_ip);
    force("--force-check").exits(0);
    force("--force-stop").exits(0);
    assert_eq!(node.holder(), None);
}

fn address_alone(_: &PacemakerNode) -> Vec<String> {
    vec![format!("elastic_ip={ELASTIC_IP}")]
}

/// Every parameter of `awseip`, with a value for it.
fn awseip(node: &PacemakerNode, auth_type: &str) -> Vec<String> {
    vec![
        format!("elastic_ip={ELASTIC_IP}"),
        format!("allocation_id={}", node.address.allocation_id),
        format!("private_ip_address={SECONDARY}"),
        "awscli=/usr/bin/aws".to_owned(),
        format!("auth_type={auth_type}"),
        "profile=cluster".to_owned(),
        "region=eu-west-1".to_owned(),
        "api_delay=3".to_owned(),
        "curl_retries=4".to_owned(),
        "curl_sleep=3".to_owned(),
    ]
}

#[test]
fn awseip_configuration_with_a_profile_works() {
    let keys = format!("[cluster]\naws_access_key_id = {}\naws_secret_access_key = {}\n", KEY.0, KEY.1);
    assert_works(false, Some(("/root/.aws/credentials", &keys)), SECONDARY, |node| awseip(node, "key"));
}

/// `awseip` ignores `profile` then.
#[test]
fn awseip_configuration_with_the_instance_role_works() {
    assert_works(true, None, SECONDARY, |node| awseip(node, "role"));
}

/// How `awseip` is set up if instances have a role: `aws --profile default` requires the profile to exist, finds no keys in it, and goes
/// on to the role.
#[test]
fn awseip_configuration_with_a_profile_without_keys_works_by_the_instance_role() {
    let file = Some(("/root/.aws/config", "[default]\nregion = eu-west-1\noutput = text\n"));
    let profile = |node: &PacemakerNode| [address_alone(node), vec!["profile=default".to_owned()]].concat();
    assert_works(true, file, PRIMARY, profile);
}

#[test]
fn one_parameter_is_enough_with_a_role_or_the_old_file_of_credentials() {
    assert_works(true, None, PRIMARY, address_alone);
    let keys = format!("{}\n{}\n", KEY.0, KEY.1);
    assert_works(false, Some(("/root/.awssecret", &keys)), PRIMARY, address_alone);
}

/// [param-7] Every parameter of the distribution's agents is known here.
#[test]
fn no_parameter_of_an_installed_agent_is_unknown_to_its_successor() {
    let node = PacemakerNode::new();
    let parameters = |agent: &str| {
        let agent = format!("ocf:heartbeat:{agent}");
        let answer = node.run("crm_resource", &["--show-metadata", &agent]).exits(0);
        crate::xml::values(&answer.stdout, "//parameter/@name")
    };
    for (theirs, ours, among) in [
        ("awseip", "eip", "elastic_ip"),
        ("awsvip", "vip", "secondary_private_ip"),
        ("aws-vpc-move-ip", "overlay-ip", "routing_table"),
    ] {
        let (theirs, ours) = (parameters(theirs), parameters(ours));
        assert!(theirs.iter().any(|name| name == among), "{theirs:?}");
        let unknown: Vec<_> = theirs.iter().filter(|name| !ours.contains(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

/// awseip's own defaults, which tools with forms write out: they mean the same as unset.
#[test]
fn awseip_configuration_with_its_defaults_written_out_is_valid() {
    let node = PacemakerNode::new();
    let answer = node.run("crm_resource", &["--show-metadata", "ocf:heartbeat:awseip"]).exits(0);
    let cib = CibFile::new(&node);
    let mut given = vec![format!("elastic_ip={ELASTIC_IP}")];
    for name in crate::xml::values(&answer.stdout, "//parameter[content/@default != '']/@name") {
        let default =
            crate::xml::string(&answer.stdout, &format!("//parameter[@name='{name}']/content/@default"));
        given.push(format!("{name}={default}"));
    }
    assert!(given.iter().any(|parameter| parameter == "awscli=/usr/bin/aws"), "{given:?}");
    let parameters: Vec<&str> = given.iter().map(String::as_str).collect();
    assert_eq!(cib.create(&parameters).exits(0).both(), "");
}
