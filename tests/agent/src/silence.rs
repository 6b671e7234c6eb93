//! Addresses on loopback that never answer, each in a different way.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

/// Far above the queue of connections of any listener.
const MOST_WAITING: usize = 10_000;
/// On loopback a connection that is not up by then never will be.
const LOST: Duration = Duration::from_millis(100);

/// An address at which connections are never established: packets are dropped, as behind a firewall or on a link that is down.
///
/// It is a listener that accepts nothing and whose queue is full.
pub fn black_hole() -> SocketAddr {
    static FULL: OnceLock<(TcpListener, Vec<TcpStream>, SocketAddr)> = OnceLock::new();
    let full = FULL.get_or_init(|| {
        let (listener, addr) = listener();
        let waiting: Vec<TcpStream> =
            (0..MOST_WAITING).map_while(|_| TcpStream::connect_timeout(&addr, LOST).ok()).collect();
        assert!(waiting.len() < MOST_WAITING, "the queue of a listener never fills");
        (listener, waiting, addr)
    });
    full.2
}

/// An address at which connections are established and nothing is ever read or sent.
pub fn mute() -> SocketAddr {
    static MUTE: OnceLock<(TcpListener, SocketAddr)> = OnceLock::new();
    MUTE.get_or_init(listener).1
}

/// An address at which connections are refused.
pub fn refusing() -> SocketAddr {
    // Port 1 (tcpmux) rather than one just freed, which a concurrent test could get.
    (Ipv4Addr::LOCALHOST, 1).into()
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let addr = listener.local_addr().expect("its number");
    (listener, addr)
}
