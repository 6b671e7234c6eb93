//! What the internet sees, and sockets in other network namespaces.
//!
//! The first test needs no namespace: every address of 127.0.0.0/8 is this machine.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use aws_sim::{Bind, Config, InstanceSpec, Sim};

use crate::lab::{PATIENCE, TestResult, eni};

/// Answers every connection to `addr` with `name`, until the test process ends.
fn greeter(addr: SocketAddr, name: &'static str) -> TestResult<u16> {
    let listener = TcpListener::bind(addr)?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(name.as_bytes());
        }
    });
    Ok(port)
}

fn greeting(addr: SocketAddr) -> TestResult<String> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn connections_to_the_address_reach_its_holder() -> TestResult {
    let sim = Sim::start(Config::default())?;
    let cloud = sim.cloud();
    let node = |ip: Ipv4Addr| {
        cloud.add_instance(InstanceSpec { subnet: "127.0.0.0/8".to_owned(), ..InstanceSpec::with_ip(ip) })
    };
    let (one, two) = (Ipv4Addr::new(127, 7, 0, 1), Ipv4Addr::new(127, 7, 0, 2));
    let (a, b) = (node(one), node(two));
    let eip = cloud.allocate(Some(Ipv4Addr::new(127, 7, 0, 9)));
    let port = greeter((one, 0).into(), "one")?;
    greeter((two, port).into(), "two")?;
    sim.serve_data_plane(None, eip.public_ip, port)?;
    let seen = || greeting((eip.public_ip, port).into());
    assert_eq!(seen()?, "", "closed at once without a holder");
    cloud.associate(&eip, eni(&a)?, None);
    assert_eq!(seen()?, "one");
    cloud.associate(&eip, eni(&b)?, None);
    assert_eq!(seen()?, "two");
    Ok(())
}

/// A network namespace with its loopback up, for as long as its process lives.
struct Namespace(Child);

impl Namespace {
    fn make() -> TestResult<Self> {
        let script = "ip link set lo up && echo ready && exec cat";
        let mut child = Command::new("unshare")
            .args(["--net", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let namespace = Self(child);
        if line == "ready\n" { Ok(namespace) } else { Err("no namespace".into()) }
    }

    fn path(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.0.id()).into()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_listens_inside_a_network_namespace() -> TestResult {
    let namespace = match Namespace::make() {
        Ok(namespace) => namespace,
        Err(reason) if std::env::var_os("CI").is_some() => return Err(reason),
        Err(reason) => {
            eprintln!("skipped: {reason}; making one takes root");
            return Ok(());
        }
    };
    let sim = Sim::start(Config::default())?;
    let node = sim.cloud().add_instance(InstanceSpec::default());
    let addr = SocketAddr::from(([127, 0, 0, 1], 80));
    let bound = sim.serve_imds(&node.id, Bind { netns: Some(namespace.path()), addr })?;
    assert_eq!(bound, addr);
    let file = File::open(namespace.path())?;
    let inside = thread::spawn(move || -> std::io::Result<Vec<u8>> {
        rustix::thread::move_into_link_name_space(file.as_fd(), None)?;
        crate::lab::exchange(
            addr,
            b"GET /latest/meta-data/mac HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        )
    });
    let answer = inside.join().map_err(|_| "the thread panicked")??;
    assert!(answer.starts_with(b"HTTP/1.1 401"), "{}", String::from_utf8_lossy(&answer));
    let absent = Bind { netns: Some("/nonexistent/ns".into()), addr };
    assert!(sim.serve_ec2(absent).is_err_and(|error| error.to_string().contains("/nonexistent/ns")));
    Ok(())
}
