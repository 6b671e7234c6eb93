//! What Pacemaker's alert agent shares with the resource agents: the history that they publish for it, and its own memory of what it
//! has announced.
//!
//! It runs as `hacluster`, of the group `haclient`, and cannot read the records.

use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Change;
use super::folders::{file_name, folders};
use crate::base::small_file;
use crate::ocf::environment::Environment;

/// The group of Pacemaker's user.
pub const GROUP: &str = "haclient";
/// Largest file that is read: a history has a hundred entries of some hundred bytes.
const LARGEST: u64 = 1 << 20;
/// Name of the file about the last loss of a node.
const LOSS: &str = "loss";

/// The files of the alert agent.
#[derive(Debug)]
pub struct AlertFiles {
    history: PathBuf,
    state: PathBuf,
}

/// A node that the cluster has lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The cluster's name for it.
    pub node: String,
    /// When the cluster noticed it, in milliseconds since 1970.
    pub at_ms: u64,
}

impl AlertFiles {
    /// Beside the records of this environment.
    pub fn new(environment: &Environment) -> Self {
        let (_, durable) = folders(environment);
        Self { history: history_folder(&durable), state: state_folder(&durable) }
    }

    /// The changes of holder that this node made for a resource, the oldest first; `None` if it is no resource of ours.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn history(&self, resource: &str) -> io::Result<Option<Vec<Change>>> {
        let path = self.history.join(format!("{}.json", file_name(resource)));
        read(&path)?.map(|text| serde_json::from_slice(&text).map_err(io::Error::other)).transpose()
    }

    /// Whether the caller is the first to announce this change to this recipient. It has to be announced then.
    ///
    /// # Errors
    /// If that cannot be remembered.
    pub fn claim(&self, resource: &str, recipient: &str, change: &Change) -> io::Result<bool> {
        let mut hasher = DefaultHasher::new();
        recipient.hash(&mut hasher);
        // The recipient may be a URL with a secret in it.
        let of_recipient = format!("{}@{:016x}@", file_name(resource), hasher.finish());
        let name = format!("{of_recipient}{}", change.at_ms);
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.state.join(&name)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(error),
        }
        for entry in fs::read_dir(&self.state)?.flatten() {
            let other = entry.file_name();
            if other.to_string_lossy().starts_with(&of_recipient) && other.to_string_lossy() != name {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(true)
    }

    /// Remembers that the cluster has lost a node.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn remember_loss(&self, loss: &Loss) -> io::Result<()> {
        small_file::replace(&self.state.join(LOSS), &serde_json::to_string(loss)?, 0o600, |_| Ok(()))
    }

    /// Forgets the loss of a node that is a member again: what moves from now on does not move because of it.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn forget_loss(&self, node: &str) -> io::Result<()> {
        if self.last_loss().is_some_and(|loss| loss.node == node) {
            fs::remove_file(self.state.join(LOSS))?;
        }
        Ok(())
    }

    /// The last loss of a node that the alert agent has seen; `None` if there was none, or it cannot be read.
    pub fn last_loss(&self) -> Option<Loss> {
        serde_json::from_slice(&read(&self.state.join(LOSS)).ok()??).ok()
    }
}

/// Where the histories are, beside the records of this folder.
pub(super) fn history_folder(durable: &Path) -> PathBuf {
    durable.join("history")
}

/// Where the alert agent keeps its own files.
pub(super) fn state_folder(durable: &Path) -> PathBuf {
    durable.join("alert")
}

