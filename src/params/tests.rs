use std::time::Duration;

use super::*;
use crate::base::ids::InterfaceId;

const ADDRESS: (&str, &str) = ("elastic_ip", "203.0.113.10");

fn raw(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Parses these values together with an address.
fn parse(values: &[(&str, &str)]) -> Result<Params, ParamError> {
    let mut raw = raw(&[ADDRESS]);
    raw.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Params::parse(&raw)
}

fn good(values: &[(&str, &str)]) -> Params {
    parse(values).unwrap_or_else(|error| panic!("{values:?}: {error}"))
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn an_address_alone_is_enough_and_the_rest_has_the_defaults_of_the_table() {
    assert_eq!(
        good(&[]),
        Params {
            elastic_ip: Some(ip("203.0.113.10")),
            allocation_id: None,
            interface: InterfaceSelector::Primary,
            private_ip: PrivateIp::Default,
            api: ApiSettings::default(),
            allow_reassociation: true,
            on_stop: OnStop::Release,
            restore_displaced: true,
            timing: Timing {
                connect_timeout: Duration::from_secs(2),
                attempt_timeout: Duration::from_secs(4),
                settle_window: Duration::from_mins(2),
                max_backoff: Duration::from_mins(1),
            },
        }
    );
}

/// [param-3]
#[test]
fn an_allocation_id_alone_is_enough() {
    let params = Params::parse(&raw(&[("allocation_id", "eipalloc-0123456789abcdef0")])).unwrap();
    assert_eq!(params.elastic_ip, None);
    assert_eq!(params.allocation_id.unwrap().as_str(), "eipalloc-0123456789abcdef0");
}

/// [param-2]
#[test]
fn neither_address_nor_id_is_an_error_also_when_they_are_empty() {
    for values in [raw(&[]), raw(&[("elastic_ip", ""), ("allocation_id", " \n")])] {
        let error = Params::parse(&values).unwrap_err();
        assert_eq!(error, ParamError::NoAddress);
        assert!(error.to_string().contains("elastic_ip") && error.to_string().contains("allocation_id"));
    }
}

#[test]
fn an_awseip_resource_is_taken_as_it_is() {
    let params = good(&[
        ("allocation_id", "eipalloc-0123456789abcdef0"),
        ("private_ip_address", "10.0.0.21"),
        ("awscli", "/usr/bin/aws --debug"),
        ("auth_type", "key"),
        ("profile", "default"),
        ("api_delay", "three"),
        ("curl_retries", "4"),
        ("curl_sleep", "3"),
    ]);
    assert_eq!(params.api.profile.as_deref(), Some("default"));
    assert_eq!(params.private_ip, PrivateIp::Literal(ip("10.0.0.21")));
    let role = good(&[("auth_type", "role"), ("profile", "default"), ("region", "eu-west-1")]);
    assert!(role.api.instance_role_only);
    assert_eq!(role.api.profile, None, "the role of the instance skips profiles");
}

#[test]
fn every_value_of_the_right_form_is_taken() {
    let taken: &[(&str, &[&str])] = &[
        ("elastic_ip", &["203.0.113.7", " 203.0.113.7\n", "10.1.2.3", "127.5.6.7"]),
        (
            "interface",
            &["eth1", "ens5.100", "eni-0a1b2c3d", "02:1B:44:11:3A:B7", "0", "15", "abcdefghijklmno"],
        ),
        (
            "private_ip_address",
            &["10.0.0.21", "a=10.0.0.1", "a = 10.0.0.1 , b=10.0.0.2", "n1.x=10.0.0.1,n1.y=10.0.0.2"],
        ),
        ("region", &["eu-west-1", "us-gov-west-1", "us-iso-east-1", "cn-north-1", "local"]),
        ("profile", &["default", "team a"]),
        ("role_arn", &["arn:aws:iam::123456789012:role/a/b+=,.@-_c", "arn:aws-cn:iam::123456789012:role/x"]),
        (
            "endpoint_url",
            &["http://127.0.0.1:4566", "https://ec2.eu-west-1.amazonaws.com", "https://vpce-1.example/x/"],
        ),
        ("imds_endpoint", &["http://169.254.169.254", "http://[fd00:ec2::254]", "http://[::1]:8080/"]),
        ("ca_bundle", &["/etc/pki/proxy.pem"]),
        ("auth_type", &["key", "role"]),
        ("allow_reassociation", &["true", "FALSE", "1", "0", "yes", "No", "on", "off", "ja", "nein"]),
        ("restore_displaced", &["true", "no"]),
        ("on_stop", &["disassociate", "strict", "leave", " strict "]),
        ("connect_timeout", &["1", "120"]),
        ("attempt_timeout", &["1", "120"]),
        ("settle_window", &["0", "3600"]),
        ("max_backoff", &["1", "60"]),
    ];
    for (name, values) in taken {
        for value in *values {
            good(&[(name, value)]);
        }
    }
}

/// Malformed values by parameter.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "elastic_ip",
        &["203.0.113", "203.0.113.07", "203.0.113.256", "0.0.0.0", "255.255.255.255", "224.0.0.1"],
    ),
    (
        "elastic_ip",
        &["2001:db8::1", "203.0.113.10/32", "203.0.113.1 0", "web.example", "203.0.113.1,203.0.113.2"],
    ),
    ("allocation_id", &["eipalloc-", "203.0.113.10", "eipalloc-0123456789ABCDEF0", "eipassoc-0a1b2c3d"]),
    (
        "interface",
        &[
            "abcdefghijklmno+p",
            "eth/1",
            "eth 1",
            "..",
            "eni-1",
            "eni-0A1B2C3D",
            "ENI-0a1b2c3d",
            "02:1b:44",
            "4294967296",
        ],
    ),
    (
        "private_ip_address",
        &[
            "10.0.0",
            "localhost",
            "0.0.0.0",
            "169.254.169.254",
            "a=",
            "=10.0.0.1",
            "a=10.0.0.1,",
            "a=1,b=10.0.0.2",
        ],
    ),
    (
        "private_ip_address",
        &["10.0.0.1,10.0.0.2", "a=10.0.0.1 b=10.0.0.2", "a=10.0.0.1,A=10.0.0.2", "127.0.0.1"],
    ),
    (
        "region",
        &["EU-west-1", "eu_west_1", "-eu", "eu-", "eu-west-1a", "us-west-2-lax-1a", "x.example/", "eu west"],
    ),
    ("profile", &["a\nb", "a\u{7f}"]),
    ("role_arn", &["admin", "arn:aws:iam::12345:role/x", "arn:aws:iam::123456789012:user/x"]),
    (
        "role_arn",
        &[
            "arn:aws:iam::123456789012:role/",
            "arn:gcp:iam::123456789012:role/x",
            "arn:aws:iam::123456789012:role/a b",
        ],
    ),
    (
        "endpoint_url",
        &[
            "ec2.example",
            "ftp://ec2.example",
            "http://",
            "http://:80",
            "http://a:0",
            "http://a:99999",
            "http://a:b",
        ],
    ),
    ("endpoint_url", &["http://a b", "http://a/?q=1", "http://a/#x", "https:/a", "http://user:hidden@a"]),
    ("imds_endpoint", &["169.254.169.254", "http://fd00:ec2::254", "unix:/x", "http://[::1"]),
    ("ca_bundle", &["ca.pem", "~/ca.pem", "/a\0b"]),
    ("auth_type", &["none", "KEY"]),
    ("allow_reassociation", &["maybe", "2", "tru", "y"]),
    ("restore_displaced", &["-1"]),
    ("on_stop", &["Leave", "detach"]),
    ("connect_timeout", &["0", "121", "-1", "+1", "1.5", "2s", "18446744073709551616"]),
    ("attempt_timeout", &["0", "121", "four"]),
    ("settle_window", &["3601", "120s"]),
    ("max_backoff", &["0", "61"]),
];

