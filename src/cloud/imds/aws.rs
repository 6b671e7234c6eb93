//! [`Imds`] on the AWS SDK's client: version 2 only, one token per process.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant};

use aws_config::imds;
use aws_config::imds::client::error::ImdsError as Sdk;
use aws_config::provider_config::ProviderConfig;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Builder;
use ipnet::IpNet;

use super::{Attachment, Imds, ImdsError, Interface, Subnet, Vpc, is_region};
use crate::base::ids::{InstanceId, InterfaceId, MacAddress};
use crate::base::innermost;
use crate::base::log::Log;
use crate::cloud::bounded::bounded;
use crate::cloud::settings::Settings;

const ROOT: &str = "/latest/meta-data/";
/// Default endpoint of instance metadata.
const IPV4: &str = "http://169.254.169.254";
/// The same over IPv6, if that is enabled.
const IPV6: &str = "http://[fd00:ec2::254]";
/// Limit for a connection to instance metadata, which is on the same host: one that takes longer is lost.
const CONNECT: Duration = Duration::from_millis(500);
/// Largest accepted response of instance metadata. The longest that the agent requests, a token and a list, are a few kilobytes.
const LARGEST: usize = 64 << 10;

/// The client for instance metadata: version 2 only, one token per process, one attempt per call.
///
/// # Errors
/// A sentence about the endpoint if it is not a valid URI.
pub fn client(settings: &Settings) -> Result<imds::Client, String> {
    let config = ProviderConfig::empty()
        .with_http_client(bounded(Builder::new().build_http(), LARGEST))
        .with_sleep_impl(TokioSleep::new());
    let builder = imds::Client::builder()
        .configure(&config)
        .max_attempts(1)
        .connect_timeout(CONNECT)
        // The adapter sets its own, growing limit for each attempt.
        .read_timeout(settings.imds_longest)
        .operation_attempt_timeout(settings.imds_longest)
        .operation_timeout(settings.imds_longest * 2);
    // Always set: otherwise the client reads variables and profile files itself, unchecked.
    let usual = if settings.imds_over_ipv6 == Some(true) { IPV6 } else { IPV4 };
    let endpoint = settings.imds_endpoint.as_deref().unwrap_or(usual);
    let builder = builder.endpoint(endpoint).map_err(|error| format!("imds_endpoint {endpoint}: {error}"))?;
    Ok(builder.build())
}

/// Instance metadata of this instance. Clones share what they learn about its response time.
#[derive(Clone)]
pub struct AwsImds {
    client: imds::Client,
    log: Log,
    /// Limit for the next attempt.
    limit: Rc<Cell<Duration>>,
    longest: Duration,
    /// Whether the service has answered this process at least once.
    heard: Rc<Cell<bool>>,
}

impl AwsImds {
    /// Queries through this client, at first with a limit of `imds_first` per response.
    pub fn new(client: imds::Client, settings: &Settings, log: Log) -> Self {
        Self {
            client,
            log,
            limit: Rc::new(Cell::new(settings.imds_first)),
            longest: settings.imds_longest,
            heard: Rc::default(),
        }
    }

    async fn text(&self, path: &str) -> Result<String, ImdsError> {
        let began = Instant::now();
        let limit = self.limit.get();
        let answer = tokio::time::timeout(limit, self.client.get(format!("{ROOT}{path}"))).await;
        if matches!(answer, Ok(Ok(_) | Err(Sdk::ErrorResponse(_)))) {
            self.heard.set(true);
        }
        let result = match answer {
            Ok(Ok(text)) => Ok(text.as_ref().to_owned()),
            Ok(Err(error)) => Err(failure(path, &error)),
            Err(_) => {
                // Queries run concurrently, and each knows only the limit that it started with.
                self.limit.set((limit * 2).min(self.longest).max(self.limit.get()));
                let path = path.to_owned();
                // A connection that fails does so sooner.
                if limit > CONNECT && !self.heard.get() {
                    Err(ImdsError::Mute { path })
                } else {
                    Err(ImdsError::Silent { path, answer: format!("no answer within {limit:?}") })
                }
            }
        };
        let took = began.elapsed().as_micros();
        match &result {
            Ok(text) => self.log.trace(format_args!("imds {path}: {} in {took} us", text.replace('\n', " "))),
            Err(error) => self.log.trace(format_args!("imds {error} in {took} us")),
        }
        result
    }

    async fn value<T: FromStr>(&self, path: &str) -> Result<T, ImdsError> {
        let text = self.text(path).await?;
        parse(path, &text)
    }

    async fn lines<T: FromStr>(&self, path: &str) -> Result<Vec<T>, ImdsError> {
        let text = self.text(path).await?;
        text.lines()
            .map(|line| line.trim().trim_end_matches('/'))
            .filter(|line| !line.is_empty())
            .map(|line| parse(path, line))
            .collect()
    }

    /// As [`Self::lines`], except that an absent item is an empty list.
    async fn lines_if_any<T: FromStr>(&self, path: &str) -> Result<Vec<T>, ImdsError> {
        match self.lines(path).await {
            Err(ImdsError::Absent { .. }) => Ok(Vec::new()),
            other => other,
        }
    }
}

