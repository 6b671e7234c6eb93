//! The profile files: which exist, and what they contain.

use std::io::ErrorKind;

use aws_config::profile::{ProfileSet, load};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::property::PropertiesKey;
use aws_types::os_shim_internal::{Env, Fs};
use futures_util::FutureExt as _;

use super::plan::Profiles;
use crate::base::chain_of;
use crate::base::small_file;
use crate::cloud::settings::Settings;

/// Largest accepted profile file; the SDK has no limit.
const LARGEST: u64 = 1 << 20;
/// The profile used if none is named.
const DEFAULT: &str = "default";
/// Key of a profile and name of the sections with settings for single services.
const SERVICES: &str = "services";

/// Parsed profile files with the configured profile selected; `None` if there are no files.
///
/// # Errors
/// A sentence that names the unreadable file, or the requested profile that does not exist.
pub(in crate::cloud) fn read(settings: &Settings) -> Result<Option<ProfileSet>, String> {
    if settings.instance_role_only {
        return Ok(None);
    }
    let named = settings.named_profile();
    let Some(files) = files(settings)? else {
        return match named {
            Some(name) => Err(format!("no profile {name}: there is no profile file")),
            None => Ok(None),
        };
    };
    let selected = named.unwrap_or(DEFAULT).to_owned();
    // The contents are already in memory, so it never waits.
    let parsed = load(&Fs::real(), &Env::real(), &files, Some(selected.into())).now_or_never();
    let profiles = parsed
        .ok_or("profile files: not read")?
        .map_err(|error| format!("profile files: {}", chain_of(&error)))?;
    match named {
        Some(name) if profiles.get_profile(name).is_none() => {
            Err(format!("no profile {name} in the profile files"))
        }
        _ => Ok(Some(profiles)),
    }
}

/// Completes the settings from the selected profile. Returns warnings about invalid values.
///
/// Unreadable files are not an error here: the first EC2 call reports them.
pub(crate) fn complete(settings: &mut Settings) -> Vec<String> {
    let Ok(Some(profiles)) = read(settings) else { return Vec::new() };
    settings.complete(|service, key| {
        let Some(service) = service else {
            return profiles.get(key).filter(|value| !value.is_empty()).map(str::to_owned);
        };
        let section = PropertiesKey::builder().section_key(SERVICES).section_name(profiles.get(SERVICES)?);
        let key = section.property_name(service).sub_property_name(key).build().ok()?;
        profiles.other_sections().get(&key).map(ToString::to_string)
    })
}

/// The existing profile files, with absolute paths, because without `HOME` the SDK finds none.
fn files(settings: &Settings) -> Result<Option<EnvConfigFiles>, String> {
    let files = [
        (EnvConfigFileKind::Config, &settings.config_file),
        (EnvConfigFileKind::Credentials, &settings.credentials_file),
    ];
    let mut builder = EnvConfigFiles::builder();
    let mut any = false;
    for (kind, path) in files {
        let Some(path) = path else { continue };
        let shown = path.display();
        let bytes = match small_file::read(path, LARGEST) {
            Ok(bytes) => bytes,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(format!("profile file {error}: {shown}")),
        };
        let text = String::from_utf8(bytes).map_err(|_| format!("profile file not UTF-8 text: {shown}"))?;
        builder = builder.with_contents(kind, text);
        any = true;
    }
    // An empty set makes the SDK panic.
    Ok(any.then(|| builder.build()))
}

impl Profiles for ProfileSet {
    fn value(&self, profile: &str, key: &str) -> Option<&str> {
        self.get_profile(profile)?.get(key)
    }

    fn exists(&self, profile: &str) -> bool {
        self.get_profile(profile).is_some()
    }
}
