//! Where the files of a resource are, and what they are called.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::base::ownership::check_folder;
use crate::ocf::environment::Environment;

/// Default of `HA_RSCTMP`, the parent of volatile records, which resource-agents creates at boot.
const DEFAULT_RSCTMP: &str = "/run/resource-agents";
/// Parent of durable records.
const DEFAULT_DURABLE: &str = "/var/lib/eip";

/// The folders of volatile and of durable records.
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

/// The names of the resources that have a record in this folder; empty if it does not exist.
///
/// # Errors
/// If it cannot be read, or its records would not be used, as [`super::file::read`]: there may be some.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match check_folder(folder).and_then(|()| std::fs::read_dir(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let records = paths.iter().filter(|path| path.extension().is_some_and(|end| end == "json"));
    Ok(records.filter_map(|path| instance_of(&path.file_stem()?.to_string_lossy())).collect())
}

/// The file name for a resource: a clone's `eip:0`, and anything else unusual, is percent-encoded.
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

/// The resource of a file name; `None` if the name does not decode.
fn instance_of(name: &str) -> Option<String> {
    let mut parts = name.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_stay_in_the_folder() {
        assert_eq!(file_name("eip:0"), "eip%3A0");
        assert_eq!(file_name("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
        assert_eq!(file_name("web.eip-1_a"), "web.eip-1_a");
        for name in ["eip:0", "../../etc/passwd", "web.eip-1_a", "%3A", "\u{e9}"] {
            assert_eq!(instance_of(&file_name(name)).as_deref(), Some(name));
        }
        assert_eq!((instance_of("a%"), instance_of("a%zz"), instance_of("%ff")), (None, None, None));
    }
}
