//! Namespaces for one test: a network with only a loopback, and a file system view that hides the machine's.
//!
//! For what can't be shown otherwise: that no network is needed, how the agent behaves on a host that is no EC2 instance, what it
//! writes to the usual folders. Requires root.

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::folder::Folder;

/// What the namespaces are made into, before what the test adds.
///
/// The machine's firmware tables, home folders, name servers and state are hidden, as another machine would not have them.
const PREPARE: &str = r#"set -eu
mount --make-rprivate /
ip link set lo up
mount -t sysfs sysfs /sys
for folder in /sys/devices/virtual/dmi /sys/hypervisor; do [ ! -d $folder ] || mount -t tmpfs tmpfs $folder; done
for folder in /root /run /var/lib; do mount -t tmpfs -o mode=755 tmpfs $folder; done
touch "$FOLDER/resolv.conf"
mount --bind "$FOLDER/resolv.conf" "$(readlink -f /etc/resolv.conf || echo /etc/resolv.conf)"
"#;

/// Namespaces that last until this is dropped, or the test's process ends.
#[derive(Debug)]
pub struct Isolation {
    holder: Child,
    folder: Folder,
}

impl Isolation {
    /// Makes namespaces, with what the shell script `also` does in them; `$FOLDER` is a folder that the test can write.
    ///
    /// Returns nothing where that takes a right this process does not have; in CI that is a failure.
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

    /// Returns the file of the network namespace.
    pub fn netns(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.holder.id()).into()
    }

    /// Returns the folder that is `$FOLDER` inside.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Returns a path of the inside as seen from here.
    pub fn outside(&self, inside: &str) -> PathBuf {
        format!("/proc/{}/root{inside}", self.holder.id()).into()
    }

    /// Binds a UDP socket inside. Whoever writes to it waits in vain for an answer.
    pub fn mute_udp(&self, address: &'static str) -> UdpSocket {
        let path = self.netns();
        // A thread of its own, because it stays in the namespace.
        let bound = thread::spawn(move || {
            let file = std::fs::File::open(path).expect("the namespace");
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("into it");
            UdpSocket::bind(address).expect("a port")
        });
        bound.join().expect("the thread that binds")
    }

    /// Runs a program inside, to success, and returns what it prints.
    #[track_caller]
    pub fn run(&self, program: &[&str]) -> String {
        let (enter, line) = (self.enter(), program.iter().copied());
        let output = Command::new(&enter[0]).args(&enter[1..]).args(line).output().expect("nsenter");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{program:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// Returns the beginning of a command line that runs something inside.
    pub fn enter(&self) -> Vec<String> {
        let mut line: Vec<String> = ["nsenter", "--net", "--mount", "--target"].map(str::to_owned).into();
        line.extend([self.holder.id().to_string(), "--".to_owned()]);
        line
    }

    /// Returns the command line that runs the agent inside.
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
