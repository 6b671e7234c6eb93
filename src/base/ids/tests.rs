use super::*;

#[test]
fn both_lengths_that_ec2_gives_are_taken_and_shown_unchanged() {
    for text in ["eipalloc-0a1b2c3d", "eipalloc-0a1b2c3d4e5f60718"] {
        let id = AllocationId::parse(text).unwrap();
        assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
    }
    assert!(AssociationId::parse("eipassoc-0a1b2c3d4e5f60718").is_ok());
    assert!(InterfaceId::parse("eni-0a1b2c3d4e5f60718").is_ok());
    assert!(InstanceId::parse("i-0a1b2c3d").is_ok());
}

#[test]
fn an_id_of_another_kind_or_with_a_typo_is_refused() {
    for text in [
        "",
        "eipalloc-",
        "eipalloc-0a1b2c3",           // one digit short
        "eipalloc-0a1b2c3d4",         // neither length
        "eipalloc-0a1b2c3d4e5f6071g", // not hexadecimal
        "eipalloc-0A1B2C3D",          // EC2 writes lower case and compares case-sensitively
        "EIPALLOC-0a1b2c3d",
        "eipassoc-0a1b2c3d",
        "0a1b2c3d",
        " eipalloc-0a1b2c3d",
        "eipalloc-0a1b2c3d\n",
        "eipalloc-\u{e9}\u{e9}\u{e9}\u{e9}", // eight bytes, not eight digits
    ] {
        assert!(AllocationId::parse(text).is_err(), "{text:?} was taken");
    }
}

#[test]
fn the_error_is_one_line_that_shows_the_text_and_the_right_form() {
    let error = AllocationId::parse("eipassoc-0a1b2c3d\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"allocation id "eipassoc-0a1b2c3d\n": expected eipalloc- and 8 or 17 digits of 0-9a-f"#
    );
    let long = InstanceId::parse(&"x".repeat(5000)).unwrap_err().to_string();
    assert!(long.len() < 120, "{long}");
}

#[test]
fn a_mac_address_reads_the_same_in_every_notation() {
    for text in ["02:1b:44:11:3a:b7", "02-1B-44-11-3A-B7", "02:1B:44:11:3a:b7"] {
        assert_eq!(text.parse::<MacAddress>().unwrap().to_string(), "02:1b:44:11:3a:b7");
    }
    for text in [
        "",
        "02:1b:44:11:3a",
        "02:1b:44:11:3a:b7:00",
        "02:1b-44:11:3a:b7",
        "2:1b:44:11:3a:b7",
        "02:1b:44:11:3a:b7/",
    ] {
        assert!(text.parse::<MacAddress>().is_err(), "{text:?} was taken");
    }
}

#[test]
fn json_holds_plain_strings_and_a_damaged_one_is_refused() {
    let id = InterfaceId::parse("eni-0a1b2c3d").unwrap();
    assert_eq!(serde_json::to_string(&id).unwrap(), r#""eni-0a1b2c3d""#);
    assert_eq!(serde_json::from_str::<InterfaceId>(r#""eni-0a1b2c3d""#).unwrap(), id);
    assert!(serde_json::from_str::<InterfaceId>(r#""""#).is_err());
    let mac: MacAddress = "02:1b:44:11:3a:b7".parse().unwrap();
    assert_eq!(serde_json::to_string(&mac).unwrap(), r#""02:1b:44:11:3a:b7""#);
    assert!(serde_json::from_str::<MacAddress>(r#""02:1b""#).is_err());
}

/// [holder-4] EC2 has changed the length of its ids before.
#[test]
fn an_id_of_an_unknown_length_is_kept_as_aws_gave_it() {
    for text in ["eipassoc-0123456789abcdef0123456789", "eipassoc-NEW_form.1", "x"] {
        assert_eq!(text.parse::<AssociationId>().unwrap().as_str(), text);
        assert_eq!(serde_json::from_str::<AssociationId>(&format!("{text:?}")).unwrap().as_str(), text);
        assert!(AssociationId::parse(text).is_err(), "{text} typed by a person");
    }
    for text in ["", "a b", "a\n"] {
        assert!(text.parse::<AssociationId>().is_err(), "{text:?}");
    }
}
