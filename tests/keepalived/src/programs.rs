//! The programs that the machine must offer.

/// Programs, with the package that holds them.
pub const PROGRAMS: [(&str, &str); 8] = [
    ("/usr/sbin/keepalived", "keepalived"),
    ("/usr/bin/killall", "psmisc"),
    ("/usr/bin/pgrep", "procps"),
    ("/usr/bin/dpkg", "dpkg"),
    ("/usr/bin/nsenter", "util-linux"),
    ("/usr/bin/unshare", "util-linux"),
    ("/usr/bin/setpriv", "util-linux"),
    ("/usr/bin/setsid", "util-linux"),
];
