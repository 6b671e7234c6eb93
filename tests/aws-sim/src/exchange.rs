//! Handles every request: logs it, applies a fault if one strikes, and responds after the latency.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use eip::base::ids::InstanceId;
use eip::cloud::model::{ApiError, FaultKind, Service, throttled};

use crate::{
    cloud::Cloud,
    http::{Ending, HttpResponse, Reply},
    log::LoggedRequest,
    world::SimulatorState,
};

/// A request as it arrives.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) params: BTreeMap<String, String>,
    pub(crate) dry_run: bool,
    pub(crate) peer: SocketAddr,
    pub(crate) instance: Option<InstanceId>,
    /// A fault due to the state of the whole service; it takes precedence over single faults.
    pub(crate) imposed: Option<FaultKind>,
}

/// What is known of a request after it was logged.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    seq: u64,
    pub(crate) request_id: String,
    fault: Option<FaultKind>,
    latency: Duration,
}

impl Ticket {
    /// How long after its response the request takes effect.
    pub(crate) fn late(&self) -> Option<Duration> {
        match self.fault {
            Some(FaultKind::LateEffect(late)) => Some(late),
            _ => None,
        }
    }
}

/// Handles one request. `handle` is called when the request takes effect, if it does; `refuse` formats an error in the way
/// of the called service.
pub(crate) async fn exchange(
    cloud: &Cloud,
    arrival: Arrival,
    handle: impl FnOnce(&mut SimulatorState, &Ticket) -> Reply,
    refuse: impl FnOnce(&SimulatorState, &ApiError, &str) -> Reply,
) -> HttpResponse {
    let service = arrival.service;
    let ticket = cloud.with(|world| admit(world, arrival));
    half_of(ticket.latency).await;
    let effect = || {
        cloud.with(|world| {
            let reply = handle(world, &ticket);
            if let Some(request) = world.log.get_mut(ticket.seq) {
                request.association_id.clone_from(&reply.association_id);
            }
            reply
        })
    };
    let refused = |error: ApiError| HttpResponse::Http(cloud.with(|w| refuse(w, &error, &ticket.request_id)));
    let answer = match ticket.fault.clone() {
        // A late effect is left to the operation.
        None | Some(FaultKind::LateEffect(_)) => HttpResponse::Http(effect()),
        Some(FaultKind::Delay(late)) => {
            tokio::time::sleep(late).await;
            HttpResponse::Http(effect())
        }
        Some(FaultKind::Error { status, code, message }) => refused(ApiError { status, code, message }),
        Some(FaultKind::Throttle) => refused(throttled(service)),
        Some(FaultKind::Hang) => HttpResponse::Hang,
        Some(FaultKind::Reset) => HttpResponse::End(Ending::Reset),
        Some(FaultKind::CloseBeforeAnswer) => HttpResponse::End(Ending::Close),
        Some(FaultKind::LoseAnswer) => {
            effect();
            HttpResponse::End(Ending::Reset)
        }
        Some(FaultKind::EffectThenHang) => {
            effect();
            HttpResponse::Hang
        }
        Some(FaultKind::Garbage) => HttpResponse::Http(Reply::garbage()),
        Some(FaultKind::Empty) => HttpResponse::Http(Reply { body: Vec::new(), ..Reply::garbage() }),
        Some(FaultKind::TruncatedXml) => HttpResponse::Http(effect().truncated()),
        Some(FaultKind::ShortBody) => HttpResponse::End(Ending::short(&effect())),
        Some(FaultKind::NotHttp) => HttpResponse::End(Ending::not_http()),
        Some(FaultKind::HtmlProxy(status)) => HttpResponse::Http(Reply::proxy_page(status)),
        Some(FaultKind::Slow(rate)) => HttpResponse::End(Ending::slow(&effect(), rate)),
    };
    half_of(ticket.latency).await;
    cloud.with(|world| conclude(world, &ticket, &answer));
    answer
}

/// Logs a request.
pub(crate) fn admit(world: &mut SimulatorState, arrival: Arrival) -> Ticket {
    let request_id = world.request_id();
    let at = world.now();
    let Arrival { service, operation, params, dry_run, peer, instance, imposed } = arrival;
    let fault = imposed.or_else(|| world.account.strikes(service, &operation, instance.as_ref()));
    // The metadata service is on the host itself: the latency is that of the path to the Region's endpoint.
    let latency = if service == Service::Imds { Duration::ZERO } else { world.latency };
    let seq = world.log.arrive(|seq| LoggedRequest {
        seq,
        at,
        answered_at: None,
        service,
        operation,
        params,
        dry_run,
        peer,
        instance,
        status: 0,
        code: None,
        request_id: request_id.clone(),
        fault: fault.as_ref().map(|f| f.name().to_owned()),
        association_id: None,
    });
    Ticket { seq, request_id, fault, latency }
}

fn conclude(world: &mut SimulatorState, ticket: &Ticket, answer: &HttpResponse) {
    let now = world.now();
    let Some(request) = world.log.get_mut(ticket.seq) else { return };
    let (status, code) = match answer {
        HttpResponse::Http(reply) => (reply.status, reply.code.clone()),
        HttpResponse::End(ending) => (ending.status(), None),
        HttpResponse::Hang => (0, None),
    };
    request.answered_at = (status != 0).then_some(now);
    request.status = status;
    request.code = code;
}

/// Waits for half of the latency: once before a request takes effect, and once before its response.
///
/// A sleep of zero would still wait for the timer's next tick, a millisecond.
async fn half_of(latency: std::time::Duration) {
    if !latency.is_zero() {
        tokio::time::sleep(latency / 2).await;
    }
}
