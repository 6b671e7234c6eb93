//! `.awssecret` of older setups: access key id on line 1, secret access key on line 2.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::base::small_file;

/// Far more than two lines need.
const LARGEST: u64 = 4096;

/// Key id and secret of an `.awssecret` file; `None` if the file does not exist.
///
/// # Errors
/// A sentence that says what is wrong with the file and never quotes from it.
pub(super) fn read(path: &Path) -> Result<Option<(String, String)>, String> {
    let Ok(meta) = std::fs::metadata(path) else {
        return Ok(None);
    };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!("mode {mode:03o} lets others read it; make it 600"));
    }
    let bytes = small_file::read(path, LARGEST).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8 text".to_owned())?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match (lines.next(), lines.next()) {
        (Some(id), Some(secret)) => Ok(Some((id.to_owned(), secret.to_owned()))),
        _ => Err("expected the access key id on line 1, the secret access key on line 2".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn secret_file(name: &str, content: &str, mode: u32) -> PathBuf {
        let path = std::env::temp_dir().join(format!("eip-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn awssecret_is_read_only_when_no_other_user_can() {
        let path = secret_file("good", "AKIDEXAMPLE\nverysecret\n", 0o600);
        assert_eq!(read(&path), Ok(Some(("AKIDEXAMPLE".to_owned(), "verysecret".to_owned()))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refusal = read(&path).unwrap_err();
        assert!(refusal.contains("644") && refusal.contains("600"), "{refusal}");
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&path), Ok(None));
    }

    #[test]
    fn awssecret_is_read_up_to_a_limit() {
        let path = secret_file("long", &"x".repeat(4097), 0o600);
        let refusal = read(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(refusal, "larger than 4 KiB");
    }

    #[test]
    fn awssecret_with_one_line_is_refused_without_quoting_it() {
        let path = secret_file("short", "AKIDEXAMPLE\n", 0o600);
        let refusal = read(&path).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(refusal.contains("line 2") && !refusal.contains("AKID"), "{refusal}");
    }
}
