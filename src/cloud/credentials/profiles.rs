//! Profile files: which there are, whether they hold the profile that is asked for, which region they name.

use std::path::{Path, PathBuf};

use aws_config::Region;
use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileRegionProvider, load};
use aws_config::provider_config::ProviderConfig;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

use crate::base::chain_of;
use crate::base::small_file;
use crate::cloud::settings::Settings;

/// The largest profile file that is read; the SDK has no limit.
const LARGEST: u64 = 1 << 20;

/// Checks that the profile that is asked for is there, once, because a file does not heal while an action runs.
///
/// # Errors
/// A sentence that names the profile, or says where a profile file can't be read.
pub(in crate::cloud) async fn check(settings: &Settings) -> Result<(), String> {
    let Some(name) = settings.profile.clone() else {
        return Ok(());
    };
    let Some(files) = files(settings) else {
        return Err(format!("no profile {name}: there is no profile file"));
    };
    let loaded = load(&Fs::real(), &Env::real(), &files, Some(name.clone().into())).await;
    match loaded {
        Ok(profiles) if profiles.get_profile(&name).is_some() => Ok(()),
        Ok(_) => Err(format!("no profile {name} in the profile files")),
        Err(error) => Err(format!("profile files: {}", chain_of(&error))),
    }
}

/// Returns the region that the profile files name, if they do.
pub(in crate::cloud) async fn region(settings: &Settings, config: &ProviderConfig) -> Option<Region> {
    if settings.instance_role_only {
        return None;
    }
    let mut builder = ProfileFileRegionProvider::builder().configure(config);
    builder = builder.profile_files(files(settings)?);
    if let Some(name) = &settings.profile {
        builder = builder.profile_name(name);
    }
    builder.build().region().await
}

/// Returns the profile files that are there but can't be used, each with the reason.
pub(super) fn unusable(settings: &Settings) -> Vec<(&Path, String)> {
    let there = |path: &&Path| path.exists();
    let paths =
        [&settings.config_file, &settings.credentials_file].into_iter().flatten().map(PathBuf::as_path);
    paths.filter(there).filter_map(|path| Some((path, small_file::refused(path, LARGEST)?))).collect()
}

/// Returns the files with tokens that the profiles name.
pub(super) async fn token_files(files: &EnvConfigFiles) -> Vec<PathBuf> {
    let Ok(profiles) = load(&Fs::real(), &Env::real(), files, None).await else {
        // Whoever reads them next says what is wrong.
        return Vec::new();
    };
    let named =
        profiles.profiles().filter_map(|name| profiles.get_profile(name)?.get("web_identity_token_file"));
    named.map(PathBuf::from).collect()
}

/// Returns the profile files that exist and can be used. Their paths are given in full, because without `HOME` the SDK finds none.
pub(super) fn files(settings: &Settings) -> Option<EnvConfigFiles> {
    let files = [
        (EnvConfigFileKind::Config, &settings.config_file),
        (EnvConfigFileKind::Credentials, &settings.credentials_file),
    ];
    let mut builder = EnvConfigFiles::builder();
    let mut any = false;
    for (kind, path) in files {
        if let Some(path) =
            path.as_ref().filter(|path| path.exists() && small_file::refused(path, LARGEST).is_none())
        {
            builder = builder.with_file(kind, path.clone());
            any = true;
        }
    }
    // An empty set panics in the SDK.
    any.then(|| builder.build())
}
