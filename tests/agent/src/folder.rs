//! Temporary folders, removed on drop.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A temporary folder, removed with its contents on drop.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates an empty folder that every user can enter, so that tests can run the agent as another user.
    pub fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("eip-agent-tests-{}-{number}", std::process::id()));
        // Left behind by a killed process with the same pid.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        Self(path)
    }

    /// Absolute path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it, with its parent folders, and returns the file's path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders");
        fs::write(&path, text).expect("a file");
        path
    }

    /// Writes an executable script in it.
    pub fn program(&self, name: &str, script: &str) {
        write_program(&self.0.join(name), script);
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes a script that every user can run, with its parent folders.
///
/// # Panics
/// If it cannot be written.
pub fn write_program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().expect("below a folder")).expect("folders");
    fs::write(path, script).expect("a program");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// Text and path of every file below a folder.
pub(crate) fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(texts(&path));
        } else if path.is_file()
            && let Ok(bytes) = fs::read(&path)
        {
            found.push((path, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    found
}

/// Sorted names of the files in a state folder other than locks and counters for metrics: records, and files that must not be there.
///
/// # Panics
/// If the folder cannot be read.
pub fn records_in(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    let names = files.map(|entry| entry.file_name().into_string().unwrap());
    let beside = |name: &str| matches!(name.rsplit_once('.'), Some((_, "lock" | "record-gate" | "tally")));
    let mut names: Vec<_> = names.filter(|name| !beside(name)).collect();
    names.sort();
    names
}
