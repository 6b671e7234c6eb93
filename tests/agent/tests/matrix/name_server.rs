//! A name server that fails, and later, if it is to recover, resolves every name to loopback.

use std::net::UdpSocket;
use std::thread;

use crate::fault::Unresolved;

/// Length of a message's header.
const HEAD: usize = 12;
/// Response code for a server failure.
const SERVER_FAILURE: u8 = 2;
/// Response code for a name that does not exist.
const NO_SUCH_NAME: u8 = 3;
/// Type of a query for an IPv4 address.
const TYPE_A: [u8; 2] = [0, 1];

/// Serves the socket: the first `times` queries for an IPv4 address fail, or all if `None`, together with the concurrent ones for IPv6
/// addresses. Its thread ends with the process: it does nothing but wait for queries.
pub(crate) fn serve(socket: UdpSocket, fails: Unresolved, times: Option<u32>) {
    thread::spawn(move || {
        let mut left = times;
        let mut buffer = [0; 512];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
            let Some(kind) = kind(&buffer[..length]) else { continue };
            let failing = left != Some(0);
            if kind == TYPE_A {
                left = left.map(|left| left.saturating_sub(1));
            }
            let code = match (failing, fails) {
                (true, Unresolved::Nothing) => continue,
                (true, Unresolved::ServerFailure) => SERVER_FAILURE,
                (true, Unresolved::NoSuchName) => NO_SUCH_NAME,
                (false, _) => 0,
            };
            let _ = socket.send_to(&answer(&buffer[..length], code, kind == TYPE_A), peer);
        }
    });
}

/// The type of the query, which follows the name's labels.
fn kind(message: &[u8]) -> Option<[u8; 2]> {
    let mut at = HEAD;
    while *message.get(at)? != 0 {
        at += usize::from(message[at]) + 1;
    }
    message.get(at + 1..at + 3)?.try_into().ok()
}

/// The response with this code: 127.0.0.1, or no address of this type.
fn answer(question: &[u8], code: u8, has_address: bool) -> Vec<u8> {
    let mut end = HEAD;
    while question[end] != 0 {
        end += usize::from(question[end]) + 1;
    }
    let mut message = question[..end + 5].to_vec();
    let found = code == 0 && has_address;
    // A response, of a recursive server; one question, at most one answer, nothing else.
    message[2..HEAD].copy_from_slice(&[0x81, 0x80 | code, 0, 1, 0, u8::from(found), 0, 0, 0, 0]);
    if found {
        // The question's name, an IPv4 address, class IN, TTL 0, four bytes.
        message.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
    }
    message
}
