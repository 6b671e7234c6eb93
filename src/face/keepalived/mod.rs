//! The keepalived face: `eip-keepalived`, as keepalived's notify script, in the form of the article's `vrrp.sh`, and as a check.
//!
//! keepalived tells a state and never waits: scripts overlap, run as another user, with hardly an environment, and are killed
//! with it. So the later word wins, in whatever order the processes get to run; what has to be waited for goes on in a
//! process of its own; and what a state means for the address is decided where it is for the cluster, too.

pub mod arguments;
#[cfg(feature = "sdk")]
mod background;
#[cfg(feature = "sdk")]
mod check;
#[cfg(feature = "sdk")]
mod follow;
#[cfg(feature = "sdk")]
mod lose;
#[cfg(feature = "sdk")]
mod master;
pub mod pace;
#[cfg(feature = "sdk")]
mod serve;
pub mod settings;
#[cfg(feature = "sdk")]
mod work;

#[cfg(feature = "sdk")]
pub(super) use serve::serve;

/// The name that this face is called by.
pub const NAME: &str = "eip-keepalived";
/// The name of the script that it replaces, for a link of that name in its place.
const SCRIPT: &str = "vrrp.sh";

/// Returns whether a program of this name is this face.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name == NAME || name == SCRIPT
}

/// What the call was, when it is to be told.
#[must_use]
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
         ADDRESS is an Elastic IP or its allocation id; else it is ELASTIC_IP or ALOC_ID of {}.\n\
         Exit status: 0 done, or healthy; 1 failed; 2 wrong call or settings.\n",
        settings::FILE
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
