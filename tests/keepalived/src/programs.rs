//! What the machine must offer: root, keepalived, namespaces. Says what is missing and how to get it.

use std::path::Path;

/// Programs, with the package that holds them.
const PROGRAMS: [(&str, &str); 7] = [
    ("/usr/sbin/keepalived", "keepalived"),
    ("/usr/bin/killall", "psmisc"),
    ("/usr/bin/dpkg", "dpkg"),
    ("/usr/bin/nsenter", "util-linux"),
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/setpriv", "util-linux"),
    ("/usr/bin/setsid", "util-linux"),
];

/// Returns what is missing, one line each; nothing when the pair can be brought up.
pub fn missing() -> Vec<String> {
    if !is_root() {
        return vec!["root is needed for network namespaces: run it with sudo".to_owned()];
    }
    let absent = PROGRAMS.iter().filter(|(path, _)| !Path::new(path).exists());
    let mut missing: Vec<String> = absent
        .map(|(path, package)| format!("{path} is not there: it is in the package {package}"))
        .collect();
    let filesystems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !filesystems.lines().any(|line| line.ends_with("\toverlay")) {
        missing
            .push("the kernel has no overlay filesystem, which gives each node files of its own".to_owned());
    }
    missing
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    uids.and_then(|uids| uids.split_whitespace().nth(1)) == Some("0")
}
