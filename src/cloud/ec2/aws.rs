//! [`Ec2`] on the AWS SDK. The SDK's types and errors do not leave this file.

use std::error::Error as StdError;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId as _;
use aws_sdk_ec2::types;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use tokio::sync::OnceCell;

mod identities;
mod listing;
mod private_ips;
mod routes;

use self::identities::Identities;
pub use self::listing::Listing;
use super::codes::{answer_of, fault_of};
use super::error::REGION_UNKNOWN;
use super::guard::CallGuard;
use super::{Address, Association, Ec2, Ec2Error, Ec2Fault, Selector, Target};
use crate::base::ids::{AllocationId, AssociationId};
use crate::base::log::Log;
use crate::base::{causes, find};
use crate::cloud::bounded::{NotWhole, Oversized};
use crate::cloud::credentials::chain::Missing;
use crate::cloud::credentials::profiles;
use crate::cloud::imds::Imds as _;
use crate::cloud::imds::aws::AwsImds;
use crate::cloud::settings::Settings;
use crate::cloud::{client, credentials};

const DESCRIBE: &str = "DescribeAddresses";

/// EC2 through the SDK. The client is built at the first call, so that an action without calls does not pay for it.
pub struct AwsEc2 {
    settings: Settings,
    metadata: imds::Client,
    imds: AwsImds,
    log: Log,
    general: Ec2Access,
    /// For calls about routes, if a role is configured for them.
    routing: Option<Ec2Access>,
    /// Answers the queries that only read, in place of EC2.
    listing: Option<Arc<Listing>>,
    guard: CallGuard,
}

/// The client and the credentials that it uses, which end with a role if there is one.
struct Ec2Access {
    role: Option<String>,
    client: OnceCell<(Client, SdkConfig)>,
    identities: Identities,
}

impl AwsEc2 {
    /// Creates the adapter; `metadata` is the client that holds the process's one token, `imds` sends queries through it.
    pub fn new(settings: Settings, metadata: imds::Client, imds: AwsImds, log: Log) -> Self {
        let access = |role| Ec2Access {
            role,
            client: OnceCell::new(),
            identities: Identities::new(settings.attempt_timeout, settings.credentials_longest),
        };
        let general = access(None);
        let routing = settings.routing_table_role.clone().map(|role| access(Some(role)));
        Self { settings, metadata, imds, log, general, routing, listing: None, guard: CallGuard::default() }
    }

    /// From here on every mutating call passes this guard.
    pub fn guard_by(&mut self, guard: CallGuard) {
        self.guard = guard;
    }

    /// For calls about routes. If the role for them cannot be assumed, the call fails; it never falls back to the credentials that
    /// were to assume it.
    fn routing(&self) -> &Ec2Access {
        self.routing.as_ref().unwrap_or(&self.general)
    }

