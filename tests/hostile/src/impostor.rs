//! A server between agent and simulator that forwards everything except what is to go wrong.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use fastrand::Rng;

use crate::answer::{self, HostileAnswer};

/// Nothing of the simulator takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which answers are replaced.
#[derive(Debug, Clone)]
pub struct ImpostorPlan {
    /// What the request has in its first line or its body.
    pub part: String,
    /// Whether the first line has to end with it, the version left out.
    pub ends: bool,
    /// How many such requests are answered rightly first.
    pub skip: usize,
    /// How many are then answered wrongly.
    pub times: usize,
    /// What the answers are drawn from, each by itself.
    pub seed: u64,
}

/// A running impostor. It ends with what is dropped.
#[derive(Debug)]
pub struct Impostor {
    addr: SocketAddr,
    over: Arc<AtomicBool>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Impostor {
    /// Starts one before this server.
    pub fn before(server: SocketAddr, plan: Option<ImpostorPlan>) -> Self {
        Self::with(server, plan, None)
    }

    /// Starts one before this server that answers the first request that has this part with this.
    pub fn saying(server: SocketAddr, part: &str, answer: HostileAnswer) -> Self {
        let plan = ImpostorPlan { part: part.to_owned(), ends: false, skip: 0, times: 1, seed: 0 };
        Self::with(server, Some(plan), Some(answer))
    }

    fn with(server: SocketAddr, plan: Option<ImpostorPlan>, answer: Option<HostileAnswer>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let addr = listener.local_addr().expect("its number");
        let (over, said) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::default()));
        let (until, list) = (Arc::clone(&over), Arc::clone(&said));
        let asked = Arc::new(AtomicUsize::new(0));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let (plan, answer, list, asked) =
                    (plan.clone(), answer.clone(), Arc::clone(&list), Arc::clone(&asked));
                thread::spawn(move || {
                    serve(client, server, plan.map(|plan| (plan, answer)).as_ref(), &asked, &list)
                });
            }
        });
        Self { addr, over, said }
    }

    /// Returns where it answers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the wrong answers that it gave.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().expect("the list").clone()
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.addr);
    }
}

/// Serves a connection, request by request.
fn serve(
    mut client: TcpStream,
    server: SocketAddr,
    plan: Option<&(ImpostorPlan, Option<HostileAnswer>)>,
    asked: &AtomicUsize,
    said: &Mutex<Vec<String>>,
) -> Option<()> {
    client.set_read_timeout(Some(PATIENCE)).ok()?;
    client.set_write_timeout(Some(PATIENCE)).ok()?;
    let mut reader = BufReader::new(client.try_clone().ok()?);
    loop {
        let request = message(&mut reader)?;
        let right = ask(server, &request)?;
        let number = plan
            .as_ref()
            .filter(|(plan, _)| plan.is_about(&request))
            .map(|_| asked.fetch_add(1, Ordering::SeqCst));
        match (plan, number) {
            (Some((plan, answer)), Some(number))
                if (plan.skip..plan.skip.saturating_add(plan.times)).contains(&number) =>
            {
                let at =
                    right.windows(4).position(|four| four == b"\r\n\r\n").map_or(right.len(), |at| at + 4);
                let mut rng = Rng::with_seed(plan.seed ^ number as u64);
                let wrong = answer.clone().unwrap_or_else(|| answer::instead_of(&mut rng, &right[at..]));
                said.lock().expect("the list").push(wrong.shown());
                let _ = wrong.send(&mut client);
                return None;
            }
            _ => client.write_all(&right).ok()?,
        }
    }
}

impl ImpostorPlan {
    fn is_about(&self, request: &[u8]) -> bool {
        let request = String::from_utf8_lossy(request);
        let line = request.lines().next().unwrap_or_default();
        let line = line.strip_suffix(" HTTP/1.1").unwrap_or(line);
        if self.ends { line.ends_with(&self.part) } else { request.contains(&self.part) }
    }
}

/// Reads a head, and the body that its `Content-Length` announces.
fn message(from: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let before = bytes.len();
        if from.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[before..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let before = bytes.len();
    bytes.resize(before + length, 0);
    from.read_exact(&mut bytes[before..]).ok()?;
    Some(bytes)
}

/// Asks the server and returns its answer.
fn ask(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(server).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(request).ok()?;
    message(&mut BufReader::new(stream))
}
