//! Small files, written atomically, and read only if no other user can have written them.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown, fchown,
};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::base::ownership::{check_folder, own_user};
use crate::base::small_file::{self, TEMPORARY};

/// A state file is a few kilobytes; a larger one is not ours.
const LARGEST: u64 = 1 << 20;

/// The text of a file; `None` if it does not exist.
///
/// # Errors
/// Also if it is a link, not a plain file, of another owner, or writable by others, or its folder is of another owner
/// or writable by others: planting a file must gain an attacker nothing.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match path.parent().map(check_folder) {
        None | Some(Ok(())) => {}
        Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Some(Err(error)) => return Err(error),
    }
    // Without O_NONBLOCK, opening a planted FIFO would wait for its writer.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    check(&file)?;
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other("larger than any state file"));
    }
    Ok(Some(text))
}

/// The value in a file, as [`read`].
///
/// # Errors
/// As [`read`]; also if the text is not such a value.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    read(path)?.map(|text| serde_json::from_str(&text).map_err(io::Error::other)).transpose()
}

fn check(file: &File) -> io::Result<()> {
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    // Without /proc this is skipped, as for the folder: the process must be able to read what it writes.
    if own_user().is_ok_and(|own| meta.uid() != own) {
        return Err(io::Error::other(format!("owned by user {}", meta.uid())));
    }
    if meta.mode() & 0o022 != 0 {
        return Err(io::Error::other("writable by others"));
    }
    Ok(())
}

/// Creates one of our folders, unless it exists.
///
/// # Errors
/// If it cannot be created.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    // Folders above ours also belong to others, for example resource-agents; what is in ours does not.
    if let Some(above) = folder.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(above)?;
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// The folder of a file, created if it is missing and trusted.
fn safe_folder(path: &Path) -> io::Result<&Path> {
    let folder = path.parent().ok_or_else(|| io::Error::other("no directory"))?;
    make_folder(folder)?;
    check_folder(folder)?;
    Ok(folder)
}

/// Atomically replaces a file with this text, mode 0600. A process killed at any instant leaves the old text or the new one.
///
/// # Errors
/// If the folder cannot be created or written, or is writable by others, who could redirect the write.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = safe_folder(path)?;
    // Otherwise a power cut soon after the rename may leave an empty file.
    small_file::replace(path, text, 0o600, File::sync_data)?;
    remove_leftovers(path, folder);
    // Otherwise a power cut may bring the old file back after the action has reported success.
    File::open(folder)?.sync_all()
}

/// Removes a file from a folder of ours.
///
/// # Errors
/// Also if the folder is of another owner or writable by others, who could have chosen it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), check_folder)?;
    fs::remove_file(path)
}

/// Makes a folder that a group may enter as well, and `mode` lets do. What the file system refuses is left as it is.
pub(super) fn share_folder(folder: &Path, group: u32, mode: u32) -> io::Result<()> {
    make_folder(folder)?;
    chown(folder, None, Some(group))?;
    fs::set_permissions(folder, Permissions::from_mode(mode))
}

/// As [`replace`], for what costs nothing if a power cut takes it: without waiting for the disk. A group may read it, if one is given.
///
/// # Errors
/// As [`replace`].
pub(super) fn replace_unsynced(path: &Path, text: &str, group: Option<u32>) -> io::Result<()> {
    safe_folder(path)?;
    small_file::replace(path, text, 0o600, |file| {
        if let Some(group) = group {
            fchown(file, None, Some(group))?;
            file.set_permissions(Permissions::from_mode(0o640))?;
        }
        Ok(())
    })
}

/// Keeps a damaged record for inspection as `NAME.damaged`, unless that exists already, so that the next one does not replace it.
///
/// # Errors
/// If it cannot be renamed, or the folder is of another owner or writable by others.
pub(super) fn set_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    path.parent().map_or(Ok(()), check_folder)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    let aside = PathBuf::from(name);
    if aside.exists() {
        return Ok(None);
    }
    fs::rename(path, &aside)?;
    Ok(Some(aside))
}