fn parse<T: FromStr>(path: &str, text: &str) -> Result<T, ImdsError> {
    text.trim().parse().map_err(|_| ImdsError::garbled(path, text))
}

fn failure(path: &str, error: &Sdk) -> ImdsError {
    let path = path.to_owned();
    match error {
        Sdk::ErrorResponse(context) => match context.response().status().as_u16() {
            404 => ImdsError::Absent { path },
            403 => ImdsError::Silent { path, answer: "refused (403): is IMDS switched off?".to_owned() },
            status => ImdsError::Silent { path, answer: format!("HTTP {status}") },
        },
        _ => ImdsError::Silent { path, answer: format!("no answer ({})", innermost(error)) },
    }
}

fn of_interface(mac: MacAddress, item: &str) -> String {
    format!("network/interfaces/macs/{mac}/{item}")
}

impl Imds for AwsImds {
    async fn instance_id(&self) -> Result<InstanceId, ImdsError> {
        self.value("instance-id").await
    }

    async fn region(&self) -> Result<String, ImdsError> {
        let path = "placement/region";
        let region = self.text(path).await?.trim().to_owned();
        // The value becomes part of a host name, and a wrong one part of signatures that AWS rejects.
        if is_region(&region) { Ok(region) } else { Err(ImdsError::garbled(path, &region)) }
    }

    async fn account(&self) -> Result<String, ImdsError> {
        let path = of_interface(self.primary_mac().await?, "owner-id");
        let account = self.text(&path).await?.trim().to_owned();
        let valid = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if valid { Ok(account) } else { Err(ImdsError::garbled(&path, &account)) }
    }

    async fn primary_mac(&self) -> Result<MacAddress, ImdsError> {
        self.value("mac").await
    }

    async fn macs(&self) -> Result<Vec<MacAddress>, ImdsError> {
        let path = "network/interfaces/macs/";
        match self.lines(path).await {
            // Every instance has one; an empty list would mean that nothing can be here.
            Ok(macs) if macs.is_empty() => Err(ImdsError::garbled(path, "")),
            other => other,
        }
    }

    async fn interface(&self, mac: MacAddress) -> Result<Interface, ImdsError> {
        let ips = of_interface(mac, "local-ipv4s");
        let (id, private_ips) = tokio::join!(self.interface_id(mac), self.lines_if_any(&ips));
        Ok(Interface { mac, id: id?, private_ips: private_ips? })
    }

    async fn interface_id(&self, mac: MacAddress) -> Result<InterfaceId, ImdsError> {
        self.value(&of_interface(mac, "interface-id")).await
    }

    /// # Source
    /// EC2 User Guide, "Instance metadata categories": `device-number`, `network-card`.
    async fn attachment(&self, mac: MacAddress) -> Result<Attachment, ImdsError> {
        let (index, card) = (of_interface(mac, "device-number"), of_interface(mac, "network-card"));
        let (index, card) = tokio::join!(self.value(&index), self.value(&card));
        let network_card = match card {
            Err(ImdsError::Absent { .. }) => 0,
            card => card?,
        };
        Ok(Attachment { device_index: index?, network_card })
    }

    async fn subnet(&self, mac: MacAddress) -> Result<Subnet, ImdsError> {
        let (id, cidr) = (of_interface(mac, "subnet-id"), of_interface(mac, "subnet-ipv4-cidr-block"));
        let (id, cidr) = tokio::join!(self.value(&id), self.value(&cidr));
        Ok(Subnet { id: id?, cidr: cidr? })
    }

    /// # Source
    /// EC2 User Guide, "Instance metadata categories": `vpc-ipv4-cidr-blocks`, `vpc-ipv6-cidr-blocks`.
    async fn vpc(&self, mac: MacAddress) -> Result<Vpc, ImdsError> {
        let (id, v4) = (of_interface(mac, "vpc-id"), of_interface(mac, "vpc-ipv4-cidr-blocks"));
        let v6 = of_interface(mac, "vpc-ipv6-cidr-blocks");
        let (id, v4, v6) = tokio::join!(self.value(&id), self.lines(&v4), self.lines_if_any::<IpNet>(&v6));
        let mut ranges: Vec<IpNet> = v4?;
        ranges.extend(v6?);
        Ok(Vpc { id: id?, ranges })
    }

    async fn association(&self, mac: MacAddress, public_ip: Ipv4Addr) -> Result<Vec<Ipv4Addr>, ImdsError> {
        let path = of_interface(mac, &format!("ipv4-associations/{public_ip}"));
        match self.lines(&path).await {
            Err(ImdsError::Absent { .. }) => Ok(Vec::new()),
            // An existing interface has a private address; an empty list is not a valid answer.
            Ok(private_ips) if private_ips.is_empty() => Err(ImdsError::garbled(&path, "")),
            other => other,
        }
    }

    async fn associations(&self, mac: MacAddress) -> Result<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>, ImdsError> {
        let mut found = Vec::new();
        for public_ip in self.lines_if_any(&of_interface(mac, "ipv4-associations/")).await? {
            found.push((public_ip, self.association(mac, public_ip).await?));
        }
        Ok(found)
    }
}
