//! Resolves a profile to its credentials: the source at the root, and the chain of roles to assume.
//!
//! A requested profile that cannot be followed is an error, never a reason to act under another identity.

use crate::cloud::settings::Keys;

/// Read access to the profile files.
pub(super) trait Profiles {
    /// The value of this key; `None` if the profile does not set it.
    fn value(&self, profile: &str, key: &str) -> Option<&str>;
    /// Whether there is a profile of this name.
    fn exists(&self, profile: &str) -> bool;
}

/// How to obtain the credentials of a profile.
#[derive(Debug)]
pub(super) struct CredentialsPlan {
    /// The profile that provides the root credentials.
    pub profile: String,
    /// Source of the first credentials; `None` if the profile configures none.
    pub root: Option<Root>,
    /// Roles to assume, in order.
    pub roles: Vec<Role>,
}

/// A source of credentials that needs no others.
// Without the SDK only tests make a plan, and nothing executes it.
#[cfg_attr(not(feature = "sdk"), allow(dead_code))]
#[derive(Debug)]
pub(super) enum Root {
    /// Keys in the file.
    Keys(Keys),
    /// The output of this command.
    Process(String),
    /// A token in a file, exchanged for this role.
    WebIdentity { file: String, role: Role },
    /// Keys in the environment (`credential_source = Environment`).
    Environment,
    /// The role of the instance (`credential_source = Ec2InstanceMetadata`).
    InstanceRole,
    /// The endpoint of the container (`credential_source = EcsContainer`).
    Container,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub arn: String,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    /// Lifetime of the credentials (`duration_seconds`), in seconds.
    pub duration: Option<u64>,
}

/// Profile settings that the agent does not support.
const UNSUPPORTED: [(&str, &str); 6] = [
    ("sso_session", "it needs an interactive login"),
    ("sso_start_url", "it needs an interactive login"),
    ("sso_account_id", "it needs an interactive login"),
    ("login_session", "it needs an interactive login"),
    ("mfa_serial", "it needs an interactive MFA code"),
    ("web_identity_token_process", "use web_identity_token_file"),
];

impl CredentialsPlan {
    /// Resolves a profile.
    ///
    /// # Errors
    /// A sentence that names the profile and the setting.
    ///
    /// # Source
    /// AWS SDKs and Tools Reference Guide, "Assume role credential provider" and "Process credential provider"; botocore,
    /// `credentials.py`, for the order within a profile.
    pub(super) fn new(profiles: &impl Profiles, first: &str) -> Result<Self, String> {
        let mut roles = Vec::new();
        let mut visited = Vec::new();
        let mut profile = first.to_owned();
        let root = loop {
            let get = |key: &str| profiles.value(&profile, key).filter(|value| !value.is_empty());
            for (key, why) in UNSUPPORTED {
                if get(key).is_some() {
                    return Err(format!("profile {profile}: {key} is not supported: {why}"));
                }
            }
            let is_source = !visited.is_empty();
            visited.push(profile.clone());
            let assumes = get("role_arn").is_some() && get("web_identity_token_file").is_none();
            // A source profile's own keys take precedence over the role that it may assume itself.
            let own_keys = get("aws_access_key_id").is_some() && get("aws_secret_access_key").is_some();
            if !assumes || (is_source && own_keys) {
                break own_root(&profile, get)?;
            }
            roles.push(role(&profile, get)?);
            match (get("source_profile"), get("credential_source")) {
                (Some(source), None) if source == profile => break own_root(&profile, get)?,
                (Some(source), None) => {
                    let source = source.to_owned();
                    if !profiles.exists(&source) {
                        return Err(format!("profile {profile}: no source_profile {source}"));
                    }
                    if visited.contains(&source) {
                        return Err(format!("profile {profile}: source_profile {source} is circular"));
                    }
                    profile = source;
                }
                (None, Some(source)) => break Some(named_source(&profile, source)?),
                (Some(_), Some(_)) => {
                    return Err(format!("profile {profile}: both source_profile and credential_source"));
                }
                (None, None) => {
                    return Err(format!(
                        "profile {profile}: role_arn without source_profile or credential_source"
                    ));
                }
            }
        };
        if root.is_none() && !roles.is_empty() {
            return Err(format!("profile {profile}: no credentials, and {first} needs them"));
        }
        roles.reverse();
        Ok(Self { profile, root, roles })
    }
}

