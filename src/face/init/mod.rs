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
    let Some(prefix) = name.strip_suffix(NAME) else {
        return false;
    };
    let mut characters = prefix.chars();
    match characters.next() {
        None => true,
        Some('S' | 'K') => prefix.len() == 3 && characters.all(|c| c.is_ascii_digit()),
        Some(_) => false,
    }
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
