//! An HTTP proxy that supports `CONNECT` and records its requests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running proxy. Its thread ends with the process: it does nothing but wait for connections.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts a proxy on loopback.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let addr = listener.local_addr().expect("its number");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let list = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let list = Arc::clone(&list);
                thread::spawn(move || serve(client, &list));
            }
        });
        Self { addr, asked }
    }

    /// URL of the proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// First line of every request so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the list").clone()
    }
}

/// Serves one connection; refuses anything except `CONNECT` to loopback.
fn serve(client: TcpStream, asked: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    asked.lock().expect("the list").push(request.trim_end().to_owned());
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    let mut client = client;
    let target = request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let server = target.and_then(|target| TcpStream::connect(target).ok());
    let Some(server) = server.filter(|server| server.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()))
    else {
        return client.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").ok();
    };
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    // The client has waited for that, so nothing of what it sends next has been read yet.
    relay(client, server).ok()
}

/// Relays a connection to a server until the server closes it.
///
/// # Errors
/// If a connection is already closed.
pub fn relay(mut client: TcpStream, mut server: TcpStream) -> std::io::Result<()> {
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut client);
    client.shutdown(Shutdown::Both)
}
