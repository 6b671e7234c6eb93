//! One instance's metadata service, `IMDSv2` only.
//!
//! # Source
//! Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".

mod credentials;
mod tree;

use std::net::SocketAddr;

use eip::base::ids::InstanceId;
use eip::cloud::model::{ApiError, FaultKind, Service};
use hyper::Method;
use serde::{Deserialize, Serialize};

use crate::{
    clock::http_date,
    cloud::Cloud,
    credentials::random,
    exchange::{Arrival, admit, exchange},
    http::{Handler, HttpResponse, Reply, Whole},
    world::SimulatorState,
};

const TOKEN_PATH: &str = "/latest/api/token";
const TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aws-ec2-metadata-token";

/// How a metadata service behaves as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImdsState {
    /// Works normally.
    #[default]
    On,
    /// Turned off for the instance: 403 to everything.
    Off403,
    /// Every connection is reset as soon as it is accepted.
    Refuse,
    /// Connections are accepted and requests never answered.
    Hang,
    /// Responses reach the instance only: those that it forwards to a container are lost.
    OneHop,
    /// Session tokens are refused with 403, so nothing can be read.
    TokenRefused,
    /// 500 to everything.
    Error500,
    /// One byte per second.
    Slow,
    /// Status 200 and an unreadable body.
    Garbage,
}

impl ImdsState {
    fn imposed(self, path: &str) -> Option<FaultKind> {
        let error =
            |status, code: &str| FaultKind::Error { status, code: code.to_owned(), message: code.to_owned() };
        match self {
            Self::On | Self::Refuse | Self::OneHop => None,
            Self::Off403 => Some(error(403, "Forbidden")),
            Self::Hang => Some(FaultKind::Hang),
            Self::TokenRefused => (path == TOKEN_PATH).then(|| error(403, "Forbidden")),
            Self::Error500 => Some(error(500, "Internal Server Error")),
            Self::Slow => Some(FaultKind::Slow(1)),
            Self::Garbage => Some(FaultKind::Garbage),
        }
    }
}

/// Answers requests to the metadata of one instance.
#[derive(Debug)]
pub(crate) struct ImdsHandler {
    pub(crate) cloud: Cloud,
    pub(crate) instance: InstanceId,
}

impl ImdsHandler {
    fn state(&self) -> ImdsState {
        self.cloud.with(|world| world.metadata.get(&self.instance).map(|m| m.state).unwrap_or_default())
    }

    fn arrival(&self, operation: String, peer: SocketAddr, imposed: Option<FaultKind>) -> Arrival {
        Arrival {
            service: Service::Imds,
            operation,
            params: std::collections::BTreeMap::new(),
            dry_run: false,
            peer,
            instance: Some(self.instance.clone()),
            imposed,
        }
    }
}

impl Handler for ImdsHandler {
    async fn answer(&self, peer: SocketAddr, request: Whole) -> HttpResponse {
        let path = request.uri().path();
        let operation = format!("{} {path}", request.method());
        let arrival = self.arrival(operation, peer, self.state().imposed(path));
        let handle = |world: &mut SimulatorState, _: &_| {
            answer(world, &self.instance, &request).unwrap_or_else(|error| refuse(&error))
        };
        exchange(&self.cloud, arrival, handle, |_, error, _| refuse(error)).await
    }

    fn refuses(&self, peer: SocketAddr) -> bool {
        let refuses = self.state() == ImdsState::Refuse;
        if refuses {
            let arrival = self.arrival("connect".to_owned(), peer, Some(FaultKind::Reset));
            self.cloud.with(|world| admit(world, arrival));
        }
        refuses
    }

    fn hop_limit(&self) -> Option<u32> {
        (self.state() == ImdsState::OneHop).then_some(1)
    }

    fn date(&self) -> String {
        http_date(self.cloud.with(|world| world.aws_now()))
    }
}

/// Responds to a request that no fault struck.
fn answer(world: &mut SimulatorState, instance: &InstanceId, request: &Whole) -> Result<Reply, ApiError> {
    let path = request.uri().path();
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if *request.method() == Method::PUT {
        if header("x-forwarded-for").is_some() || path != TOKEN_PATH {
            return Err(ApiError::new(403, "Forbidden", "Forbidden"));
        }
        let ttl =
            header(TTL_HEADER).and_then(|ttl| ttl.parse().ok()).filter(|ttl| (1..=21_600).contains(ttl));
        let ttl: u32 = ttl.ok_or_else(|| ApiError::client("Bad Request", "Bad Request"))?;
        return Ok(token(world, instance, ttl));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(ApiError::new(405, "Not Allowed", "Not Allowed"));
    }
    let now = world.now();
    let known = header(TOKEN_HEADER).and_then(|token| world.tokens.get(token));
    if known.is_none_or(|(whose, until)| whose != instance || *until <= now) {
        return Err(ApiError::new(401, "Unauthorized", "Unauthorized"));
    }
    let shown = credentials::read(world, instance, path).or_else(|| tree::read(world, instance, path));
    shown.map(text).ok_or_else(|| ApiError::new(404, "Not Found", "Not Found"))
}

fn token(world: &mut SimulatorState, instance: &InstanceId, ttl: u32) -> Reply {
    let until = world.now() + f64::from(ttl);
    let token = format!(
        "AQAE{}==",
        random(&mut world.rng, 50, b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    );
    world.tokens.insert(token.clone(), (instance.clone(), until));
    let mut reply = text(token);
    reply.headers.push((TTL_HEADER, ttl.to_string()));
    reply
}

fn text(body: String) -> Reply {
    Reply {
        status: 200,
        content_type: "text/plain",
        server: "EC2ws",
        body: body.into_bytes(),
        ..Reply::default()
    }
}

/// An error in the metadata service's format: a page without an error code.
fn refuse(error: &ApiError) -> Reply {
    let title = format!("{} - {}", error.status, error.message);
    let page = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n\
         <!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n\
         \t\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n \
         <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n </body>\n</html>\n"
    );
    Reply { status: error.status, content_type: "text/html", code: Some(error.code.clone()), ..text(page) }
}
