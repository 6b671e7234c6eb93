//! [`Records`] in files: one of each kind for every resource.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Durable, Records, Volatile, file};
use crate::ocf::environment::Environment;
use crate::ocf::log::Log;

/// Where volatile records go below `HA_RSCTMP`, whose default resource-agents makes at boot.
const DEFAULT_RSCTMP: &str = "/run/resource-agents";
/// Where durable records go.
const DEFAULT_DURABLE: &str = "/var/lib/eip";

/// The records of one resource, in files.
#[derive(Debug, Clone)]
pub struct FileRecords {
    volatile: PathBuf,
    durable: PathBuf,
    instance: String,
    log: Log,
}

impl FileRecords {
    /// Returns the records of the resource that this environment is about.
    ///
    /// `EIP_STATE_DIR` puts both kinds below one folder.
    #[must_use]
    pub fn new(environment: &Environment, log: &Log) -> Self {
        let (volatile, durable) = folders(environment);
        Self { volatile, durable, instance: environment.instance().to_owned(), log: log.clone() }
    }

    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.json", file_name(&self.instance)))
    }

    fn load<T: DeserializeOwned + Default>(&self, path: &Path) -> T {
        let loaded = file::read(path).map_err(|error| error.to_string()).and_then(|text| {
            text.map(|text| serde_json::from_str(&text).map_err(|error| error.to_string())).transpose()
        });
        match loaded {
            Ok(record) => record.unwrap_or_default(),
            Err(reason) => {
                self.log.warn(format_args!("state file {} not used: {reason}", path.display()));
                T::default()
            }
        }
    }

    fn store(&self, path: &Path, record: &impl Serialize) {
        let stored = serde_json::to_string_pretty(record)
            .map_err(std::io::Error::other)
            .and_then(|text| file::replace(path, &text));
        if let Err(error) = stored {
            self.log.warn(format_args!("state file {} not written: {error}", path.display()));
        }
    }
}

impl Records for FileRecords {
    fn volatile(&self) -> Volatile {
        self.load(&self.path(&self.volatile))
    }

    fn set_volatile(&self, record: &Volatile) {
        self.store(&self.path(&self.volatile), record);
    }

    fn durable(&self) -> Durable {
        self.load(&self.path(&self.durable))
    }

    fn set_durable(&self, record: &Durable) {
        self.store(&self.path(&self.durable), record);
    }

    fn others(&self) -> Vec<(String, Volatile)> {
        let own = self.path(&self.volatile);
        let Ok(entries) = std::fs::read_dir(&self.volatile) else {
            return Vec::new();
        };
        entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| *path != own && path.extension().is_some_and(|end| end == "json"))
            .map(|path| {
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                (name, self.load(&path))
            })
            .collect()
    }
}

/// Returns the folders of volatile and of durable records.
pub(super) fn folders(environment: &Environment) -> (PathBuf, PathBuf) {
    let folder = |name: &str| environment.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match folder("EIP_STATE_DIR") {
        Some(state) => (state.join("volatile"), state.join("durable")),
        None => (
            folder("HA_RSCTMP").unwrap_or_else(|| PathBuf::from(DEFAULT_RSCTMP)).join("eip"),
            PathBuf::from(DEFAULT_DURABLE),
        ),
    }
}

/// Returns a file name for a resource's name: a clone's `eip:0` and anything else unusual is written as `%3A`.
pub(super) fn file_name(instance: &str) -> String {
    let mut name = String::new();
    for byte in instance.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || (byte == b'.' && !name.is_empty()) {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Phase;

    fn records(name: &str, instance: &str) -> FileRecords {
        let folder = std::env::temp_dir().join(format!("eip-records-{}-{name}", std::process::id()));
        FileRecords {
            volatile: folder.join("v"),
            durable: folder.join("d"),
            instance: instance.to_owned(),
            log: Log::memory(),
        }
    }

    #[test]
    fn a_damaged_file_is_a_warning_and_an_empty_record() {
        let records = records("damaged", "eip");
        let path = records.path(&records.volatile);
        file::replace(&path, "{\"phase\": \"star").unwrap();
        assert_eq!(records.volatile(), Volatile::default());
        assert!(
            records.log.lines().iter().any(|line| line.contains("not used")),
            "{:?}",
            records.log.lines()
        );
        file::replace(&path, "{\"phase\": null, \"added_by_a_later_version\": 1}").unwrap();
        assert_eq!(records.volatile(), Volatile::default());
        std::fs::remove_dir_all(records.volatile.parent().unwrap()).unwrap();
    }

    #[test]
    fn each_resource_sees_its_own_record_and_the_others() {
        let (one, two) = (records("others", "one"), records("others", "two:0"));
        let started = Volatile { phase: Some(Phase::Started), ..Volatile::default() };
        one.set_volatile(&started);
        assert_eq!(one.volatile(), started);
        assert!(one.others().is_empty());
        assert_eq!(two.others(), [("one".to_owned(), started)]);
        assert_eq!(two.volatile(), Volatile::default());
        std::fs::remove_dir_all(one.volatile.parent().unwrap()).unwrap();
    }

    #[test]
    fn file_names_stay_in_the_folder() {
        assert_eq!(file_name("eip:0"), "eip%3A0");
        assert_eq!(file_name("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
        assert_eq!(file_name("web.eip-1_a"), "web.eip-1_a");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_a_warning() {
        let mut records = records("unwritable", "eip");
        records.volatile = PathBuf::from("/proc/no-such-folder");
        records.set_volatile(&Volatile::default());
        assert!(records.log.lines().iter().any(|line| line.contains("not written")));
    }
}
