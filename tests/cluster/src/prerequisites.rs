//! Requirements of the machine: root, programs, network namespaces. Reports what is missing and how to install it.

use std::path::Path;

use crate::command::Cmd;

/// Programs with the Debian and the RHEL package that holds them.
const PROGRAMS: [(&str, &str, &str); 14] = [
    ("ip", "iproute2", "iproute"),
    ("nsenter", "util-linux", "util-linux"),
    ("unshare", "util-linux", "util-linux"),
    ("setpriv", "util-linux", "util-linux"),
    ("corosync", "corosync", "corosync"),
    ("corosync-cfgtool", "corosync", "corosync"),
    ("pacemakerd", "pacemaker", "pacemaker"),
    ("crm_mon", "pacemaker-cli-utils", "pacemaker-cli"),
    ("crm_resource", "pacemaker-cli-utils", "pacemaker-cli"),
    ("crmadmin", "pacemaker-cli-utils", "pacemaker-cli"),
    ("pcs", "pcs", "pcs"),
    ("dbus-daemon", "dbus-daemon", "dbus-daemon"),
    ("install", "coreutils", "coreutils"),
    ("bash", "bash", "bash"),
];
/// Programs that every node with packages takes, with the package that holds them.
const FOR_PACKAGES: [(&str, &str); 6] = [
    ("/usr/bin/dpkg", "dpkg"),
    ("/usr/bin/dbus-daemon", "dbus-daemon"),
    ("/usr/bin/nsenter", "util-linux"),
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/setpriv", "util-linux"),
    ("/usr/bin/setsid", "util-linux"),
];
const FOLDERS: [&str; 5] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/bin"];
const AGENTS: &str = "/usr/lib/ocf/resource.d/heartbeat";

/// Returns what is missing, one line each; nothing when a cluster can be brought up.
pub fn missing() -> Vec<String> {
    if let Some(why) = not_root() {
        return vec![why];
    }
    let absent = |program: &str| !FOLDERS.iter().any(|folder| Path::new(folder).join(program).exists());
    let packages: Vec<_> = PROGRAMS.iter().filter(|(program, ..)| absent(program)).collect();
    let mut missing: Vec<String> =
        packages.iter().map(|(program, ..)| format!("the program {program} is not installed")).collect();
    if !Path::new(AGENTS).is_dir() {
        missing.push(format!("{AGENTS} does not exist: resource-agents is not installed"));
    }
    if !missing.is_empty() {
        missing.push(advice(packages.iter().map(|(_, debian, rhel)| (*debian, *rhel))));
    } else if let Err(error) = Cmd::new(["unshare", "-m", "-n", "-p", "-u", "-i", "--fork", "true"]).run() {
        missing.push(format!("namespaces cannot be made here ({error}): a container needs --privileged"));
    }
    missing
}

/// Returns what is missing for nodes that install packages into files of their own: of these programs beside those of
/// every such node, each with the package that holds it, and of the kernel.
pub fn missing_for_packages(programs: &[(&str, &str)]) -> Vec<String> {
    if let Some(why) = not_root() {
        return vec![why];
    }
    let absent = FOR_PACKAGES.iter().chain(programs).filter(|(path, _)| !Path::new(path).exists());
    let mut missing: Vec<String> = absent
        .map(|(path, package)| format!("{path} is not there: it is in the package {package}"))
        .collect();
    let filesystems = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !filesystems.lines().any(|line| line.ends_with("\toverlay")) {
        missing.push("the kernel has no overlay filesystem, which gives each node files of its own".into());
    }
    missing
}

fn not_root() -> Option<String> {
    let is_root = rustix::process::geteuid().is_root();
    (!is_root).then(|| "root is needed for network namespaces: run it with sudo".into())
}

fn advice<'a>(packages: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut wanted: Vec<_> = packages.chain([("resource-agents", "resource-agents")]).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let debian = Path::new("/usr/bin/apt-get").exists();
    let names: Vec<_> = wanted.iter().map(|(deb, rpm)| if debian { *deb } else { *rpm }).collect();
    let tool = if debian { "apt-get install --no-install-recommends" } else { "dnf install" };
    format!("install with: {tool} {}", names.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_each_package_once() {
        let advice = advice(PROGRAMS.iter().map(|(_, debian, rhel)| (*debian, *rhel)));
        assert_eq!(advice.matches("util-linux").count(), 1, "{advice}");
        assert!(advice.contains("resource-agents") && advice.contains("pcs"), "{advice}");
    }
}