/// The root source that a profile configures itself.
fn own_root<'a>(profile: &str, get: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Root>, String> {
    if let Some(file) = get("web_identity_token_file") {
        if get("role_arn").is_none() {
            return Err(format!("profile {profile}: web_identity_token_file without role_arn"));
        }
        return Ok(Some(Root::WebIdentity { file: file.to_owned(), role: role(profile, get)? }));
    }
    match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (Some(id), Some(secret)) => {
            let token = get("aws_session_token").map(str::to_owned);
            Ok(Some(Root::Keys(Keys { id: id.to_owned(), secret: secret.to_owned(), token })))
        }
        (Some(_), None) => Err(format!("profile {profile}: aws_access_key_id without aws_secret_access_key")),
        (None, Some(_)) => Err(format!("profile {profile}: aws_secret_access_key without aws_access_key_id")),
        (None, None) => Ok(get("credential_process").map(|command| Root::Process(command.to_owned()))),
    }
}

fn named_source(profile: &str, source: &str) -> Result<Root, String> {
    match source.to_ascii_lowercase().as_str() {
        "environment" => Ok(Root::Environment),
        "ec2instancemetadata" => Ok(Root::InstanceRole),
        "ecscontainer" => Ok(Root::Container),
        _ => Err(format!(
            "profile {profile}: credential_source {source}: expected Environment, Ec2InstanceMetadata or EcsContainer"
        )),
    }
}

