use std::os::unix::ffi::OsStringExt as _;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Environment {
    Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
}

#[test]
fn an_empty_environment_gives_the_defaults_without_a_warning() {
    let empty = environment(&[]);
    assert_eq!(empty.instance(), "default");
    assert_eq!(empty.resource_type(), "eip");
    assert_eq!(empty.action_timeout(), Duration::from_secs(20));
    assert!(empty.is_probe());
    assert_eq!(empty.check_level(), 0);
    assert_eq!(empty.ra_version(), None);
    assert_eq!(empty.node_name(), None);
    assert!(empty.reskeys().is_empty() && empty.warnings().is_empty());
}

#[test]
fn what_pacemaker_sets_for_a_recurring_monitor_is_read() {
    let set = environment(&[
        ("OCF_RESOURCE_INSTANCE", "web:1"),
        ("OCF_RESOURCE_TYPE", "vip"),
        ("OCF_RESKEY_CRM_meta_timeout", "45000"),
        ("OCF_RESKEY_CRM_meta_interval", "10000"),
        ("OCF_RESKEY_CRM_meta_on_node", "node1"),
        ("OCF_CHECK_LEVEL", "10"),
        ("OCF_RA_VERSION_MAJOR", "1"),
        ("OCF_RA_VERSION_MINOR", "1"),
        ("OCF_RESKEY_elastic_ip", "203.0.113.10"),
    ]);
    assert_eq!((set.instance(), set.resource_type()), ("web:1", "vip"));
    assert_eq!(set.action_timeout(), Duration::from_secs(45));
    assert!(!set.is_probe());
    assert_eq!((set.node_name(), set.check_level()), (Some("node1"), 10));
    assert_eq!(set.ra_version(), Some((1, 1)));
    let keys: Vec<String> = set.reskeys().into_keys().collect();
    assert_eq!(keys, ["CRM_meta_interval", "CRM_meta_on_node", "CRM_meta_timeout", "elastic_ip"]);
    assert!(set.warnings().is_empty(), "{:?}", set.warnings());
}

#[test]
fn an_invalid_value_leaves_the_default_and_a_warning_that_shows_it() {
    for (name, value) in [
        ("OCF_RESKEY_CRM_meta_timeout", "0"),
        ("OCF_RESKEY_CRM_meta_timeout", "20s"),
        ("OCF_RESKEY_CRM_meta_timeout", "-1"),
        ("OCF_RESKEY_CRM_meta_interval", "10s"),
        ("OCF_CHECK_LEVEL", "deep"),
        ("OCF_RA_VERSION_MAJOR", "one"),
    ] {
        let odd = environment(&[(name, value)]);
        assert_eq!(odd.action_timeout(), Duration::from_secs(20));
        assert_eq!((odd.check_level(), odd.ra_version()), (0, None));
        assert!(odd.is_probe());
        let [warning] = odd.warnings() else { panic!("{:?}", odd.warnings()) };
        assert!(warning.starts_with(&format!("{name}={value} is invalid")), "{warning}");
    }
}

/// [monitor-5]
#[test]
fn the_plain_check_level_takes_precedence_over_that_of_old_pacemaker() {
    let old = environment(&[("OCF_RESKEY_OCF_CHECK_LEVEL", "10")]);
    assert_eq!(old.check_level(), 10);
    let both = environment(&[("OCF_CHECK_LEVEL", "0"), ("OCF_RESKEY_OCF_CHECK_LEVEL", "10")]);
    assert_eq!(both.check_level(), 0);
    let empty = environment(&[("OCF_CHECK_LEVEL", ""), ("OCF_RESKEY_OCF_CHECK_LEVEL", "10")]);
    assert_eq!(empty.check_level(), 10);
}

/// [cred-5] It is one `{:?}` away from a log.
#[test]
fn the_keys_in_the_environment_are_not_part_of_its_debug_text() {
    let environment = environment(&[("AWS_SECRET_ACCESS_KEY", "hidden"), ("OCF_RESKEY_profile", "web")]);
    let text = format!("{environment:?}");
    assert!(text.contains("AWS_SECRET_ACCESS_KEY") && !text.contains("hidden"), "{text}");
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let empty = environment(&[("OCF_RESOURCE_INSTANCE", ""), ("HA_LOGFILE", "")]);
    assert_eq!(empty.instance(), "default");
    assert_eq!(empty.get("HA_LOGFILE"), None);
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_reported_if_they_concern_the_agent() {
    let bytes = || OsString::from_vec(b"caf\xe9".to_vec());
    let odd = Environment::new([
        ("OCF_RESKEY_profile".into(), bytes()),
        ("LESS_TERMCAP".into(), bytes()),
        (OsString::from_vec(b"HA_\xff\n".to_vec()), bytes()),
    ]);
    assert_eq!(odd.get("OCF_RESKEY_profile"), Some("caf\u{fffd}"));
    assert_eq!(odd.warnings().len(), 2, "{:?}", odd.warnings());
    assert!(odd.warnings().iter().all(|warning| warning.is_ascii() && !warning.contains('\n')));
}