    async fn client<'a>(
        &self,
        access: &'a Ec2Access,
        operation: &'static str,
        object: &str,
    ) -> Result<&'a (Client, SdkConfig), Ec2Error> {
        let build = || async {
            let config = self.build(access).await?;
            Ok((Client::from_conf(aws_sdk_ec2::config::Builder::from(&config).build()), config))
        };
        let client = access.client.get_or_try_init(build).await;
        client.map_err(|(answer, fault)| Ec2Error::new(operation, &object, fault, answer))
    }

    async fn build(&self, access: &Ec2Access) -> Result<SdkConfig, (String, Ec2Fault)> {
        profiles::read(&self.settings).map_err(|answer| (answer, Ec2Fault::NoProfile))?;
        let http = client::https(&self.settings).map_err(|answer| (answer, Ec2Fault::Setup))?;
        let direct = client::direct(&self.settings).map_err(|answer| (answer, Ec2Fault::Setup))?;
        // Limits each exchange. A limit for the attempt would cover the load of credentials too, which has its own, growing limit.
        let exchange = TimeoutConfig::builder()
            .connect_timeout(self.settings.connect_timeout)
            .read_timeout(self.settings.attempt_timeout)
            .build();
        let timeouts = exchange.to_builder().operation_attempt_timeout(self.settings.attempt_timeout).build();
        let providers = ProviderConfig::default()
            .with_http_client(http.clone())
            .with_sleep_impl(TokioSleep::new())
            .with_timeout_config(timeouts.clone())
            .with_retry_config(RetryConfig::disabled());
        let region = self.region().await?;
        let providers = providers
            .with_region(Some(region.clone()))
            .with_use_fips(self.settings.fips)
            .with_use_dual_stack(self.settings.dual_stack);
        let direct = providers.clone().with_http_client(direct);
        // The builder cannot be cloned, so the ones for STS and for EC2 are configured alike here.
        let configure = || {
            SdkConfig::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .region(region.clone())
                .http_client(http.clone())
                .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
                .time_source(SharedTimeSource::default())
                // Our own layer retries; two layers would multiply.
                .retry_config(RetryConfig::disabled())
                .timeout_config(exchange.clone())
                .identity_cache(access.identities.clone())
                .use_fips(self.settings.fips.unwrap_or_default())
                .use_dual_stack(self.settings.dual_stack.unwrap_or_default())
        };
        let mut sts = configure();
        sts.set_endpoint_url(self.settings.sts_endpoint.clone());
        let sources = credentials::Sources {
            settings: &self.settings,
            sts: &sts.build(),
            with_proxy: &providers,
            direct: &direct,
            metadata: &self.metadata,
            log: &self.log,
        };
        let provider =
            sources.provider(access.role.as_deref()).await.map_err(|answer| (answer, Ec2Fault::NoProfile))?;
        let mut ec2 = configure();
        ec2.set_app_name(AppName::new(concat!("eip-", env!("CARGO_PKG_VERSION"))).ok());
        ec2.set_endpoint_url(self.settings.ec2_endpoint.clone());
        ec2.set_credentials_provider(Some(provider));
        Ok(ec2.build())
    }

    async fn region(&self) -> Result<Region, (String, Ec2Fault)> {
        if let Some(region) = &self.settings.region {
            return Ok(Region::new(region.clone()));
        }
        match self.imds.region().await {
            Ok(region) => Ok(Region::new(region)),
            Err(error) => match &self.settings.region_hint {
                Some(region) => Ok(Region::new(region.clone())),
                None => Err((format!("{REGION_UNKNOWN}: {error}"), Ec2Fault::Silent)),
            },
        }
    }

    /// Makes one call and converts its outcome.
    async fn call<T, E>(
        &self,
        access: &Ec2Access,
        operation: &'static str,
        object: &impl ToString,
        call: impl AsyncFnOnce(&Client) -> Result<T, SdkError<E, HttpResponse>>,
    ) -> Result<T, Ec2Error>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let object = object.to_string();
        let (client, _) = self.client(access, operation, &object).await?;
        let began = Instant::now();
        self.log.trace(format_args!("ec2 {operation} {object}: sent"));
        let result = call(client).await.map_err(|error| failure(operation, &object, &error));
        let took = began.elapsed().as_millis();
        match &result {
            Ok(_) => self.log.trace(format_args!("ec2 {operation} {object}: ok in {took} ms")),
            Err(error) => {
                if error.fault == Ec2Fault::Credentials {
                    // The next attempt may find newer ones.
                    access.identities.forget();
                }
                let id = error.request_id.as_deref().unwrap_or("none");
                let text = error.message.as_deref().unwrap_or_default();
                self.log.trace(format_args!("ec2 {error} in {took} ms, request id {id} {text}"));
            }
        }
        result
    }
}

/// Converts a failure of the SDK.
fn failure<E>(operation: &'static str, object: &str, error: &SdkError<E, HttpResponse>) -> Ec2Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let request_id = error.request_id().map(str::to_owned);
    let message = error.message().map(str::to_owned);
    let (fault, answer) = match (error.raw_response(), error) {
        (Some(response), _) => {
            let (status, text) = (response.status().as_u16(), message.as_deref().unwrap_or_default());
            let answer = match error.code() {
                Some(code) => answer_of(code, text),
                None => format!("an unreadable answer (HTTP {status})"),
            };
            (fault_of(error.code(), status, text), answer)
        }
        (None, SdkError::TimeoutError(_)) => (Ec2Fault::Silent, "no answer in time".to_owned()),
        (None, _) => client_failure(error),
    };
    // If EC2 has responded, its code and message say all that the chain would.
    let answered = matches!(error, SdkError::ServiceError(_));
    let source = if answered { None } else { chain(error) };
    Ec2Error { operation, object: object.to_owned(), answer, fault, message, request_id, source }
}

