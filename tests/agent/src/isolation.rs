//! Namespaces for one test: a network with only a loopback device, and a view of the file system that hides the machine's.
//!
//! For what can't be shown otherwise: that no network is needed, how the agent behaves on a host that is not an EC2 instance, what
//! it writes to the usual folders. Requires root.

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::folder::Folder;

/// Prepares the namespaces, before the test's own preparations.
///
/// Hides the machine's firmware tables, home folders, name servers and state, because another machine would not have them.
const PREPARE: &str = r#"set -eu
mount --make-rprivate /
ip link set lo up
mount -t sysfs sysfs /sys
for folder in /sys/devices/virtual/dmi /sys/hypervisor; do [ ! -d $folder ] || mount -t tmpfs tmpfs $folder; done
for folder in /root /run /var/lib; do mount -t tmpfs -o mode=755 tmpfs $folder; done
touch "$FOLDER/resolv.conf"
mount --bind "$FOLDER/resolv.conf" "$(readlink -f /etc/resolv.conf || echo /etc/resolv.conf)"
"#;

/// Namespaces that exist until this is dropped, or the test's process ends.
#[derive(Debug)]
pub struct Isolation {
    holder: Child,
    folder: Folder,
}

impl Isolation {
    /// Creates namespaces and runs the shell script `also` in them; `$FOLDER` is a folder that the test can write to.
    ///
    /// `None` if this process lacks the privileges; in CI that is a failure.
    #[track_caller]
    pub fn new(also: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            let reason = "skipped: network namespaces need root";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{reason}");
            eprintln!("{reason}");
            return None;
        }
        let folder = Folder::new();
        let agent = folder.path().join("eip");
        std::fs::copy(crate::binary(), &agent).expect("a copy of the agent, where no namespace hides it");
        let script = format!("{PREPARE}{also}\necho ready\nexec cat\n");
        let mut holder = Command::new("unshare")
            .args(["--net", "--mount", "--", "sh", "-c", &script])
            .env("FOLDER", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare (package util-linux)");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("its first line");
        let isolation = Self { holder, folder };
        assert_eq!(line, "ready\n", "the namespaces could not be made");
        Some(isolation)
    }

    /// File of the network namespace.
    pub fn netns(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.holder.id()).into()
    }

    /// The folder that is `$FOLDER` inside.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Path outside of a path inside.
    pub fn outside(&self, inside: &str) -> PathBuf {
        format!("/proc/{}/root{inside}", self.holder.id()).into()
    }

    /// Binds a UDP socket inside that never answers.
    pub fn mute_udp(&self, address: &'static str) -> UdpSocket {
        let path = self.netns();
        // In a thread of its own, because a thread stays in the namespace that it has entered.
        let bound = thread::spawn(move || {
            let file = std::fs::File::open(path).expect("the namespace");
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("into it");
            UdpSocket::bind(address).expect("a port")
        });
        bound.join().expect("the thread that binds")
    }

    /// Runs a program inside and returns its output. Fails the test if the program fails.
    #[track_caller]
    pub fn run(&self, program: &[&str]) -> String {
        let (enter, line) = (self.enter(), program.iter().copied());
        let output = Command::new(&enter[0]).args(&enter[1..]).args(line).output().expect("nsenter");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{program:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// The command line that runs something inside, without that something.
    pub fn enter(&self) -> Vec<String> {
        let mut line: Vec<String> = ["nsenter", "--net", "--mount", "--target"].map(str::to_owned).into();
        line.extend([self.holder.id().to_string(), "--".to_owned()]);
        line
    }

    /// The command line that runs the agent inside.
    pub(crate) fn agent(&self) -> Vec<String> {
        let mut line = self.enter();
        line.push(self.folder.path().join("eip").display().to_string());
        line
    }
}

impl Drop for Isolation {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
