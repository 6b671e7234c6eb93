//! Ways to end a connection that HTTP does not offer.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{Reply, Stream};

/// How a connection ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// A reset: the client's next read fails.
    Reset,
    /// An orderly close without a response.
    Close,
    /// Some bytes at a rate (0: at once), then an orderly close.
    Bytes {
        /// The bytes to send.
        bytes: Vec<u8>,
        /// Bytes per second.
        rate: u32,
        /// The HTTP status in the bytes, 0 if there is none.
        status: u16,
    },
}

impl Ending {
    /// The header of `reply`, half of its body, and no more.
    pub(crate) fn short(reply: &Reply) -> Self {
        let mut bytes = reply.wire();
        bytes.truncate(bytes.len() - reply.body.len().div_ceil(2));
        Self::Bytes { bytes, rate: 0, status: reply.status }
    }

    /// A TLS alert instead of HTTP.
    pub(crate) fn not_http() -> Self {
        Self::Bytes { bytes: vec![0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28], rate: 0, status: 0 }
    }

    /// The whole of `reply`, at `rate` bytes per second.
    pub(crate) fn slow(reply: &Reply, rate: u32) -> Self {
        Self::Bytes { bytes: reply.wire(), rate: rate.max(1), status: reply.status }
    }

    /// The HTTP status that the client will see, 0 if none.
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Reset | Self::Close => 0,
            Self::Bytes { status, .. } => *status,
        }
    }

    /// Ends the connection this way.
    pub(crate) async fn carry_out<S: Stream>(self, mut stream: S) {
        match self {
            Self::Reset => reset(stream.tcp()),
            Self::Close => drop(stream.shutdown().await),
            Self::Bytes { bytes, rate, .. } => {
                // If the client has given up, sending ends; there is no one left to notify.
                let _ = send(&mut stream, &bytes, rate).await;
                let _ = stream.shutdown().await;
            }
        }
    }
}

/// Makes the kernel send a reset instead of an orderly close when the socket is dropped.
pub(super) fn reset(stream: &TcpStream) {
    let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
}

async fn send<S: Stream>(stream: &mut S, bytes: &[u8], rate: u32) -> std::io::Result<()> {
    if rate == 0 {
        return stream.write_all(bytes).await;
    }
    let mut beat = tokio::time::interval(Duration::from_secs(1) / rate);
    for byte in bytes {
        beat.tick().await;
        stream.write_all(std::slice::from_ref(byte)).await?;
        stream.flush().await?;
    }
    Ok(())
}
