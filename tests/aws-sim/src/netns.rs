//! Sockets in other network namespaces.
//!
//! A thread that enters a namespace stays there, so each piece of work gets its own thread. A socket belongs to
//! the namespace in which it was created, and can be used from everywhere.

use std::{
    fs::File,
    io,
    net::{SocketAddr, TcpListener},
    os::fd::AsFd,
    path::{Path, PathBuf},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// File of the network namespace, for example `/run/netns/cloud`; the caller's own if absent.
    pub netns: Option<PathBuf>,
    /// Address and port, port 0 for any.
    pub addr: SocketAddr,
}

impl Bind {
    /// A free port on 127.0.0.1 in the caller's namespace.
    pub fn loopback() -> Self {
        SocketAddr::from(([127, 0, 0, 1], 0)).into()
    }

    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        let listener = match &self.netns {
            None => TcpListener::bind(self.addr)?,
            Some(path) => {
                let (path, addr) = (path.clone(), self.addr);
                let bound = thread::spawn(move || {
                    enter(&path)?;
                    TcpListener::bind(addr)
                });
                bound.join().map_err(|_| io::Error::other("the binding thread panicked"))??
            }
        };
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

impl From<SocketAddr> for Bind {
    fn from(addr: SocketAddr) -> Self {
        Self { netns: None, addr }
    }
}

/// Moves the calling thread into a network namespace, for good.
pub(crate) fn enter(path: &Path) -> io::Result<()> {
    let name = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(name)?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| name(error.into()))
}
