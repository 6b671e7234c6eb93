//! [`Records`] in files, one of each kind per resource.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs::{File, Permissions};
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::folders::{file_name, folders, names};
use super::{Change, Durable, Records, Tally, Volatile, alerts, file, lock};
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::ocf::environment::Environment;

/// Limit for the numbers for metrics, which an action counts when its time is up.
const TALLY_LIMIT: Duration = Duration::from_millis(20);
/// The records of one resource, in files.
#[derive(Debug, Clone)]
pub struct FileRecords {
    volatile: PathBuf,
    durable: PathBuf,
    instance: String,
    read_only: bool,
    moved: Arc<AtomicBool>,
    log: Log,
}

impl FileRecords {
    /// The records of the resource in this environment.
    ///
    /// `EIP_STATE_DIR` puts both kinds below one folder.
    pub fn new(environment: &Environment, log: &Log) -> Self {
        let (volatile, durable) = folders(environment);
        let instance = environment.instance().to_owned();
        Self { volatile, durable, instance, read_only: false, moved: Arc::default(), log: log.clone() }
    }

    /// A read-only view of the same records.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// The records of every resource that has any on this node, sorted by name, and the folder that may have more, if one
    /// cannot be read.
    pub fn all(&self) -> (Vec<Self>, Option<(&Path, io::Error)>) {
        let (mut all, mut unread) = (BTreeSet::new(), None);
        for folder in [self.volatile.as_path(), &self.durable] {
            match names(folder) {
                Ok(names) => all.extend(names),
                Err(error) => unread = Some((folder, error)),
            }
        }
        (all.into_iter().map(|instance| Self { instance, ..self.clone() }).collect(), unread)
    }

    /// Whether the history has grown through this handle or a copy of it, even if it could not be written.
    pub fn has_moved(&self) -> bool {
        self.moved.load(Ordering::Relaxed)
    }

    /// Name of the resource.
    pub fn name(&self) -> &str {
        &self.instance
    }

    /// The folders, each with the reason why this process cannot write there, if there is one.
    pub fn folders(&self) -> Vec<(PathBuf, Option<String>)> {
        let tried = |folder: &PathBuf| {
            let error = file::try_writing(folder).err().map(|error| error.to_string());
            (folder.clone(), error)
        };
        [&self.volatile, &self.durable].map(tried).into()
    }

    /// Makes the folders that Pacemaker's alert agent uses, if there is such a user: it runs as `hacluster`, of the group `haclient`.
    ///
    /// # Errors
    /// If one cannot be made, as for a user other than root.
    pub fn share(&self) -> io::Result<Option<u32>> {
        let Some(group) = alerts::group(Path::new("/etc/group")) else { return Ok(None) };
        // The records in it stay root's alone; the group has to get through.
        file::make_folder(&self.durable)?;
        std::fs::set_permissions(&self.durable, Permissions::from_mode(0o711))?;
        file::share_folder(&alerts::history_folder(&self.durable), group, 0o750)?;
        file::share_folder(&alerts::state_folder(&self.durable), group, 0o770)?;
        Ok(Some(group))
    }

    /// Copies the history to where the alert agent reads it. Without it a move is not announced, and nothing else.
    fn publish(&self, history: &[Change]) {
        let published = self.share().and_then(|group| {
            let Some(group) = group else { return Ok(()) };
            let text = serde_json::to_string(history)?;
            file::replace_unsynced(&self.path(&alerts::history_folder(&self.durable)), &text, Some(group))
        });
        if let Err(error) = published {
            self.log.debug(format_args!("history not shared with {}: {error}", alerts::GROUP));
        }
    }

    /// The numbers for `eipctl metrics`.
    pub fn tally(&self) -> Tally {
        self.load(&self.tally_path())
    }

