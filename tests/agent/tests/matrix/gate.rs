//! A way to a server that leads somewhere else the first time.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use agent_tests::relay;

/// Opens a way on loopback whose first connection leads to `first`, and every later one to `later`.
///
/// Its thread ends with the process: it only ever waits for connections.
pub(crate) fn open(first: SocketAddr, later: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let addr = listener.local_addr().expect("its number");
    thread::spawn(move || {
        let mut target = first;
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(target);
            target = later;
            if let Ok(server) = server {
                thread::spawn(move || relay(client, server));
            }
        }
    });
    addr
}
