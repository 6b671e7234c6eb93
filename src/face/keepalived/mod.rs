//! The keepalived face: `eip-keepalived`, as a notify script, as a replacement for the article's `vrrp.sh`, and as a
//! check.
//!
//! keepalived reports states without waiting: its scripts overlap, may run as another user with almost no environment,
//! and are killed along with it. So the latest notification wins, in whatever order the processes are scheduled; work
//! that takes time continues in a process of its own; and what a state means for the address is decided in the same
//! place as for the cluster.

pub mod arguments;
#[cfg(feature = "sdk")]
mod check;
#[cfg(feature = "sdk")]
mod follow;
pub mod pace;
#[cfg(feature = "sdk")]
mod serve;
pub mod settings;
#[cfg(feature = "sdk")]
mod transition;
#[cfg(feature = "sdk")]
mod work;

#[cfg(feature = "sdk")]
pub(super) use serve::serve;

/// The name of the binary that selects this face.
pub const NAME: &str = "eip-keepalived";
/// Default path of the settings file.
pub const FILE: &str = "/etc/keepalived/aws.conf";
/// The article's script; a link of this name also selects the face.
const SCRIPT: &str = "vrrp.sh";

/// Whether this program name selects this face.
pub fn is_name(name: &str) -> bool {
    name == NAME || name == SCRIPT
}

/// What `eip-keepalived help` prints, and a wrong command line.
pub fn usage() -> String {
    format!(
        "usage: {NAME} [ADDRESS] [PARAMETER=VALUE]... start|stop|status|check\n\
         \x20      {NAME} [ADDRESS] [PARAMETER=VALUE]... master|backup|fault|stop\n\
         \x20      {NAME} [ADDRESS] [PARAMETER=VALUE]... INSTANCE|GROUP NAME STATE [PRIORITY]\n\
         \n\
         In keepalived.conf:\n\
         \x20 notify \"/usr/sbin/{NAME} 203.0.113.10\"\n\
         \x20 notify_master \"/usr/sbin/{NAME} 203.0.113.10 start\"\n\
         \x20 vrrp_script eip {{ script \"/usr/sbin/{NAME} 203.0.113.10 check\" }}\n\
         \n\
         ADDRESS is an Elastic IP or its allocation id; the default is ELASTIC_IP or ALOC_ID in {FILE}.\n\
         Exit status: 0 done, or healthy; 1 failed; 2 wrong usage or settings.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_face_has_its_own_name_and_that_of_the_articles_script() {
        assert!(is_name("eip-keepalived") && is_name("vrrp.sh"));
        assert!(!is_name("eip") && !is_name("keepalived") && !is_name(""));
    }
}