    fn tally_path(&self) -> PathBuf {
        self.volatile.join(format!("{}.tally", file_name(&self.instance)))
    }

    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.json", file_name(&self.instance)))
    }

    /// Where a record is kept while its own folder cannot be written: in the other one, as a rule on another file system.
    fn substitute(&self, path: &Path) -> PathBuf {
        let (folder, kind) = if path.parent() == Some(&self.volatile) {
            (&self.durable, "volatile")
        } else {
            (&self.volatile, "durable")
        };
        folder.join(format!("{}.{kind}", file_name(&self.instance)))
    }

    /// A record, or its substitute if that can be read and is newer: one that could not be removed is not.
    fn current<T: DeserializeOwned + Default>(&self, path: &Path) -> T {
        let substitute = self.substitute(path);
        let written = |path: &Path| std::fs::symlink_metadata(path).and_then(|about| about.modified()).ok();
        if written(&substitute) > written(path) {
            match file::read_json(&substitute) {
                Ok(Some(record)) => return record,
                Ok(None) => {}
                Err(reason) => self.not_used(&substitute, reason),
            }
        }
        self.load(path)
    }

    fn not_used(&self, path: &Path, reason: impl Display) {
        self.log.warn_once(format_args!("state file {} not used: {reason}", path.display()));
    }

    fn load<T: DeserializeOwned + Default>(&self, path: &Path) -> T {
        let loaded = file::read_json(path).unwrap_or_else(|reason| {
            self.not_used(path, reason);
            None
        });
        loaded.unwrap_or_default()
    }

    /// Keeps a durable record that cannot be read: it may name a displaced address, which its replacement will not.
    fn keep_if_damaged(&self, path: &Path) {
        let usable = match file::read(path) {
            Ok(text) => text
                .is_none_or(|text| text.trim().is_empty() || serde_json::from_str::<Durable>(&text).is_ok()),
            // Not UTF-8, or not to be trusted since a backup restored it: for all that it may name the address.
            Err(_) => false,
        };
        if usable {
            return;
        }
        match file::set_aside(path) {
            Ok(Some(aside)) => self.log.warn(format_args!("damaged state file kept as {}", aside.display())),
            Ok(None) => {}
            Err(error) => self.log.warn(format_args!("state file {} not kept: {error}", path.display())),
        }
    }

    /// Reads, changes and writes a record under a lock; false if it could not be written.
    fn update<T: Serialize + DeserializeOwned + Default>(
        &self,
        path: &Path,
        change: impl FnOnce(&mut T),
    ) -> bool {
        if self.read_only {
            return true;
        }
        let gate = self.volatile.join(format!("{}.record-gate", file_name(&self.instance)));
        let _gate = lock::wait(&gate, lock::GATE_LIMIT).inspect_err(|error| {
            self.log.warn_once(format_args!("state file {} not locked: {error}", gate.display()));
        });
        let mut record: T = self.current(path);
        change(&mut record);
        let write = |path: &Path| {
            let written = serde_json::to_string_pretty(&record)
                .map_err(io::Error::other)
                .and_then(|text| file::replace(path, &text));
            if let Err(error) = &written {
                self.log.warn_once(format_args!("state file {} not written: {error}", path.display()));
            }
            written.is_ok()
        };
        let substitute = self.substitute(path);
        if write(path) {
            // If that fails, it is the older one.
            let _ = file::remove(&substitute);
            return true;
        }
        write(&substitute)
    }
}

impl Records for FileRecords {
    type Lock = Option<File>;

    fn volatile(&self) -> Volatile {
        self.current(&self.path(&self.volatile))
    }

    /// One that cannot be replaced is removed: what is out of date would be believed, what is missing costs a query.
    fn update_volatile(&self, change: impl FnOnce(&mut Volatile)) {
        let path = self.path(&self.volatile);
        if !self.update(&path, change) {
            // Needs no space on the disk.
            for outdated in [&path, &self.substitute(&path)] {
                let _ = file::remove(outdated);
            }
        }
    }

    fn durable(&self) -> Durable {
        self.current(&self.path(&self.durable))
    }

    fn update_durable(&self, change: impl FnOnce(&mut Durable)) {
        let path = self.path(&self.durable);
        if !self.read_only {
            self.keep_if_damaged(&path);
            self.keep_if_damaged(&self.substitute(&path));
        }
        let mut grown = None;
        self.update(&path, |durable: &mut Durable| {
            let last = durable.history.last().cloned();
            change(durable);
            grown = (durable.history.last() != last.as_ref()).then(|| durable.history.clone());
        });
        if let Some(history) = grown {
            self.moved.store(true, Ordering::Relaxed);
            self.publish(&history);
        }
    }

    /// Neither waits nor warns: an action that is out of time is counted too.
    fn update_tally(&self, change: impl FnOnce(&mut Tally)) {
        let quiet = Self { log: Log::memory(), ..self.clone() };
        let gate = self.volatile.join(format!("{}.record-gate", file_name(&self.instance)));
        let Ok(_gate) = lock::wait(&gate, TALLY_LIMIT) else { return };
        let mut tally = quiet.tally();
        change(&mut tally);
        let _ = serde_json::to_string(&tally)
            .map_err(io::Error::other)
            .and_then(|text| file::replace_unsynced(&self.tally_path(), &text, None));
    }

    fn others(&self) -> Vec<(String, Self)> {
        let (all, unread) = self.all();
        if let Some((folder, error)) = unread {
            self.not_used(folder, error);
        }
        let others = all.into_iter().filter(|other| other.instance != self.instance);
        others.map(|other| (other.instance.clone(), other)).collect()
    }