#[test]
fn a_malformed_value_is_an_error_that_names_the_parameter_and_fits_an_exit_reason() {
    for (name, values) in REFUSED {
        for value in *values {
            let error = match parse(&[(name, value)]) {
                Ok(params) => panic!("{name}={value:?} was taken: {params:?}"),
                Err(error) => error.to_string(),
            };
            assert!(error.starts_with(&format!("{name}=")), "{error}");
            assert!(error.contains("expected "), "{error}");
            assert!(error.is_ascii() && !error.contains(char::is_control) && error.len() <= 128, "{error}");
        }
    }
}

#[test]
fn an_error_shows_a_long_or_strange_value_cut_and_escaped() {
    for (name, _) in REFUSED {
        for value in
            ["x\n".repeat(400), "\u{e9}\u{1f600}\n".repeat(100) + "x", "http://u:p@".repeat(50) + "?\n?"]
        {
            let Err(error) = parse(&[(name, &value)]) else { panic!("{name}={value} was taken") };
            let error = error.to_string();
            assert!(
                error.is_ascii() && !error.contains('\n') && error.len() <= 128,
                "{}: {error}",
                error.len()
            );
        }
    }
}

#[test]
fn the_message_reads_as_one_line_for_an_operator() {
    for (name, value, message) in [
        ("elastic_ip", "203.0.113", "elastic_ip=203.0.113: expected an IPv4 address such as 203.0.113.10"),
        ("connect_timeout", "0", "connect_timeout=0: expected a whole number of seconds from 1 to 120"),
        ("region", "eu-west-1a", "region=eu-west-1a: expected a region such as eu-west-1, not a zone"),
        (
            "private_ip_address",
            "a=10.0.0.1,b=10",
            "private_ip_address=b=10: expected NODE=ADDRESS between commas",
        ),
    ] {
        assert_eq!(parse(&[(name, value)]).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_password_in_a_url_is_not_shown() {
    let error = parse(&[("endpoint_url", "http://user:hidden@proxy.example")]).unwrap_err().to_string();
    assert!(!error.contains("hidden") && error.contains("***@proxy.example"), "{error}");
}

/// [param-4]
#[test]
fn the_ways_to_name_an_interface_are_distinguished() {
    for (value, interface) in [
        ("eth1", InterfaceSelector::Device("eth1".to_owned())),
        ("1", InterfaceSelector::Index(1)),
        ("02-1b-44-11-3a-b7", InterfaceSelector::Mac("02:1b:44:11:3a:b7".parse().unwrap())),
        ("eni-0a1b2c3d", InterfaceSelector::Eni(InterfaceId::parse("eni-0a1b2c3d").unwrap())),
        ("", InterfaceSelector::Primary),
    ] {
        assert_eq!(good(&[("interface", value)]).interface, interface, "{value}");
    }
}

/// [stop-8]
#[test]
fn if_the_address_may_not_be_taken_over_a_stop_is_strict() {
    let policy =
        |allow, on_stop| parse(&[("allow_reassociation", allow), ("on_stop", on_stop)]).map(|p| p.on_stop);
    assert_eq!(policy("true", ""), Ok(OnStop::Release));
    assert_eq!(policy("true", "strict"), Ok(OnStop::Strict));
    assert_eq!(policy("true", "leave"), Ok(OnStop::Leave));
    assert_eq!(policy("false", ""), Ok(OnStop::Strict));
    assert_eq!(policy("false", "disassociate"), Ok(OnStop::Strict));
    let error = policy("false", "leave").unwrap_err();
    assert_eq!(error, ParamError::NeverMoves("allow_reassociation"));
    assert!(error.to_string().len() <= 128 && error.to_string().starts_with("on_stop=leave"));
}

#[test]
fn a_node_finds_its_private_address_with_or_without_its_domain() {
    let list = good(&[("private_ip_address", "node1=10.0.0.1,Node2.a.example=10.0.0.2,10.9.9.9=10.0.0.9")])
        .private_ip;
    for (node, address) in [
        ("node1", "10.0.0.1"),
        ("NODE1", "10.0.0.1"),
        ("node1.b.example", "10.0.0.1"),
        ("node2", "10.0.0.2"),
        ("node2.a.example", "10.0.0.2"),
        ("10.9.9.9", "10.0.0.9"),
    ] {
        assert_eq!(list.for_node(node), Ok(Some(ip(address))), "{node}");
    }
    for node in ["node3", "node", "node10", "10.9.9.8", "x\n"] {
        let error = list.for_node(node).unwrap_err();
        assert!(matches!(error, ParamError::NodeNotListed { .. }), "{node:?}: {error}");
        assert!(error.to_string().starts_with("private_ip_address has no entry for node "), "{error}");
    }
    assert_eq!(list.for_node(""), Err(ParamError::NodeUnknown));
}

/// [param-5]
#[test]
fn a_node_that_several_entries_fit_is_not_guessed() {
    let list = good(&[("private_ip_address", "n.a=10.0.0.1,n.b=10.0.0.2")]).private_ip;
    assert_eq!(list.for_node("n.b"), Ok(Some(ip("10.0.0.2"))));
    for node in ["n", "n.c"] {
        assert!(matches!(list.for_node(node), Err(ParamError::NodeAmbiguous { .. })), "{node}");
    }
    let exact = good(&[("private_ip_address", "n=10.0.0.1,n.b=10.0.0.2")]).private_ip;
    assert_eq!(exact.for_node("n"), Ok(Some(ip("10.0.0.1"))), "an entry with just this name decides");
}

#[test]
fn a_very_long_node_name_still_fits_an_exit_reason() {
    let list = good(&[("private_ip_address", "n.a=10.0.0.1,n.b=10.0.0.2")]).private_ip;
    for node in ["x".repeat(300), format!("n.{}", "x".repeat(300))] {
        let error = list.for_node(&node).unwrap_err().to_string();
        assert!(error.len() <= 128, "{}: {error}", error.len());
    }
}

#[test]
fn one_address_or_none_holds_for_every_node() {
    assert_eq!(good(&[]).private_ip.for_node("any"), Ok(None));
    let literal = good(&[("private_ip_address", "10.0.0.21")]).private_ip;
    assert_eq!(literal.for_node(""), Ok(Some(ip("10.0.0.21"))));
}

#[test]
fn what_the_cluster_adds_is_not_an_unknown_parameter() {
    let values = raw(&[
        ADDRESS,
        ("CRM_meta_timeout", "20000"),
        ("crm_feature_set", "3.16.1"),
        ("OCF_CHECK_LEVEL", "10"),
        ("trace_ra", "1"),
        ("trace_dir", "/x"),
        ("trace_file", "/y"),
        ("elastic-ip", "203.0.113.10"),
        ("Region", "eu-west-1"),
    ]);
    assert_eq!(unknown(&values, table::EIP), ["Region", "elastic-ip"]);
    assert!(Params::parse(&values).is_ok(), "an unknown parameter is no error");
}

#[test]
fn the_table_is_in_order() {
    for (index, spec) in table::EIP.iter().enumerate() {
        let name = spec.name;
        assert_eq!(
            table::EIP.iter().position(|other| other.name == name),
            Some(index),
            "{name} is there twice"
        );
        assert!(!name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_')), "{name}");
        assert!(spec.short.is_ascii() && spec.long.is_ascii(), "{name}");
        assert!((1..=60).contains(&spec.short.len()) && !spec.short.ends_with('.'), "{name}: {}", spec.short);
        assert!(spec.long.ends_with('.') && !spec.long.contains("  "), "{name}: {}", spec.long);
        assert!(!spec.required, "{name}: neither way to name the address is required, and nothing else is");
    }
}

/// [param-1]
#[test]
fn every_parameter_of_the_table_is_read_and_has_a_default_that_is_taken() {
    for spec in table::EIP {
        let refused = REFUSED.iter().any(|(name, _)| *name == spec.name);
        assert_eq!(refused, spec.used, "{} is checked if and only if it is used", spec.name);
        if let Some(default) = spec.default {
            assert_eq!(good(&[(spec.name, default)]), good(&[]), "{}={default}", spec.name);
        }
    }
}

/// [reload-1]
#[test]
fn only_the_address_and_where_it_goes_need_a_restart() {
    let fixed: Vec<&str> = table::EIP.iter().filter(|spec| !spec.reloadable).map(|spec| spec.name).collect();
    assert_eq!(fixed, ["elastic_ip", "allocation_id", "interface", "private_ip_address"]);
}
