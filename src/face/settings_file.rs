//! The settings file of a face without a cluster; used only if no user but root and this process's could have
//! written it.

use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;

use crate::base::ownership::own_user;
use crate::base::small_file;

/// Size limit, in bytes.
const LARGEST: u64 = 65_536;

/// A settings file that passed the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFile {
    /// The path it was read from.
    pub path: String,
    /// The content, not parsed yet.
    pub text: String,
    /// Whether every user of this host may read it.
    pub is_public: bool,
}

/// Reads the file named by `named`, otherwise the first of `usual` that exists; `None` if none does.
///
/// # Errors
/// Why an existing file is not used, with its path; a file that was named must exist.
pub fn find(named: Option<&str>, usual: &[&str]) -> io::Result<Option<SettingsFile>> {
    if let Some(path) = named {
        return read(path).map(Some);
    }
    for path in usual {
        match read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            found => return found.map(Some),
        }
    }
    Ok(None)
}

fn read(path: &str) -> io::Result<SettingsFile> {
    let failed = |error: io::Error| {
        let text = match error.kind() {
            ErrorKind::PermissionDenied => {
                format!("{path}: not readable by this user: chgrp it to one of the user's groups")
            }
            ErrorKind::Other => format!("{path}: expected a text file of settings"),
            _ => format!("{path}: {error}"),
        };
        io::Error::new(error.kind(), text)
    };
    let file = small_file::open(path.as_ref(), LARGEST).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    // Another user could redirect this node's signed requests.
    let owner = about.uid();
    // In a chroot without /proc our own user is unknown, and the action must go on.
    if owner != 0 && own_user().is_ok_and(|own| own != owner) {
        return Err(io::Error::other(format!("{path}: owned by user {owner}: chown it to root")));
    }
    if about.mode() & 0o022 != 0 {
        return Err(io::Error::other(format!("{path}: writable by others: chmod go-w")));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
    let text = String::from_utf8(bytes).map_err(|_| io::Error::other(format!("{path}: not UTF-8 text")))?;
    Ok(SettingsFile { path: path.to_owned(), text, is_public: about.mode() & 0o004 != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    struct TestFolder(PathBuf);

    impl TestFolder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("eip-settings-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn write(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> String {
            let path = self.0.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            path.display().to_string()
        }
    }

    impl Drop for TestFolder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_named_file_has_to_be_there_and_of_the_usual_ones_the_first_is_read() {
        let folder = TestFolder::new("which");
        let nowhere = folder.0.join("nowhere").display().to_string();
        let (one, two) = (folder.write("one", "A=1\n", 0o644), folder.write("two", "A=2\n", 0o600));
        let found = find(None, &[&nowhere, &two, &one]).unwrap().unwrap();
        assert_eq!(
            (found.text.as_str(), found.path.as_str(), found.is_public),
            ("A=2\n", two.as_str(), false)
        );
        assert!(find(Some(&one), &[&two]).unwrap().unwrap().is_public);
        assert_eq!(find(None, &[&nowhere]).unwrap(), None);
        assert!(find(Some(&nowhere), &[&two]).is_err());
    }

    #[test]
    fn a_file_that_others_could_have_written_or_that_is_not_text_is_refused_in_one_line() {
        let folder = TestFolder::new("refused");
        let rows = [
            (folder.write("group", "A=1\n", 0o664), "writable by others: chmod go-w"),
            (folder.write("everybody", "A=1\n", 0o646), "writable by others: chmod go-w"),
            (folder.write("long", "#".repeat(70_000), 0o644), "a text file of settings"),
            (folder.write("latin", [b'A', b'=', 0xe9], 0o644), "not UTF-8 text"),
            (folder.0.display().to_string(), "a text file of settings"),
        ];
        for (path, part) in rows {
            let refused = find(Some(&path), &[]).unwrap_err().to_string();
            assert!(refused.contains(part), "{refused}");
        }
    }

    #[test]
    fn a_file_of_another_user_is_refused_and_one_of_root_is_not() {
        let folder = TestFolder::new("owner");
        let path = folder.write("settings", "A=1\n", 0o644);
        // Only root can give a file away; other users have root's files to test with.
        if std::os::unix::fs::chown(&path, Some(65_534), None).is_ok() {
            let refused = find(Some(&path), &[]).unwrap_err().to_string();
            assert!(refused.contains("owned by user 65534: chown it to root"), "{refused}");
        } else {
            assert!(find(Some("/etc/passwd"), &[]).unwrap().is_some());
        }
    }
}
