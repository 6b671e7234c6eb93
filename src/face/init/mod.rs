//! The init face: `elastic-ip`, called by Heartbeat, by init or by hand. Prints short sentences, uses the exit codes
//! of the Linux Standard Base, and reads the settings of the script that it replaces.
//!
//! What an action does with the address is decided in the same place as for the cluster; this face only parses and
//! reports.

pub mod arguments;
pub mod aws_params;
pub mod sentences;
#[cfg(feature = "sdk")]
mod serve;
pub mod settings;

#[cfg(feature = "sdk")]
pub(super) use serve::serve;

/// The name of the binary that selects this face.
const NAME: &str = "elastic-ip";

/// Whether this program name selects this face; includes the links below `rc3.d`, such as `S99elastic-ip` and
/// `K01elastic-ip`.
pub fn is_name(name: &str) -> bool {
    let before = name.strip_suffix(NAME).map(str::as_bytes);
    matches!(before, Some([] | [b'S' | b'K', b'0'..=b'9', b'0'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_init_are_the_same_face_and_other_names_are_not() {
        for name in ["elastic-ip", "S99elastic-ip", "K01elastic-ip"] {
            assert!(is_name(name), "{name}");
        }
        for name in
            ["", "eip", "elastic-ip.sh", "my-elastic-ip", "S9elastic-ip", "SXXelastic-ip", "S999elastic-ip"]
        {
            assert!(!is_name(name), "{name}");
        }
    }
}
