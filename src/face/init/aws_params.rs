//! `AWS_PARAMS`: the options that the old script passed to the `aws` command, as far as they apply here.

use std::collections::BTreeMap;

/// The options of `AWS_PARAMS`, parsed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AwsParams {
    /// The resource parameters that they set, by name.
    pub parameters: BTreeMap<String, String>,
    /// Options without effect, without their values.
    pub ignored: Vec<String>,
}

/// Options that take a value, and the parameter that each one sets.
///
/// # Source
/// Global options of the AWS CLI; `--region` also exists in Tim Kay's `aws`, which the article uses.
const WITH_VALUE: [(&str, &str); 6] = [
    ("region", "region"),
    ("profile", "profile"),
    ("endpoint-url", "endpoint_url"),
    ("ca-bundle", "ca_bundle"),
    ("cli-connect-timeout", "connect_timeout"),
    ("cli-read-timeout", "attempt_timeout"),
];

/// Abbreviations of regions that Tim Kay's `aws` accepts.
const REGIONS: [(&str, &str); 4] =
    [("eu", "eu-west-1"), ("us", "us-east-1"), ("uswest", "us-west-1"), ("ap", "ap-southeast-1")];

/// Splits the options like a shell and parses them; `None` if a quote is unterminated.
pub fn read(text: &str) -> Option<AwsParams> {
    let mut options = AwsParams::default();
    let mut words = shlex::split(text)?.into_iter().peekable();
    while let Some(word) = words.next() {
        let bare = word.trim_start_matches('-');
        let (name, value) = match bare.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (bare, None),
        };
        match WITH_VALUE.iter().find(|(option, _)| *option == name && word.starts_with('-')) {
            Some((_, parameter)) => {
                let value = value.or_else(|| words.next()).unwrap_or_default();
                let full = REGIONS.iter().find(|(short, _)| *parameter == "region" && *short == value);
                let value = full.map_or(value, |(_, full)| (*full).to_owned());
                options.parameters.insert((*parameter).to_owned(), value);
            }
            // Tim Kay's `aws`: use the credentials of the instance role only.
            None if word == "--role" => {
                options.parameters.insert("auth_type".to_owned(), "role".to_owned());
            }
            None => {
                options.ignored.push(word.split('=').next().unwrap_or_default().to_owned());
                // The value of an unknown option.
                while words
                    .next_if(|next| word.starts_with('-') && value.is_none() && !next.starts_with('-'))
                    .is_some()
                {}
            }
        }
    }
    Some(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let options = read(text).unwrap();
        let set: Vec<_> = options.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{}|{}", set.join(" "), options.ignored.join(" "))
    }

    #[test]
    fn options_are_read_as_the_aws_command_reads_them() {
        for (text, expected) in [
            ("", "|"),
            ("--region=eu-west-1", "region=eu-west-1|"),
            ("--region eu-west-1", "region=eu-west-1|"),
            ("-region=eu-west-1", "region=eu-west-1|"),
            ("--region=eu", "region=eu-west-1|"),
            ("--region us --profile eu", "profile=eu region=us-east-1|"),
            ("--region='eu-west-1' --role", "auth_type=role region=eu-west-1|"),
            (
                "--endpoint-url https://vpce.example --ca-bundle \"/etc/my ca.pem\"",
                "ca_bundle=/etc/my ca.pem endpoint_url=https://vpce.example|",
            ),
            ("--cli-connect-timeout 3 --cli-read-timeout=7", "attempt_timeout=7 connect_timeout=3|"),
            ("--silent --output json --region eu-west-1", "region=eu-west-1|--silent --output"),
            ("--secrets-file=/x --insecure-aws", "|--secrets-file --insecure-aws"),
            ("word --region", "region=|word"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn a_quote_that_never_ends_is_noticed() {
        assert_eq!(read("--region='eu-west-1"), None);
    }

    #[test]
    fn nothing_is_run() {
        assert_eq!(shown("--region=$(reboot)"), "region=$(reboot)|");
    }
}