fn role<'a>(profile: &str, get: impl Fn(&str) -> Option<&'a str>) -> Result<Role, String> {
    let text = |key: &str| get(key).map(str::to_owned);
    let duration = get("duration_seconds").map(|value| {
        value.parse().map_err(|_| format!("profile {profile}: duration_seconds {value} is not a number"))
    });
    Ok(Role {
        arn: text("role_arn").unwrap_or_default(),
        session_name: text("role_session_name"),
        external_id: text("external_id"),
        duration: duration.transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines `PROFILE KEY VALUE`.
    struct Lines(&'static [(&'static str, &'static str, &'static str)]);

    impl Profiles for Lines {
        fn value(&self, profile: &str, key: &str) -> Option<&str> {
            self.0.iter().find(|(p, k, _)| *p == profile && *k == key).map(|(_, _, value)| *value)
        }
        fn exists(&self, profile: &str) -> bool {
            self.0.iter().any(|(p, _, _)| *p == profile)
        }
    }

    /// Profile, setting, value.
    type ProfileLine = (&'static str, &'static str, &'static str);

    fn plan(lines: &'static [ProfileLine]) -> Result<CredentialsPlan, String> {
        CredentialsPlan::new(&Lines(lines), "a")
    }

    /// [cred-1] Falling back to the instance role would act under another identity.
    #[test]
    fn a_profile_that_cannot_be_followed_is_an_error_that_names_profile_and_setting() {
        const ARN: &str = "arn:aws:iam::123456789012:role/web";
        let rows: [(&'static [ProfileLine], &str); 10] = [
            (
                &[("a", "sso_start_url", "https://x")],
                "profile a: sso_start_url is not supported: it needs an interactive login",
            ),
            (
                &[("a", "sso_session", "dev")],
                "profile a: sso_session is not supported: it needs an interactive login",
            ),
            (
                &[("a", "aws_access_key_id", "AKID")],
                "profile a: aws_access_key_id without aws_secret_access_key",
            ),
            (
                &[("a", "aws_secret_access_key", "s")],
                "profile a: aws_secret_access_key without aws_access_key_id",
            ),
            (&[("a", "role_arn", ARN)], "profile a: role_arn without source_profile or credential_source"),
            (&[("a", "role_arn", ARN), ("a", "source_profile", "b")], "profile a: no source_profile b"),
            (
                &[("a", "role_arn", ARN), ("a", "source_profile", "b"), ("b", "region", "eu-west-1")],
                "profile b: no credentials, and a needs them",
            ),
            (
                &[
                    ("a", "role_arn", ARN),
                    ("a", "source_profile", "b"),
                    ("b", "role_arn", ARN),
                    ("b", "source_profile", "a"),
                ],
                "profile b: source_profile a is circular",
            ),
            (
                &[("a", "role_arn", ARN), ("a", "credential_source", "Moon")],
                "profile a: credential_source Moon: expected Environment, Ec2InstanceMetadata or EcsContainer",
            ),
            (
                &[
                    ("a", "role_arn", ARN),
                    ("a", "mfa_serial", "arn:aws:iam::1:mfa/x"),
                    ("a", "source_profile", "b"),
                ],
                "profile a: mfa_serial is not supported: it needs an interactive MFA code",
            ),
        ];
        for (lines, expected) in rows {
            assert_eq!(plan(lines).unwrap_err(), expected);
        }
    }

    #[test]
    fn roles_are_assumed_from_the_root_on() {
        let plan = plan(&[
            ("a", "role_arn", "arn:aws:iam::123456789012:role/outer"),
            ("a", "source_profile", "b"),
            ("a", "external_id", "x"),
            ("a", "duration_seconds", "900"),
            ("b", "role_arn", "arn:aws:iam::123456789012:role/inner"),
            ("b", "source_profile", "c"),
            ("c", "credential_process", "/opt/helper 'one argument'"),
        ])
        .unwrap();
        assert_eq!(plan.profile, "c");
        assert!(matches!(plan.root, Some(Root::Process(command)) if command == "/opt/helper 'one argument'"));
        let arns: Vec<_> = plan.roles.iter().map(|role| role.arn.rsplit('/').next().unwrap()).collect();
        assert_eq!(arns, ["inner", "outer"]);
        assert_eq!((plan.roles[1].external_id.as_deref(), plan.roles[1].duration), (Some("x"), Some(900)));
    }

    #[test]
    fn a_profile_without_credentials_leaves_them_to_the_sources_that_follow() {
        assert!(plan(&[("a", "region", "eu-west-1")]).unwrap().root.is_none());
    }

    #[test]
    fn sources_are_found_where_the_aws_command_finds_them() {
        const ARN: &str = "arn:aws:iam::123456789012:role/web";
        let instance =
            plan(&[("a", "role_arn", ARN), ("a", "credential_source", "ec2instancemetadata")]).unwrap();
        assert!(matches!(instance.root, Some(Root::InstanceRole)) && instance.roles.len() == 1);
        let container = plan(&[("a", "role_arn", ARN), ("a", "credential_source", "EcsContainer")]).unwrap();
        assert!(matches!(container.root, Some(Root::Container)));
        let own = plan(&[
            ("a", "role_arn", ARN),
            ("a", "source_profile", "a"),
            ("a", "aws_access_key_id", "AKID"),
            ("a", "aws_secret_access_key", "secret"),
        ])
        .unwrap();
        assert!(matches!(own.root, Some(Root::Keys(_))) && own.roles.len() == 1);
        let web = plan(&[("a", "role_arn", ARN), ("a", "web_identity_token_file", "/token")]).unwrap();
        assert!(matches!(web.root, Some(Root::WebIdentity { .. })) && web.roles.is_empty());
        let keys_first = plan(&[
            ("a", "role_arn", ARN),
            ("a", "source_profile", "b"),
            ("b", "role_arn", ARN),
            ("b", "source_profile", "c"),
            ("b", "aws_access_key_id", "AKID"),
            ("b", "aws_secret_access_key", "secret"),
        ])
        .unwrap();
        assert!(matches!(keys_first.root, Some(Root::Keys(_))) && keys_first.roles.len() == 1);
    }
}