/// Distinguishes a call that never got credentials from one that never got a response.
fn client_failure(error: &(dyn StdError + 'static)) -> (Ec2Fault, String) {
    if let Some(missing) = find::<Missing>(error) {
        return (missing.fault, missing.to_string());
    }
    if let Some(oversized) = find::<Oversized>(error) {
        return (Ec2Fault::Oversized, oversized.to_string());
    }
    let answer = if find::<NotWhole>(error).is_some() {
        "an unreadable answer".to_owned()
    } else if matches!(find::<CredentialsError>(error), Some(CredentialsError::ProviderTimedOut(_))) {
        "no credentials in time".to_owned()
    } else {
        connection_failure(error)
    };
    (Ec2Fault::Silent, answer)
}

/// Why the client got no response, in a few words: how far it got shows where the fault is.
fn connection_failure(error: &(dyn StdError + 'static)) -> String {
    let (mut deepest, mut to) = (error, "");
    for cause in causes(error).skip(1) {
        // The cause below these only repeats that it is a time-out.
        match cause.to_string() {
            text if text.starts_with("HTTP read timeout") => return "no answer in time".to_owned(),
            text if text.starts_with("HTTP connect timeout") => return "no connection in time".to_owned(),
            text if text.starts_with("identity resolver timed out") => {
                return "no credentials in time".to_owned();
            }
            text if text.starts_with("tunnel error: failed to create") => {
                (deepest, to) = (cause, " to the proxy");
            }
            text if text.starts_with("tunnel error") => return format!("the proxy refused: {text}"),
            _ => deepest = cause,
        }
    }
    format!("no connection{to}: {deepest}")
}

/// A cause as text: the SDK's own error types do not leave this file.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Cause {
    text: String,
    source: Option<Box<Cause>>,
}

/// What the SDK's types say that only wrap a cause.
///
/// # Source
/// `Display` of `SdkError` and `ConnectorError` in aws-smithy-runtime-api, of `CredentialsError` in aws-credential-types.
const WRAPPERS: [&str; 4] =
    ["dispatch failure", "io error", "other", "an error occurred while loading credentials"];

/// The SDK's chain of causes, without those that say nothing. Kept cause by cause, so that a reader can leave out what it has
/// shown already.
fn chain(error: &(dyn StdError + 'static)) -> Option<Box<dyn StdError + Send + Sync>> {
    let texts = causes(error).map(ToString::to_string);
    let told: Vec<String> = texts.filter(|text| !WRAPPERS.contains(&text.as_str())).collect();
    let chain = told.into_iter().rev().fold(None, |source, text| Some(Box::new(Cause { text, source })));
    Some(chain? as Box<dyn StdError + Send + Sync>)
}

impl Ec2 for AwsEc2 {
    async fn prepare(&self) -> Result<(), Ec2Error> {
        const OPERATION: &str = "credentials";
        if self.listing.is_some() {
            return Ok(());
        }
        let (_, config) = self.client(&self.general, OPERATION, "for EC2").await?;
        let Some(provider) = config.credentials_provider() else { return Ok(()) };
        let Err(error) = provider.provide_credentials().await else { return Ok(()) };
        let (fault, answer) = client_failure(&error);
        Err(Ec2Error { source: chain(&error), ..Ec2Error::new(OPERATION, &"for EC2", fault, answer) })
    }

    async fn describe(&self, which: &Selector) -> Result<Address, Ec2Error> {
        if let Some(listing) = &self.listing {
            return listing.address(which);
        }
        let output = self
            .call(&self.general, DESCRIBE, which, async |client| {
                let request = client.describe_addresses();
                match which {
                    Selector::Allocation(id) => request.allocation_ids(id.as_str()),
                    Selector::PublicIp(ip) => request.public_ips(ip.to_string()),
                }
                .send()
                .await
            })
            .await?;
        let absent = if output.addresses().is_empty() { Ec2Fault::Unknown } else { Ec2Fault::Silent };
        pick(output.addresses(), which, absent)
            .map_err(|error| Ec2Error { request_id: output.request_id().map(str::to_owned), ..error })
    }

    async fn on_target(&self, target: &Target) -> Result<Vec<Address>, Ec2Error> {
        let interface = filter("network-interface-id", [target.interface.as_str()]);
        let private_ip = filter("private-ip-address", [target.private_ip.to_string().as_str()]);
        let found = self.addresses_with(&target.to_string(), vec![interface, private_ip]).await?;
        let found: Result<_, _> = found.iter().map(address).collect();
        found.map_err(|(fault, answer)| Ec2Error::new(DESCRIBE, target, fault, answer))
    }

    async fn associate(
        &self,
        allocation: &AllocationId,
        target: &Target,
        reassociate: bool,
    ) -> Result<AssociationId, Ec2Error> {
        const OPERATION: &str = "AssociateAddress";
        let call = self.call(&self.general, OPERATION, allocation, async |client| {
            associate_request(client, allocation, target, reassociate).send().await
        });
        let output = self.guard.mutate(call).await?;
        output.association_id().and_then(|id| id.parse().ok()).ok_or_else(|| Ec2Error {
            request_id: output.request_id().map(str::to_owned),
            ..Ec2Error::new(OPERATION, allocation, Ec2Fault::Silent, "an answer without an association id")
        })
    }

    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        let call = self.call(&self.general, "DisassociateAddress", association, async |client| {
            client.disassociate_address().association_id(association.as_str()).send().await
        });
        self.guard.mutate(call).await.map(drop)
    }

    async fn may_associate(&self, allocation: &AllocationId, target: &Target) -> Result<(), Ec2Error> {
        permitted(
            self.call(&self.general, "AssociateAddress", allocation, async |client| {
                associate_request(client, allocation, target, true).dry_run(true).send().await
            })
            .await,
        )
    }

    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        permitted(
            self.call(&self.general, "DisassociateAddress", association, async |client| {
                client.disassociate_address().association_id(association.as_str()).dry_run(true).send().await
            })
            .await,
        )
    }
}

