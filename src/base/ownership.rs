//! Checks that no other user could have written a file, or could redirect one that this process writes.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Mode bits that grant write access to the group or to others.
const OTHERS_WRITE: u32 = 0o022;
/// In a folder with this bit, such as `/tmp`, only the owner of a file can remove or rename it.
const STICKY: u32 = 0o1000;

/// The user this process runs as: the owner of `/proc/self`, since std offers no other way without unsafe code.
///
/// # Errors
/// If `/proc` is not mounted.
pub(crate) fn own_user() -> io::Result<u32> {
    Ok(fs::metadata("/proc/self")?.uid())
}

/// Fails if another user could have added, removed or replaced files in a folder.
pub(crate) fn check_folder(folder: &Path) -> io::Result<()> {
    // Without /proc the user is unknown, and the action must go on.
    let own = own_user().ok();
    // A link that we own was set by an administrator who keeps the state on another disk.
    for meta in [fs::symlink_metadata(folder)?, fs::metadata(folder)?] {
        if own.is_some_and(|own| meta.uid() != own) {
            return Err(io::Error::other(format!("its directory is owned by user {}", meta.uid())));
        }
    }
    if fs::metadata(folder)?.mode() & OTHERS_WRITE != 0 {
        return Err(io::Error::other("its directory is writable by others"));
    }
    Ok(())
}

/// Fails if another user could redirect what is written to this folder, through a link or by replacing a folder on the
/// way.
///
/// A sticky folder is acceptable: others cannot replace our files in it, and opening a file there follows no links and
/// checks the owner.
pub(crate) fn check_way_to(folder: &Path) -> io::Result<()> {
    let resolved = folder.canonicalize()?;
    for part in folder.ancestors().chain(resolved.ancestors()).filter(|part| !part.as_os_str().is_empty()) {
        let meta = fs::symlink_metadata(part)?;
        if !is_ours_or_roots(&meta) {
            return Err(io::Error::other(format!("{} is owned by user {}", part.display(), meta.uid())));
        }
        let open = meta.is_dir() && meta.mode() & OTHERS_WRITE != 0 && meta.mode() & STICKY == 0;
        if open {
            return Err(io::Error::other(format!("{} is writable by others", part.display())));
        }
    }
    Ok(())
}

fn is_ours_or_roots(meta: &Metadata) -> bool {
    meta.uid() == 0 || own_user().map_or(true, |own| meta.uid() == own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn a_folder_on_the_way_that_others_can_replace_is_refused_and_a_sticky_one_is_not() {
        let top = std::env::temp_dir().join(format!("eip-ownership-{}", std::process::id()));
        let (middle, bottom) = (top.join("middle"), top.join("middle/bottom"));
        fs::create_dir_all(&bottom).unwrap();
        check_way_to(&bottom).unwrap();
        for (mode, refused) in [(0o777, true), (0o770, true), (0o1777, false), (0o755, false)] {
            fs::set_permissions(&middle, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(check_way_to(&bottom).is_err(), refused, "{mode:o}");
        }
        // The administrator's link may lead anywhere, but its target is checked as well.
        let link = top.join("link");
        symlink(&bottom, &link).unwrap();
        check_way_to(&link).unwrap();
        fs::set_permissions(&middle, fs::Permissions::from_mode(0o777)).unwrap();
        let error = check_way_to(&link).unwrap_err().to_string();
        assert_eq!(error, format!("{} is writable by others", middle.canonicalize().unwrap().display()));
        fs::remove_dir_all(top).unwrap();
    }
}
