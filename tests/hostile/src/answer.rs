//! Responses that no healthy server sends.

use std::io::{self, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::input;

/// For how long an endless answer goes on, if the reader does not hang up: far longer than an agent listens.
const ENDLESS: Duration = Duration::from_secs(15);

/// An answer.
#[derive(Debug, Clone)]
pub enum HostileAnswer {
    /// Right HTTP with this status and body.
    Whole(u16, Vec<u8>),
    /// These bytes, then the connection closes.
    Raw(Vec<u8>),
    /// The first bytes once, the second ones again and again, as fast as they are taken.
    Endless(Vec<u8>, Vec<u8>),
    /// These bytes one by one, so far apart.
    Slow(Vec<u8>, Duration),
}

/// Makes an answer in the place of this one.
pub fn instead_of(rng: &mut Rng, valid: &[u8]) -> HostileAnswer {
    let status = *rng.choice(&[200, 200, 200, 200, 400, 404, 403, 500, 204, 301, 999]).unwrap();
    match rng.u8(0..14) {
        0..=4 => HostileAnswer::Whole(status, input::mangle(rng, valid)),
        5..=7 => HostileAnswer::Whole(status, input::document(rng, valid)),
        8 => HostileAnswer::Whole(status, error(rng)),
        9 | 10 => endless(rng, valid),
        11 | 12 => HostileAnswer::Raw(nonsense(rng, valid)),
        _ => {
            let pause = Duration::from_millis(rng.u64(1..400));
            HostileAnswer::Slow(whole(200, valid), pause)
        }
    }
}

/// Returns an error document of EC2 with nonsense in it.
fn error(rng: &mut Rng) -> Vec<u8> {
    let escaped = |text: String| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('\u{1b}', "&#27;").replace('\n', "&#10;")
    };
    let (code, message) =
        (escaped(input::text(rng, &[])), escaped(input::text(rng, &[])).repeat(rng.usize(1..50)));
    let id = escaped(input::text(rng, &[]));
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
    )
    .into_bytes()
}

fn endless(rng: &mut Rng, valid: &[u8]) -> HostileAnswer {
    let head = *rng
        .choice(&[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 9999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\n",
            "",
        ])
        .unwrap();
    let fill =
        input::one_of(rng, &["x", "<item/>", "<a>", "[", " ", "\n", "10.0.0.1\n", "\u{1b}[2J", "{\"a\":"]);
    let block = match head {
        "" => "HTTP/1.1 100 Continue\r\n\r\n".repeat(100),
        head if head.contains("chunked") => format!("{:x}\r\n{}\r\n", fill.len() * 4096, fill.repeat(4096)),
        head if head.ends_with("\r\n\r\n") => fill.repeat(4096),
        _ => "X-Header: and more\r\n".repeat(100),
    };
    // A beginning that is right keeps a parser at it.
    let keep = if head.contains("Content-Length") || head.contains("close") {
        rng.usize(0..=valid.len())
    } else {
        0
    };
    HostileAnswer::Endless([head.as_bytes(), &valid[..keep]].concat(), block.into_bytes())
}

/// Returns bytes that are almost an answer.
fn nonsense(rng: &mut Rng, valid: &[u8]) -> Vec<u8> {
    let (length, body) = (valid.len(), String::from_utf8_lossy(valid));
    let text = match rng.u8(0..14) {
        0 => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", length / 2),
        1 => format!("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{body}"),
        2 => format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Length: 7\r\n\r\n{body}"),
        3 => format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n"),
        4 => format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{body}\r\n0\r\n\r\n"
        ),
        5 => format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x};{}\r\n{body}\r\n0\r\n\r\n",
            "a=b;".repeat(20_000)
        ),
        6 => format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {length}\r\n\r\n{body}"),
        7 => format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
        8 => format!("HTTP/1.1 200 {}\r\nContent-Length: {length}\r\n\r\n{body}", "x".repeat(100_000)),
        9 => format!("HTTP/1.1 200 OK\r\nX: a\u{0}b\r\n\r\n{body}"),
        10 => format!(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/{}\r\nContent-Length: 0\r\n\r\n",
            "a".repeat(9_000)
        ),
        11 => format!("HTTP/9.9 200 OK\r\n\r\n{body}"),
        12 => format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n{body}"),
        _ => format!("HTTP/1.1 200 OK\r\n{}\r\n{body}", "A: b\r\n".repeat(rng.usize(90..5_000))),
    };
    text.into_bytes()
}

/// Returns right HTTP with this body.
pub fn whole(status: u16, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

impl HostileAnswer {
    /// Sends it.
    ///
    /// # Errors
    /// Where the other side hangs up.
    pub fn send(&self, to: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Whole(status, body) => to.write_all(&whole(*status, body)),
            Self::Raw(bytes) => to.write_all(bytes),
            Self::Endless(first, again) => {
                let until = Instant::now() + ENDLESS;
                to.write_all(first)?;
                while Instant::now() < until {
                    to.write_all(again)?;
                }
                Ok(())
            }
            Self::Slow(bytes, pause) => {
                let until = Instant::now() + ENDLESS;
                for byte in bytes {
                    if Instant::now() > until {
                        break;
                    }
                    to.write_all(&[*byte])?;
                    thread::sleep(*pause);
                }
                Ok(())
            }
        }
    }

    /// Returns what it is, short enough for a line.
    pub fn shown(&self) -> String {
        let start = |bytes: &[u8]| {
            let shown: String = String::from_utf8_lossy(bytes).escape_debug().take(600).collect();
            format!("{shown} ({} bytes)", bytes.len())
        };
        match self {
            Self::Whole(status, body) => format!("{status} with {}", start(body)),
            Self::Raw(bytes) => format!("the bytes {}", start(bytes)),
            Self::Endless(first, again) => format!("{} and then for ever {}", start(first), start(again)),
            Self::Slow(bytes, pause) => format!("every {pause:?} a byte of {}", start(bytes)),
        }
    }
}
