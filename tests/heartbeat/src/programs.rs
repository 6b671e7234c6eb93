//! The programs that the machine must offer.

/// Heartbeat's daemon, as Debian has it.
pub const HEARTBEAT: &str = "/usr/libexec/heartbeat/heartbeat";

/// Programs, with the package that holds them.
pub const PROGRAMS: [(&str, &str); 10] = [
    (HEARTBEAT, "heartbeat"),
    ("/usr/share/heartbeat/ResourceManager", "heartbeat"),
    ("/usr/bin/cl_status", "heartbeat"),
    ("/usr/sbin/pcs", "pcs"),
    ("/usr/sbin/cibadmin", "pacemaker-cli-utils"),
    ("/usr/bin/dpkg", "dpkg"),
    ("/usr/sbin/ip", "iproute2"),
    ("/usr/bin/nsenter", "util-linux"),
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/setpriv", "util-linux"),
];
