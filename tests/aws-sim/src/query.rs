//! The regional endpoint: the Query APIs of EC2 and STS, and the control API, on one port.

use std::net::SocketAddr;

use eip::cloud::model::{ApiError, Service};

use crate::{
    clock::http_date,
    cloud::Cloud,
    control,
    credentials::Principal,
    ec2::{self, QueryParams},
    exchange::{Arrival, Ticket, exchange},
    http::{Handler, HttpResponse, Reply, Whole},
    sigv4::{self, Authorization, Signed},
    sts,
    world::SimulatorState,
};

/// Version of the STS API. EC2's differs, which tells the two apart.
const STS_VERSION: &str = "2011-06-15";

/// The service behind that port.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) cloud: Cloud,
}

impl Handler for Endpoint {
    async fn answer(&self, peer: SocketAddr, request: Whole) -> HttpResponse {
        if request.uri().path().starts_with(control::PREFIX) {
            return HttpResponse::Http(control::answer(&self.cloud, &request));
        }
        let params = QueryParams::read(request.body());
        let service = if params.get("Version") == Some(STS_VERSION) { Service::Sts } else { Service::Ec2 };
        let action = params.get("Action").unwrap_or_default().to_owned();
        let key = Authorization::read(request.headers()).map(|a| a.key_id);
        let instance = self.cloud.with(|world| {
            let of_key =
                key.and_then(|id| world.keys.find(id)).and_then(|key| key.principal.instance.clone());
            of_key.or_else(|| world.instance_at(peer.ip()))
        });
        let sender = instance.clone();
        let arrival = Arrival {
            service,
            operation: action.clone(),
            params: params.logged(),
            dry_run: params.flag("DryRun").ok().flatten().unwrap_or(false),
            peer,
            instance,
            imposed: None,
        };
        let handle = |world: &mut SimulatorState, ticket: &Ticket| match admit(
            world, &request, service, &action, &params,
        ) {
            Err(error) => refuse(service, &error, &ticket.request_id),
            Ok(who) if service == Service::Sts => sts::run(world, who, &action, &params, &ticket.request_id),
            Ok(who) => {
                // A user's key says nothing about the machine that uses it.
                let who = Principal { instance: who.instance.or(sender), ..who };
                ec2::run(world, who, &action, &params, &ticket.request_id, ticket.late())
            }
        };
        exchange(&self.cloud, arrival, handle, |_, error, id| refuse(service, error, id)).await
    }

    fn date(&self) -> String {
        http_date(self.cloud.with(|world| world.aws_now()))
    }
}

fn refuse(service: Service, error: &ApiError, request_id: &str) -> Reply {
    if service == Service::Sts { sts::refuse(error, request_id) } else { ec2::refuse(error, request_id) }
}

/// Authenticates the signer of the request, and applies throttling.
fn admit(
    world: &SimulatorState,
    request: &Whole,
    service: Service,
    action: &str,
    params: &QueryParams,
) -> Result<Principal, ApiError> {
    let who = identify(world, request, service)?;
    if service == Service::Ec2 {
        world.account.admit(action, params.narrows())?;
    }
    Ok(who)
}

fn identify(world: &SimulatorState, request: &Whole, service: Service) -> Result<Principal, ApiError> {
    let authorization = Authorization::read(request.headers());
    let key = authorization.as_ref().and_then(|a| world.keys.find(a.key_id));
    let authorization = authorization.ok_or_else(|| sigv4::unsigned(service))?;
    let key = key.ok_or_else(|| sigv4::unknown_credentials(service))?;
    let signed = Signed {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        body: request.body(),
    };
    authorization.verify(signed, key, service, world.aws_now())?;
    Ok(key.principal.clone())
}
