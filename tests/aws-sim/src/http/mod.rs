//! One HTTP connection: hyper as long as it is regular HTTP, the bare stream if a fault requires it.
//!
//! A handler returns an [`HttpResponse`]. For what HTTP cannot express (a reset, silence, a truncated response, a response byte
//! by byte), the stream is taken back from hyper and written by hand.

mod ending;
mod reply;

use std::{convert::Infallible, future, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Response, StatusCode, body::Incoming, header, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

pub(crate) use self::{ending::Ending, reply::Reply};

/// Far larger than any request of the API.
const LARGEST_BODY: usize = 1 << 20;

/// What a handler requests.
#[derive(Debug)]
pub(crate) enum HttpResponse {
    /// An ordinary response; the connection stays usable.
    Http(Reply),
    /// No response until the client gives up.
    Hang,
    /// The end of the connection.
    End(Ending),
}

/// A request with its complete body.
pub(crate) type Whole = Request<Bytes>;

/// A service behind one port.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Responds to one request from `peer`.
    fn answer(&self, peer: SocketAddr, request: Whole) -> impl Future<Output = HttpResponse> + Send;

    /// True if a connection is dropped before anything is read.
    fn refuses(&self, _peer: SocketAddr) -> bool {
        false
    }

    /// The TTL of every packet on a new connection; `None` for the usual one.
    fn hop_limit(&self) -> Option<u32> {
        None
    }

    /// Value of the `Date` header.
    fn date(&self) -> String;
}

/// Accepts connections for ever, each in its own task.
pub(crate) async fn serve<H: Handler>(listener: TcpListener, tls: Option<TlsAcceptor>, handler: Arc<H>) {
    loop {
        // Out of file descriptors, or a client that is already gone: the next attempt may succeed.
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        // Otherwise a fast response in two segments would wait for the client's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        if handler.refuses(peer) {
            ending::reset(&stream);
            continue;
        }
        if let Some(hops) = handler.hop_limit() {
            let _ = stream.set_ttl(hops);
        }
        let (tls, handler) = (tls.clone(), Arc::clone(&handler));
        tokio::spawn(async move {
            match tls {
                None => connection(stream, peer, handler).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, peer, handler).await;
                    }
                }
            }
        });
    }
}

/// A stream on top of a TCP socket.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Why hyper stops serving a connection: there is an [`Ending`] to carry out.
#[derive(Debug, thiserror::Error)]
#[error("the connection ends here")]
struct ConnectionEnded;

async fn connection<S: Stream, H: Handler>(stream: S, peer: SocketAddr, handler: Arc<H>) {
    let ending = Arc::new(Mutex::new(None));
    let service = service_fn(|request: Request<Incoming>| {
        let (handler, ending) = (Arc::clone(&handler), Arc::clone(&ending));
        // Boxed, because taking the stream back later needs a service whose future can be moved.
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
                return Err(ConnectionEnded);
            };
            let request = Request::from_parts(head, body.to_bytes());
            let worker = Arc::clone(&handler);
            // In its own task: a client that disconnects does not cancel its request.
            let answer = tokio::spawn(async move { worker.answer(peer, request).await }).await;
            match answer.map_err(|_| ConnectionEnded)? {
                HttpResponse::Http(reply) => Ok(response(reply, &handler.date())),
                HttpResponse::Hang => match future::pending::<Infallible>().await {},
                HttpResponse::End(how) => {
                    *ending.lock().await = Some(how);
                    Err(ConnectionEnded)
                }
            }
        })
    });
    let mut http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = future::poll_fn(|context| http.poll_without_shutdown(context)).await;
    let mut stream = http.into_parts().io.into_inner();
    match ending.lock().await.take() {
        Some(how) => how.carry_out(stream).await,
        None => drop(stream.shutdown().await),
    }
}

fn response(reply: Reply, date: &str) -> Response<Full<Bytes>> {
    let mut response = Response::builder()
        .status(reply.status)
        .header(header::CONTENT_TYPE, reply.content_type)
        .header(header::SERVER, reply.server)
        .header(header::DATE, date);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    // The builder fails on a status or a header that HTTP does not allow; only a fault can request one.
    response.body(Full::from(reply.body)).unwrap_or_else(|error| {
        let mut response = Response::new(Full::from(error.to_string()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
