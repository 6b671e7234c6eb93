//! The data plane as users see it: a client in the cloud keeps requesting the node's name from the address, and a web server on
//! each node responds.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::{HarnessError, Result};
use crate::inside;
use crate::timeline::Sample;
use crate::topology::NodeName;
use crate::wait::{Epoch, Polled, now, until};

/// Interval between connections; outages are measured with about this precision.
const EVERY: Duration = Duration::from_millis(20);
/// Time after which a connection counts as unanswered. A healthy one takes a millisecond or two.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a client may keep a node's web server waiting.
const WEB_PATIENCE: Duration = Duration::from_millis(500);
/// How long to wait for the port.
const PREDECESSOR_LIMIT: Duration = Duration::from_secs(10);

/// The client. Drop ends its thread.
#[derive(Debug)]
pub struct Probe {
    samples: Arc<Mutex<Vec<Sample>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Probe {
    /// Starts to connect to `target` from inside a network namespace.
    ///
    /// # Errors
    /// If the namespace cannot be entered or the thread cannot be started.
    pub fn start(namespace: PathBuf, target: SocketAddr) -> Result<Self> {
        let (samples, stop) = (Arc::<Mutex<Vec<Sample>>>::default(), Arc::<AtomicBool>::default());
        let (entered, outcome) = std::sync::mpsc::channel();
        let (log, halt) = (Arc::clone(&samples), Arc::clone(&stop));
        let work = move || {
            let entry = inside::enter(&namespace);
            let inside = entry.is_ok();
            if entered.send(entry).is_ok() && inside {
                ask_on(target, &log, &halt);
            }
        };
        let thread = thread::Builder::new().name("probe".into()).spawn(work);
        let thread = Some(thread.map_err(HarnessError::io("starting the probe"))?);
        let probe = Self { samples, stop, thread };
        outcome.recv().map_err(|_| HarnessError::Wrong("the probe ended early".into()))??;
        Ok(probe)
    }

    /// The connections begun since `from`.
    pub fn since(&self, from: Epoch) -> Vec<Sample> {
        let samples = lock(&self.samples);
        let first = samples.partition_point(|sample| sample.began < from);
        samples.iter().skip(first).copied().collect()
    }

    /// The node that answered last; `None` if the last connection got no answer.
    pub fn answering(&self) -> Option<NodeName> {
        lock(&self.samples).last().and_then(|sample| sample.answer)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A probe that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

fn ask_on(target: SocketAddr, log: &Mutex<Vec<Sample>>, halt: &AtomicBool) {
    while !halt.load(Ordering::Relaxed) {
        let (began, clock) = (now(), Instant::now());
        let answer = ask(target).ok();
        lock(log).push(Sample { began, ended: now(), answer });
        thread::sleep(EVERY.saturating_sub(clock.elapsed()));
    }
}

fn ask(target: SocketAddr) -> io::Result<NodeName> {
    let mut stream = TcpStream::connect_timeout(&target, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(1024).read_to_string(&mut answer)?;
    let body = answer.rsplit("\r\n\r\n").next().unwrap_or_default();
    body.trim().parse().map_err(|error: String| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The samples are complete after every push, even if a thread panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers every connection to `listen` with this node's name, which is its host name, for as long as the process lives.
///
/// # Errors
/// If the address cannot be bound, or the host name is not that of a node.
pub fn node_web(listen: SocketAddr) -> Result<()> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_err(HarnessError::io("reading the host name"))?;
    let name =
        NodeName::of_host(&host).ok_or_else(|| HarnessError::Wrong(format!("{host:?} is not a node")))?;
    let answer = format!("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n{name}\n");
    // A server that was killed just before may still hold the port.
    let listener = until(&format!("{listen} free"), PREDECESSOR_LIMIT, || match TcpListener::bind(listen) {
        Ok(listener) => Ok(Polled::There(listener)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(Polled::NotYet(error.to_string())),
        Err(error) => Err(HarnessError::io(format_args!("listening on {listen}"))(error)),
    })?;
    loop {
        // A client that disconnects or sends nothing is not the server's problem.
        let _ = listener.accept().and_then(|(stream, _)| serve(stream, &answer));
    }
}

fn serve(mut stream: TcpStream, answer: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(WEB_PATIENCE))?;
    let mut request: Vec<u8> = Vec::new();
    let mut piece = [0; 512];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => return Ok(()),
            read => request.extend(piece.iter().take(read)),
        }
    }
    stream.write_all(answer.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_with(text: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(listener.accept().unwrap().0, text).unwrap());
        address
    }

    #[test]
    fn an_answer_names_the_node() {
        assert_eq!(ask(answer_with("HTTP/1.0 200 OK\r\n\r\nn2\n")).unwrap(), "n2".parse().unwrap());
    }

    #[test]
    fn a_connection_closed_without_an_answer_is_silence() {
        assert!(ask(answer_with("")).is_err());
    }

    #[test]
    fn a_server_that_accepts_and_sends_nothing_costs_no_more_than_the_patience() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let began = Instant::now();
        assert!(ask(listener.local_addr().unwrap()).is_err());
        assert!(began.elapsed() < PATIENCE * 5, "{:?}", began.elapsed());
    }
}
