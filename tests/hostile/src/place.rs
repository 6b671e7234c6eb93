//! A folder for one case, and everything that a path in a setting can lead to.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, mkfifoat};

/// What is no file with text, and how it is made.
type SpecialFile = (&'static str, fn(&Path));

const SPECIALS: [SpecialFile; 12] = [
    ("a FIFO", fifo),
    ("a folder", |path| fs::create_dir(path).expect("a folder")),
    ("a link to itself", |path| link(path, path)),
    ("/dev/zero", |path| link("/dev/zero", path)),
    ("/dev/full", |path| link("/dev/full", path)),
    ("a socket", |path| drop(UnixListener::bind(path))),
    ("a sparse file of a TiB", sparse),
    ("a link to a FIFO", |path| {
        let target = path.with_extension("fifo");
        fifo(&target);
        link(target, path);
    }),
    ("a file of 96 MiB", large),
    ("a link into nothing", |path| link("/nowhere", path)),
    ("/dev/random", |path| link("/dev/random", path)),
    ("an empty file", |path| fs::write(path, "").expect("a file")),
];

/// Files of unexpected kinds, in a folder that is removed when this is dropped.
#[derive(Debug)]
pub struct Place(PathBuf);

impl Place {
    /// Makes the folder below another one.
    pub fn below(folder: &Path, name: &str) -> Self {
        let path = folder.join(name);
        let _ = fs::remove_dir_all(&path);
        for folder in ["home/.aws", "state/volatile", "state/durable", "log", "trace"] {
            fs::create_dir_all(path.join(folder)).expect("folders");
        }
        for folder in ["state/volatile", "state/durable"] {
            fs::set_permissions(path.join(folder), fs::Permissions::from_mode(0o700)).expect("its mode");
        }
        Self(path)
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns a path in it as text.
    pub fn at(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Writes a file that only its owner may read, with the folders above it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders");
        fs::write(&path, bytes).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        path
    }

    /// Puts something special where a file is expected, and returns what it is.
    pub fn put_special(&self, name: &str, which: usize) -> &'static str {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("folders");
        let _ = fs::remove_file(&path);
        let (kind, make) = SPECIALS[which % SPECIALS.len()];
        make(&path);
        kind
    }

    /// Makes one of each and returns the paths.
    pub fn specials(&self) -> Vec<String> {
        let mut paths: Vec<String> = (0..SPECIALS.len())
            .map(|which| {
                let name = format!("special/{which}");
                self.put_special(&name, which);
                self.at(&name)
            })
            .collect();
        paths.extend(
            ["/dev/zero", "/dev/full", "/dev/null", "/dev/random", "/proc/self/fd/1", "/proc/self", "/"]
                .map(str::to_owned),
        );
        paths.push(format!("/{}", "a/".repeat(3_000)));
        paths.push(self.at("special/0/below"));
        paths
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn link(to: impl AsRef<Path>, path: &Path) {
    symlink(to, path).expect("a link");
}

fn fifo(path: &Path) {
    let _ = fs::remove_file(path);
    mkfifoat(CWD, path, Mode::from_raw_mode(0o600)).expect("a FIFO");
}

fn sparse(path: &Path) {
    let file = OpenOptions::new().write(true).create_new(true).open(path).expect("a file");
    file.set_permissions(fs::Permissions::from_mode(0o600)).expect("its mode");
    file.set_len(1 << 40).expect("a sparse file");
}

/// Text in lines, as in every kind of settings, but too much of it. One file for all links to it.
fn large(path: &Path) {
    let mut file = File::create(path).expect("a file");
    file.set_permissions(fs::Permissions::from_mode(0o600)).expect("its mode");
    file.write_all(b"[default]\nA=x\n").expect("its beginning");
    // Without blocks of its own it costs neither disk nor time.
    file.set_len(96 << 20).expect("its length");
}