    /// An unusable folder is a warning: the action continues without the lock.
    async fn lock(&self, place: Ipv4Addr, deadline: &Deadline) -> Option<Self::Lock> {
        let path = self.volatile.join(format!("place-{place}.lock"));
        loop {
            match lock::try_lock(&path) {
                Ok(Some(lock)) => return Some(Some(lock)),
                Ok(None) if !deadline.pause(lock::TRY_EVERY).await => return None,
                Ok(None) => {}
                Err(error) => {
                    self.log.warn_once(format_args!("{} not locked: {error}", path.display()));
                    return Some(None);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::state::Phase;

    fn records(name: &str, instance: &str) -> FileRecords {
        let folder = std::env::temp_dir().join(format!("eip-records-{}-{name}", std::process::id()));
        FileRecords {
            volatile: folder.join("v"),
            durable: folder.join("d"),
            instance: instance.to_owned(),
            read_only: false,
            moved: Arc::default(),
            log: Log::memory(),
        }
    }

    /// [record-10] As on a full or read-only file system: what a start put on a device or displaced would stay for good.
    #[test]
    fn a_record_whose_folder_cannot_be_written_is_kept_in_the_other_one_meanwhile() {
        let records = records("elsewhere", "eip");
        let note = |region: &str| {
            records.update_volatile(|record| record.boot = region.to_owned());
            records.update_durable(|durable| durable.region = Some(region.to_owned()));
        };
        let noted = || (records.volatile().boot, records.durable().region.unwrap_or_default());
        let both = |text: &str| (text.to_owned(), text.to_owned());
        note("before");
        for folder in [&records.volatile, &records.durable] {
            let away = folder.with_extension("away");
            std::fs::rename(folder, &away).unwrap();
            std::fs::write(folder, "in the way").unwrap();
            note("without it");
            assert_eq!(noted(), both("without it"), "{}", folder.display());
            std::fs::remove_file(folder).unwrap();
            std::fs::rename(&away, folder).unwrap();
            assert_eq!(noted(), both("without it"), "the older one is there again");
            note("after");
            assert_eq!(noted(), both("after"));
            let left = [&records.volatile, &records.durable].map(|folder| std::fs::read_dir(folder).unwrap());
            let mut left = left.into_iter().flatten().map(|entry| entry.unwrap().path());
            assert!(
                !left.any(|path| path.extension().is_some_and(|end| end == "volatile" || end == "durable"))
            );
        }
        std::fs::remove_dir_all(records.durable.parent().unwrap()).unwrap();
    }

    /// [record-10] [record-8] The other folder was read-only when the own one could be written again; or the substitute is damaged.
    #[test]
    fn a_substitute_that_is_older_or_cannot_be_read_hides_no_record() {
        let records = records("shadow", "eip");
        let regions = || records.durable().region;
        let set = |region: &str| records.update_durable(|durable| durable.region = Some(region.to_owned()));
        set("right");
        let substitute = records.substitute(&records.path(&records.durable));
        file::replace(&substitute, r#"{"region": "stale"}"#).unwrap();
        let past = std::time::SystemTime::now() - Duration::from_mins(1);
        File::options().write(true).open(&substitute).unwrap().set_modified(past).unwrap();
        assert_eq!(regions().as_deref(), Some("right"));
        file::replace(&substitute, r#"{"displaced": ["#).unwrap();
        assert_eq!(regions().as_deref(), Some("right"));
        records.update_durable(|durable| durable.drills.clear());
        assert_eq!(regions().as_deref(), Some("right"));
        let aside = records.volatile.join("eip.durable.damaged");
        assert_eq!(std::fs::read_to_string(aside).unwrap(), r#"{"displaced": ["#);
        std::fs::remove_dir_all(records.durable.parent().unwrap()).unwrap();
    }

    type Damage = fn(&Path);

    /// [record-8] As a backup restores it, or a disk damages it: it may name a displaced address.
    #[test]
    fn a_durable_record_that_cannot_be_used_is_set_aside_whatever_the_reason() {
        let records = records("aside", "eip");
        let path = records.path(&records.durable);
        let aside = records.durable.join("eip.json.damaged");
        let make: [(&str, Damage); 3] = [
            ("not UTF-8", |path| std::fs::write(path, b"{\"displaced\": [\xff").unwrap()),
            ("for a group", |path| std::fs::set_permissions(path, Permissions::from_mode(0o660)).unwrap()),
            ("half", |path| std::fs::write(path, "{\"displaced\": [").unwrap()),
        ];
        for (what, damage) in make {
            file::replace(&path, "{\"displaced\": []}").unwrap();
            damage(&path);
            let before = std::fs::read(&path).unwrap();
            records.update_durable(|durable| durable.region = Some("eu-west-1".to_owned()));
            assert_eq!(std::fs::read(&aside).unwrap(), before, "{what}");
            assert_eq!(records.durable().region.as_deref(), Some("eu-west-1"), "{what}");
            std::fs::remove_file(&aside).unwrap();
        }
        std::fs::remove_dir_all(records.durable.parent().unwrap()).unwrap();
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
        one.update_volatile(|record| *record = started.clone());
        assert_eq!(one.volatile(), started);
        assert!(one.others().is_empty());
        let others: Vec<_> = two.others().into_iter().map(|(name, other)| (name, other.volatile())).collect();
        assert_eq!(others, [("one".to_owned(), started)]);
        assert_eq!(two.volatile(), Volatile::default());
        std::fs::remove_dir_all(one.volatile.parent().unwrap()).unwrap();
    }

    /// [record-6]
    #[test]
    fn two_writers_of_one_record_keep_both_changes() {
        let one = records("writers", "eip");
        let change = |at_ms| Change { at_ms, ..Change::default() };
        std::thread::scope(|scope| {
            for writer in 0..2 {
                scope.spawn(move || {
                    // As another process would: with a handle of its own.
                    let records = records("writers", "eip");
                    for number in 0..8 {
                        records.update_durable(|durable| durable.remember(change(writer * 100 + number)));
                    }
                });
            }
        });
        let mut kept: Vec<u64> = one.durable().history.iter().map(|change| change.at_ms).collect();
        kept.sort_unstable();
        let all: Vec<u64> = (0..8).chain(100..108).collect();
        assert_eq!(kept, all);
        std::fs::remove_dir_all(one.durable.parent().unwrap()).unwrap();
    }

    #[test]
    fn all_resources_with_a_record_of_either_kind_are_found_and_can_be_left_alone() {
        let one = records("all", "one:1");
        one.update_volatile(|record| *record = Volatile::default());
        let two = FileRecords { instance: "two".to_owned(), ..one.clone() };
        two.update_durable(|record| *record = Durable::default());
        let three = FileRecords { instance: "three".to_owned(), ..one.clone() }.read_only();
        let (all, unread) = three.all();
        assert!(unread.is_none(), "{unread:?}");
        assert_eq!(all.iter().map(FileRecords::name).collect::<Vec<_>>(), ["one:1", "two"]);
        let started = Volatile { phase: Some(Phase::Started), ..Volatile::default() };
        for records in &all {
            records.update_volatile(|record| *record = started.clone());
        }
        assert_eq!(one.volatile(), Volatile::default());
        let folders = one.folders();
        assert!(folders.iter().all(|(_, error)| error.is_none()), "{folders:?}");
        assert_eq!(std::fs::read_dir(&one.durable).unwrap().count(), 1, "nothing stays of the trial");
        std::fs::remove_dir_all(one.volatile.parent().unwrap()).unwrap();
    }

    /// A record that cannot be read is not one that does not exist.
    #[test]
    fn a_folder_that_cannot_be_read_is_reported_and_the_other_one_is_still_used() {
        let one = records("unread", "one");
        one.update_volatile(|record| *record = Volatile::default());
        std::fs::write(&one.durable, "a file in the way").unwrap();
        let (all, unread) = one.all();
        assert_eq!(all.iter().map(FileRecords::name).collect::<Vec<_>>(), ["one"]);
        assert_eq!(unread.map(|(folder, _)| folder), Some(one.durable.as_path()));
        let two = FileRecords { instance: "two".to_owned(), ..one.clone() };
        assert_eq!(two.others().len(), 1);
        assert!(one.log.lines().iter().any(|line| line.contains("not used")), "{:?}", one.log.lines());
        // What an action did is known, even if neither folder takes it.
        std::fs::remove_dir_all(&one.volatile).unwrap();
        std::fs::write(&one.volatile, "a file in the way").unwrap();
        assert!(!one.has_moved());
        one.clone().update_durable(|durable| durable.remember(Change::default()));
        assert!(one.has_moved() && one.durable().history.is_empty());
        std::fs::remove_dir_all(one.volatile.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_refused_folder_is_logged_once_however_often_it_is_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let records = records("refused", "eip");
        records.update_durable(|record| *record = Durable::default());
        std::fs::set_permissions(&records.durable, std::fs::Permissions::from_mode(0o777)).unwrap();
        for _ in 0..3 {
            assert_eq!(records.durable(), Durable::default());
            records.update_durable(|record| *record = Durable::default());
        }
        let lines = records.log.lines();
        let count = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
        assert_eq!(
            (count("not used: its directory is writable"), count("not written: its directory is writable")),
            (1, 1),
            "{lines:?}"
        );
        std::fs::remove_dir_all(records.durable.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_a_warning() {
        let mut records = records("unwritable", "eip");
        records.volatile = PathBuf::from("/proc/no-such-folder");
        records.update_volatile(|record| *record = Volatile::default());
        assert!(records.log.lines().iter().any(|line| line.contains("not written")));
    }
}