/// The address that is meant, of those that an answer shows; an error with the fault `absent` if it is not one of them.
fn pick(shown: &[types::Address], which: &Selector, absent: Ec2Fault) -> Result<Address, Ec2Error> {
    let ill = |(fault, answer)| Ec2Error::new(DESCRIBE, which, fault, answer);
    let is_meant = |address: &&types::Address| match which {
        Selector::Allocation(id) => address.allocation_id() == Some(id.as_str()),
        Selector::PublicIp(ip) => address.public_ip() == Some(ip.to_string().as_str()),
    };
    let wanted =
        shown.iter().find(is_meant).ok_or_else(|| ill((absent, "the answer does not contain it")))?;
    address(wanted).map_err(ill)
}

fn associate_request(
    client: &Client,
    allocation: &AllocationId,
    target: &Target,
    reassociate: bool,
) -> aws_sdk_ec2::operation::associate_address::builders::AssociateAddressFluentBuilder {
    client
        .associate_address()
        .allocation_id(allocation.as_str())
        .network_interface_id(target.interface.as_str())
        .private_ip_address(target.private_ip.to_string())
        // The default differs between accounts, so it is always set.
        .allow_reassociation(reassociate)
}

/// A dry run "fails" with `DryRunOperation` when the real call would have been allowed.
fn permitted<T>(outcome: Result<T, Ec2Error>) -> Result<(), Ec2Error> {
    match outcome {
        Err(error) if error.answer != "DryRunOperation" => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What is wrong with an answer: its meaning, and what an operator reads.
type AnswerFlaw = (Ec2Fault, &'static str);

/// A field is present but cannot be parsed, as opposed to an absent one.
const UNREADABLE: AnswerFlaw = (Ec2Fault::Silent, "an answer with an unreadable id or address");

/// Parses a field; `None` if it is absent or empty.
fn parsed<T: FromStr>(field: Option<&str>) -> Result<Option<T>, AnswerFlaw> {
    let text = field.filter(|text| !text.is_empty());
    text.map(|text| text.parse().map_err(|_| UNREADABLE)).transpose()
}

/// Converts an address, or reports what is wrong with it.
///
/// Customer-owned and carrier addresses have an allocation but no public address. Instance metadata does not show them,
/// so a monitor would never find them here.
fn address(address: &types::Address) -> Result<Address, AnswerFlaw> {
    let association = parsed(address.association_id())?.map(|id| {
        Ok::<_, AnswerFlaw>(Association {
            id,
            instance: parsed(address.instance_id())?,
            interface: parsed(address.network_interface_id())?,
            private_ip: parsed(address.private_ip_address())?,
        })
    });
    let filled = |field: Option<&str>| field.is_some_and(|text| !text.is_empty());
    let public_ip = parsed(address.public_ip())?.ok_or_else(|| {
        if filled(address.customer_owned_ip()) {
            (Ec2Fault::Unknown, "a customer-owned address, not an Elastic IP")
        } else if filled(address.carrier_ip()) {
            (Ec2Fault::Unknown, "a carrier address, not an Elastic IP")
        } else {
            (Ec2Fault::Silent, "an answer without its address")
        }
    })?;
    Ok(Address {
        public_ip,
        allocation: parsed(address.allocation_id())?
            .ok_or((Ec2Fault::Silent, "an answer without its allocation"))?,
        association: association.transpose()?,
        border_group: parsed(address.network_border_group())?,
        managed_by: address.service_managed().map(|service| service.as_str().to_owned()),
    })
}

fn filter<'v>(name: &str, values: impl IntoIterator<Item = &'v str>) -> types::Filter {
    let values = values.into_iter().map(str::to_owned).collect();
    types::Filter::builder().name(name).set_values(Some(values)).build()
}