/// The number of [`GROUP`] in a file like `/etc/group`, where Pacemaker's packages create it; `None` if it has none.
pub(super) fn group(file: &Path) -> Option<u32> {
    let text = String::from_utf8(small_file::read(file, LARGEST).ok()?).ok()?;
    let mut lines = text.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| (fields.next() == Some(GROUP)).then(|| fields.nth(1)?.parse().ok())?)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match small_file::read(path, LARGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::super::{FileRecords, Records as _};
    use super::*;
    use crate::base::log::Log;

    fn environment(name: &str) -> (Environment, PathBuf) {
        let folder = std::env::temp_dir().join(format!("eip-alerts-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let variables = [("EIP_STATE_DIR", folder.to_str().unwrap()), ("OCF_RESOURCE_INSTANCE", "web:0")];
        (Environment::new(variables.map(|(name, value)| (name.into(), value.into()))), folder)
    }

    fn change(at_ms: u64) -> Change {
        Change { at_ms, ..Change::default() }
    }

    /// [alert-1] As root, on a machine with Pacemaker; on others the history stays where it is.
    #[test]
    fn the_history_can_be_read_by_pacemakers_user_and_the_records_cannot() {
        let (environment, folder) = environment("published");
        let records = FileRecords::new(&environment, &Log::memory());
        records.update_durable(|durable| durable.remember(change(1)));
        let files = AlertFiles::new(&environment);
        let Some(group) =
            group(Path::new("/etc/group")).filter(|_| crate::base::ownership::own_user().ok() == Some(0))
        else {
            assert_eq!(files.history("web:0").unwrap(), None);
            fs::remove_dir_all(folder).unwrap();
            return;
        };
        assert_eq!(files.history("web:0").unwrap(), Some(vec![change(1)]));
        let seen = |name: &str| {
            let meta = fs::metadata(folder.join("durable").join(name)).unwrap();
            (meta.permissions().mode() & 0o777, meta.gid())
        };
        assert_eq!(seen("history/web%3A0.json"), (0o640, group));
        assert_eq!((seen("history"), seen("alert")), ((0o750, group), (0o770, group)));
        assert_eq!((seen("").0, seen("web%3A0.json").0), (0o711, 0o600));
        // What is no change of holder does not write it again.
        let before = fs::metadata(folder.join("durable/history/web%3A0.json")).unwrap().ino();
        records.update_durable(|durable| durable.region = Some("eu-west-1".to_owned()));
        assert_eq!(fs::metadata(folder.join("durable/history/web%3A0.json")).unwrap().ino(), before);
        records.update_durable(|durable| durable.remember(change(2)));
        assert_eq!(files.history("web:0").unwrap().unwrap().len(), 2);
        assert_eq!(files.history("other").unwrap(), None);
        fs::remove_dir_all(folder).unwrap();
    }

    /// [alert-2]
    #[test]
    fn each_change_is_claimed_once_for_each_recipient() {
        let (environment, folder) = environment("claimed");
        let files = AlertFiles::new(&environment);
        assert!(files.claim("web", "syslog", &change(1)).is_err(), "no folder");
        fs::create_dir_all(folder.join("durable/alert")).unwrap();
        for (resource, recipient, at, first) in [
            ("web", "syslog", 1, true),
            ("web", "syslog", 1, false),
            ("web", "https://example.com/secret", 1, true),
            ("db", "syslog", 1, true),
            ("web", "syslog", 2, true),
            ("web", "syslog", 2, false),
        ] {
            assert_eq!(files.claim(resource, recipient, &change(at)).unwrap(), first, "{resource} {at}");
        }
        let names: Vec<_> = fs::read_dir(folder.join("durable/alert"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 3, "older ones go: {names:?}");
        assert!(!format!("{names:?}").contains("secret"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_last_loss_is_remembered_until_the_node_is_back() {
        let (environment, folder) = environment("loss");
        let files = AlertFiles::new(&environment);
        assert_eq!(files.last_loss(), None);
        fs::create_dir_all(folder.join("durable/alert")).unwrap();
        for node in ["n1", "n2"] {
            let loss = Loss { node: node.to_owned(), at_ms: 5 };
            files.remember_loss(&loss).unwrap();
            assert_eq!(files.last_loss(), Some(loss));
        }
        files.forget_loss("n1").unwrap();
        assert!(files.last_loss().is_some());
        for _ in 0..2 {
            files.forget_loss("n2").unwrap();
            assert_eq!(files.last_loss(), None);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_group_is_found_by_its_name() {
        let file = std::env::temp_dir().join(format!("eip-alerts-{}-group", std::process::id()));
        fs::write(&file, "root:x:0:\nnothaclient:x:1:\nhaclient:x:189:hacluster\n").unwrap();
        assert_eq!(group(&file), Some(189));
        fs::write(&file, "haclient:x\nhaclient\n").unwrap();
        assert_eq!((group(&file), group(Path::new("/nowhere"))), (None, None));
        fs::remove_file(file).unwrap();
    }
}
