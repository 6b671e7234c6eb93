//! Kills agents at work: waits until one appears in a node, pauses, and kills it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::Signal;

use crate::error::{HarnessError, Result};
use crate::processes::Processes;

/// The agents' names in the kernel.
const AGENTS: [&str; 3] = ["eip", "vip", "overlay-ip"];
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// A thread that kills agents until it is ended or dropped.
#[derive(Debug)]
pub struct Hunter {
    stop: Arc<AtomicBool>,
    killed: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Hunter {
    /// Starts to kill a node's agents, each of them `after` it was first seen.
    pub fn start(processes: Processes, after: Duration) -> Result<Self> {
        let (stop, killed) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (halt, count) = (Arc::clone(&stop), Arc::clone(&killed));
        let work = move || {
            while !halt.load(Ordering::Relaxed) {
                if AGENTS.iter().any(|agent| processes.has(agent)) {
                    thread::sleep(after);
                    let killed = processes.signal(|name| AGENTS.contains(&name), Signal::KILL);
                    count.fetch_add(killed, Ordering::Relaxed);
                }
                thread::sleep(LOOK_EVERY);
            }
        };
        let thread = thread::Builder::new().name("hunter".into()).spawn(work);
        Ok(Self { stop, killed, thread: Some(thread.map_err(HarnessError::io("starting the hunter"))?) })
    }

    /// Stops killing, and returns how many were killed.
    pub fn end(mut self) -> usize {
        self.halt();
        self.killed.load(Ordering::Relaxed)
    }

    fn halt(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A hunter that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

impl Drop for Hunter {
    fn drop(&mut self) {
        self.halt();
    }
}
