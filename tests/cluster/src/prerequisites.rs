//! What the machine needs: root, programs, network namespaces. Reports what is missing and how to install it.

use std::path::Path;

use crate::command::Cmd;

/// Programs that a Pacemaker cluster needs.
const PACEMAKER: [&str; 15] = [
    "ip",
    "nsenter",
    "unshare",
    "setpriv",
    "corosync",
    "corosync-cfgtool",
    "pacemakerd",
    "crm_mon",
    "crm_resource",
    "crmadmin",
    "pcs",
    "dbus-daemon",
    "install",
    "bash",
    "/usr/lib/ocf/resource.d/heartbeat",
];
/// Programs that every node with packages needs.
const FOR_PACKAGES: [&str; 6] = ["dpkg", "dbus-daemon", "nsenter", "unshare", "setpriv", "setsid"];
const FOLDERS: [&str; 5] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/bin"];

/// What is missing, one line each; empty if a cluster can be brought up.
pub fn missing() -> Vec<String> {
    let mut missing = lacking("cluster", &PACEMAKER);
    if missing.is_empty()
        && let Err(error) = Cmd::new(["unshare", "-m", "-n", "-p", "-u", "-i", "--fork", "true"]).run()
    {
        missing.push(format!("namespaces cannot be made here ({error}): a container needs --privileged"));
    }
    missing
}

/// What is missing for nodes that install packages into their own file systems: `programs`, which the group `group` of
/// `tests/requirements` installs, the programs that all such nodes need, and kernel features.
pub fn missing_for_packages(group: &str, programs: &[&str]) -> Vec<String> {
    let mut missing = lacking(group, &[&FOR_PACKAGES, programs].concat());
    let filesystems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !filesystems.lines().any(|line| line.ends_with("\toverlay")) {
        missing.push("the kernel has no overlay filesystem, which gives each node files of its own".into());
    }
    missing
}

/// Which of root and these programs, each by its name or path, is missing.
fn lacking(group: &str, programs: &[&str]) -> Vec<String> {
    if !rustix::process::geteuid().is_root() {
        return vec!["root is needed for network namespaces: run it with sudo".into()];
    }
    // Joining an absolute path leaves it as it is.
    let absent = |program: &&&str| !FOLDERS.iter().any(|folder| Path::new(folder).join(**program).exists());
    let lacking = programs.iter().filter(absent);
    lacking.map(|program| format!("{program} is not installed: sh tests/requirements {group}")).collect()
}