/// Removes temporary files for this file from processes that were killed while writing.
fn remove_leftovers(path: &Path, folder: &Path) {
    let (Some(name), Ok(entries)) = (path.file_name(), fs::read_dir(folder)) else { return };
    for entry in entries.flatten() {
        let writer = writer_of(&entry.file_name(), name);
        // Without /proc every process would seem to have ended.
        let gone = |pid: u32| own_user().is_ok() && !Path::new(&format!("/proc/{pid}")).exists();
        if writer.is_some_and(gone) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Pid of the process that writes, or wrote, this temporary file for `name`; `None` for any other file.
fn writer_of(file: &OsStr, name: &OsStr) -> Option<u32> {
    let rest = file.to_str()?.strip_prefix(name.to_str()?)?;
    rest.strip_prefix('.')?.strip_suffix(TEMPORARY)?.parse().ok()
}

/// Checks that a file can be created in a folder, or, if that does not exist yet, in its nearest existing parent.
///
/// # Errors
/// Why it cannot. The check leaves nothing behind.
pub(super) fn try_writing(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder);
    let trial = there.join(format!(".eip.{}.tmp", std::process::id()));
    small_file::create(&trial, 0o600)?.sync_data()?;
    fs::remove_file(&trial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("eip-file-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn what_is_written_is_read_and_no_other_user_can() {
        let folder = folder("plain");
        let path = folder.join("a.json");
        assert_eq!(read(&path).unwrap(), None);
        replace(&path, "one").unwrap();
        replace(&path, "two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file stays");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_goes_with_the_next_write_and_what_a_live_one_writes_stays() {
        let folder = folder("leftover");
        let path = folder.join("a.json");
        replace(&path, "one").unwrap();
        // No process has the largest pid, and process 1 always runs.
        let (dead, live) = (folder.join("a.json.4294967295.tmp"), folder.join("a.json.1.tmp"));
        let (other, foreign) = (folder.join("a.json.b.tmp"), folder.join("b.json.4294967295.tmp"));
        for file in [&dead, &live, &other, &foreign] {
            fs::write(file, "half").unwrap();
        }
        replace(&path, "two").unwrap();
        assert!(!dead.exists());
        assert!(live.exists() && other.exists() && foreign.exists());
        fs::remove_dir_all(folder).unwrap();
    }

    /// [record-8]
    #[test]
    fn a_damaged_record_is_kept_once_when_the_next_one_is_written() {
        let folder = folder("damaged");
        let path = folder.join("a.json");
        replace(&path, "{\"displaced\": [").unwrap();
        let aside = set_aside(&path).unwrap().unwrap();
        replace(&path, "{}").unwrap();
        assert_eq!(fs::read_to_string(&aside).unwrap(), "{\"displaced\": [");
        assert_eq!(set_aside(&path).unwrap(), None, "the first one has what was lost");
        assert_eq!(fs::read_to_string(&aside).unwrap(), "{\"displaced\": [");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_planted_link_fifo_or_open_file_is_not_read() {
        let folder = folder("planted");
        fs::create_dir_all(&folder).unwrap();
        let target = folder.join("target");
        fs::write(&target, "secret").unwrap();
        let link = folder.join("link.json");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(read(&link).is_err());
        replace(&link, "ours").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "secret", "the link's target is untouched");
        let open = folder.join("open.json");
        fs::write(&open, "{}").unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(read(&open).unwrap_err().to_string().contains("writable by others"));
        assert!(read(&folder).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_used() {
        let (folder, elsewhere) = (folder("attacked"), folder("elsewhere"));
        let path = folder.join("a.json");
        replace(&path, "ours").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("its directory is writable by others"));
        assert!(replace(&path, "again").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        // An administrator's own link to another disk is not an attack.
        fs::rename(&folder, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &folder).unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("ours"));
        replace(&path, "again").unwrap();
        fs::remove_file(folder).unwrap();
        fs::remove_dir_all(elsewhere).unwrap();
    }
}
