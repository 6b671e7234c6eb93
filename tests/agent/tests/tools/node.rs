//! A cluster node for the tools: namespaces with the agent installed, and a simulated AWS around them.

use std::cell::RefCell;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aws_sim::{
    Address, Bind, Cloud, ElasticIpHolder, Instance, InstanceSpec, InterfaceSpec, Service, Sim, Tls, Validity,
};

use crate::agent;
use crate::program::{CommandOutput, LIMIT, command, limited, run};

pub(crate) const ELASTIC_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The primary private address of the node.
pub(crate) const PRIMARY: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 10);
/// A second private address of the node.
pub(crate) const SECONDARY: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 11);

const EC2_NAME: &str = "ec2.eu-west-1.amazonaws.com";

/// The node `node1`, which runs nothing yet. Everything in it ends when this is dropped, or with this process.
#[derive(Debug)]
pub(crate) struct PacemakerNode {
    init: Child,
    pid: String,
    daemons: RefCell<Vec<Child>>,
    sim: Sim,
    /// The node's EC2 instance.
    pub(crate) instance: Instance,
    /// Another instance, which may hold the address.
    pub(crate) other: Instance,
    /// Unassigned at first.
    pub(crate) address: Address,
}

impl PacemakerNode {
    /// Creates the namespaces and serves AWS in them.
    ///
    /// # Panics
    /// If namespaces can't be created: without root, or in a container that forbids it.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let sim = Sim::start().expect("a simulator");
        let cloud = sim.cloud();
        let interface = InterfaceSpec { private_ips: vec![PRIMARY, SECONDARY], ..InterfaceSpec::default() };
        let instance =
            cloud.add_instance(InstanceSpec { interfaces: vec![interface], ..InstanceSpec::default() });
        let other = cloud.add_instance(InstanceSpec::with_ip(Ipv4Addr::new(10, 0, 1, 20)));
        let address = cloud.allocate(Some(ELASTIC_IP));
        let (init, pid) = boot();
        let node = Self { init, pid, daemons: RefCell::default(), sim, instance, other, address };
        node.serve();
        node
    }

    /// Serves AWS where a node looks for it.
    fn serve(&self) {
        let bind = |addr: &str| Bind {
            netns: Some(format!("/proc/{}/ns/net", self.pid).into()),
            addr: addr.parse::<SocketAddr>().expect("an address"),
        };
        let tls = Tls::new(&[EC2_NAME], Validity::Now).expect("a certificate");
        self.write("/mnt/ca.pem", tls.ca_pem());
        self.sim.serve_ec2_tls(bind("127.0.0.1:443"), &tls).expect("EC2 over HTTPS");
        self.sim.serve_ec2(bind("127.0.0.1:8773")).expect("EC2 over HTTP");
        self.sim.serve_imds(&self.instance.id, bind("169.254.169.254:80")).expect("the metadata service");
    }

    pub(crate) fn cloud(&self) -> Cloud {
        self.sim.cloud()
    }

    /// Holder of the Elastic IP.
    pub(crate) fn holder(&self) -> Option<ElasticIpHolder> {
        self.cloud().holder(ELASTIC_IP)
    }

    /// Asserts that the node holds the Elastic IP on this private address.
    #[track_caller]
    pub(crate) fn assert_holds_on(&self, private_ip: Ipv4Addr) {
        let holder = self.holder().expect("a holder of the address");
        assert_eq!((holder.instance, holder.private_ip), (self.instance.id.clone(), private_ip));
    }

    /// Number of requests to EC2 so far.
    pub(crate) fn ec2_requests(&self) -> usize {
        self.cloud().log().iter().filter(|request| request.service == Service::Ec2).count()
    }

    /// Runs a program inside the node with a login environment.
    #[track_caller]
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> CommandOutput {
        self.run_with(&[], program, arguments)
    }

    /// Runs a program inside the node with some variables added to a login environment.
    #[track_caller]
    pub(crate) fn run_with(&self, variables: &[String], program: &str, arguments: &[&str]) -> CommandOutput {
        self.run_for(LIMIT, variables, program, arguments)
    }

    /// Runs a program that may take longer than others, with this limit in seconds.
    #[track_caller]
    pub(crate) fn run_for(
        &self,
        limit: &str,
        variables: &[String],
        program: &str,
        arguments: &[&str],
    ) -> CommandOutput {
        let program = crate::program::installed(program);
        run(self.enter().args(limited(limit)).args(variables).arg(program).args(arguments))
    }

    /// Starts a daemon inside the node; it ends with the node.
    #[track_caller]
    pub(crate) fn spawn(&self, variables: &[&str], program: &Path, arguments: &[&str]) {
        let mut command = self.enter();
        command.arg("env").args(variables).arg(program).args(arguments);
        let daemon = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.daemons.borrow_mut().push(daemon.expect("a process in the node"));
    }

    fn enter(&self) -> Command {
        let mut command = command("nsenter");
        command.args(["--target", &self.pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--"]);
        command
    }

    /// Writes a file that exists only in the node, below `/mnt`, `/root`, `/run` or `/var/lib`; only root may read it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let outside = self.outside(path);
        let written = DirBuilder::new()
            .recursive(true)
            .create(outside.parent().expect("a folder"))
            .and_then(|()| {
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&outside)
            })
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Reads a file from inside the node.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.outside(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// True if a file exists in the node.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.outside(path).exists()
    }

    fn outside(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.pid))
    }
}

impl Drop for PacemakerNode {
    fn drop(&mut self) {
        // The end of its input ends the node's PID 1, and with it everything in there.
        drop(self.init.stdin.take());
        let _ = self.init.wait();
        for daemon in self.daemons.get_mut() {
            let _ = daemon.wait();
        }
    }
}

/// Creates the namespaces; returns the process that keeps them and the pid of the node's PID 1.
#[track_caller]
fn boot() -> (Child, String) {
    for program in ["ip", "dbus-daemon"] {
        crate::program::installed(program);
    }
    let mut init = command("unshare")
        .args(["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child"])
        .args(["sh", "-c", include_str!("node-init.sh"), "node-init.sh"])
        .arg(agent::binary())
        .arg(include_str!("../../../cluster/src/bus.conf"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("unshare");
    let mut pid = String::new();
    let output = init.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut pid).expect("a line from PID 1 of the node");
    if pid.is_empty() {
        let _ = init.wait();
        panic!("no namespaces: run the tests as root (sudo), in a container with --privileged");
    }
    (init, pid.trim().to_owned())
}
