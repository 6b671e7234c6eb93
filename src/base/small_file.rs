//! Reads files that others control, and only if they are plain files of a sensible size, so that none can block an
//! action or fill the memory; replaces files at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Suffix of a file that is being written; the pid of the writer precedes it.
pub(crate) const TEMPORARY: &str = ".tmp";

/// Reads a plain file of at most `largest` bytes, following links.
///
/// # Errors
/// Any I/O error; also if it is not a plain file, or is larger.
pub(crate) fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let file = open(path, largest)?;
    let mut bytes = Vec::new();
    // The file may grow meanwhile, and files below /proc report no length.
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest { Err(too_large(largest)) } else { Ok(bytes) }
}

/// Why the SDK must not be given this file: not a plain file, or too large. `None` if it is fine or cannot be opened
/// (the SDK reports that).
#[cfg(feature = "sdk")]
pub(crate) fn refused(path: &Path, largest: u64) -> Option<String> {
    // Reading is the only way to learn the size of a file below /proc.
    read(path, largest)
        .err()
        .filter(|error| error.kind() == io::ErrorKind::Other)
        .map(|error| error.to_string())
}

/// Opens a plain file of at most `largest` bytes for reading, following links.
///
/// # Errors
/// Any I/O error; also if it is not a plain file, or is larger.
pub(crate) fn open(path: &Path, largest: u64) -> io::Result<File> {
    // Without O_NONBLOCK, opening a FIFO blocks until it has a writer.
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    if about.len() > largest { Err(too_large(largest)) } else { Ok(file) }
}

fn too_large(largest: u64) -> io::Error {
    io::Error::other(format!("larger than {} KiB", largest / 1024))
}

/// Replaces a file at once: a reader sees the old text or the new one, never half of it. `finish` is called before the new file
/// takes its name.
///
/// # Errors
/// Any I/O error; then the old file is still there.
pub(crate) fn replace(
    path: &Path,
    text: &str,
    mode: u32,
    finish: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}{TEMPORARY}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = create(&temporary, mode).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        finish(&file)?;
        fs::rename(&temporary, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Creates a file anew.
pub(crate) fn create(path: &Path, mode: u32) -> io::Result<File> {
    // A leftover of a killed process with the same pid. `create_new` follows no link, and neither does removal.
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_device_without_end_nor_a_fifo_nor_a_huge_file_is_read() {
        let folder = std::env::temp_dir().join(format!("eip-small-file-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (fifo, sparse, plain) = (folder.join("fifo"), folder.join("sparse"), folder.join("plain"));
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
        std::fs::write(&plain, "12345").unwrap();
        for path in [Path::new("/dev/zero"), &fifo, &folder] {
            assert_eq!(
                read(path, 1 << 20).unwrap_err().to_string(),
                "not a plain file",
                "{}",
                path.display()
            );
        }
        assert_eq!(read(&sparse, 1 << 20).unwrap_err().to_string(), "larger than 1024 KiB");
        assert_eq!(read(&plain, 5).unwrap(), b"12345");
        assert!(read(&plain, 4).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
