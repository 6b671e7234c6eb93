//! A relay to a server that leads elsewhere the first time.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use agent_tests::relay;

/// Opens a relay on loopback whose first connection leads to `first`, and every later one to `later`.
///
/// Its thread ends with the process: it does nothing but wait for connections.
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
