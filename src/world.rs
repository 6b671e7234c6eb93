//! The composition root: the only place that builds clients, host, records and runtime from settings. Every face uses it.

use std::fmt::Write as _;
use std::future::Future;
use std::time::{Duration, UNIX_EPOCH};

use crate::base::chain_of;
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::cloud::ec2::aws::AwsEc2;
use crate::cloud::imds::aws::{self, AwsImds};
use crate::cloud::settings::Settings;
use crate::cloud::{client, credentials};
use crate::host::{Host as _, SystemHost};
use crate::ocf::environment::Environment;
use crate::params::{ApiSettings, Timing};
use crate::resource::Parts;
use crate::resource::error::Error;
use crate::state::generations::Generations;
use crate::state::{Durable, FileRecords, Records as _};

/// AWS, this host, and the files of this node.
pub(crate) type RealWorld = Parts<AwsEc2, AwsImds, SystemHost, FileRecords>;

/// Builds the real services for the resource in `environment`. Makes no request yet.
///
/// Also returns warnings about the settings, one line each; the face decides whether they belong in the log.
///
/// # Errors
/// [`Error::Setup`] if no client can be built from the settings.
pub(crate) fn build(
    api: &ApiSettings,
    timing: &Timing,
    deadline: Deadline,
    environment: &Environment,
    log: &Log,
) -> Result<(RealWorld, Vec<String>), Error> {
    let (mut clients, warnings) = settings(api, timing, environment, deadline.budget());
    let records = records(environment, log);
    let here = host().instance_id();
    let durable = records.durable();
    // A disk from another instance may be of another region.
    let own = durable.instance.is_none() || here.is_none() || durable.instance == here;
    let durable = if own { durable } else { Durable::default() };
    clients.region_hint = durable.pair.and_then(|pair| pair.region).or(durable.region);
    let metadata = aws::client(&clients).map_err(Error::Setup)?;
    let imds = AwsImds::new(metadata.clone(), &clients, log.clone());
    let world = Parts {
        ec2: AwsEc2::new(clients, metadata, imds.clone(), log.clone()),
        imds,
        host: host(),
        records,
        log: log.clone(),
    };
    Ok((world, warnings))
}

/// How AWS is reached, and one warning for each variable or profile setting whose value is ignored.
pub(crate) fn settings(
    api: &ApiSettings,
    timing: &Timing,
    environment: &Environment,
    budget: Duration,
) -> (Settings, Vec<String>) {
    let (mut settings, mut warnings) = Settings::new(api, timing, environment, budget);
    warnings.extend(credentials::complete(&mut settings));
    (settings, warnings)
}

/// The client for a webhook that is not of AWS, with the certificate authorities of this file or the system's.
///
/// # Errors
/// A sentence about the certificates.
pub(crate) fn webhook(ca_bundle: Option<&str>, limit: Duration) -> Result<client::Webhook, String> {
    client::webhook(&Settings { ca_bundle: ca_bundle.map(Into::into), ..Settings::default() }, limit)
}

/// The records of the resource that `environment` names.
pub(crate) fn records(environment: &Environment, log: &Log) -> FileRecords {
    FileRecords::new(environment, log)
}

/// The host that this process runs on.
pub(crate) fn host() -> SystemHost {
    SystemHost::default()
}

/// The time since 1970.
pub(crate) fn now() -> Duration {
    host().now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The generations of processes for the resource that `environment` names.
pub(crate) fn generations(environment: &Environment) -> Generations {
    Generations::new(environment, host().boot_id())
}

/// Runs a piece of work until it ends, or until shortly after the deadline.
///
/// # Errors
/// Those of the work; [`Error::OutOfTime`] if it does not keep the deadline itself, [`Error::Setup`] if there is no runtime.
pub(crate) fn run<T>(deadline: Deadline, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Setup(format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(async {
        // Every part of an action keeps the deadline by itself; this is for one that does not.
        // Boxed, because the futures of the SDK's calls are large.
        match deadline.with_grace().bound(Box::pin(work)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::OutOfTime(deadline.budget())),
        }
    });
    // Not dropped, because dropping waits for a hanging name lookup.
    runtime.shutdown_background();
    outcome
}

/// Prints an error as the exit reason, and logs the details that the reason leaves out.
pub(crate) fn give_reason(error: &Error, log: &Log) {
    log.exit_reason(error);
    let whole = in_full(error);
    if whole != error.to_string() {
        log.info(whole);
    }
}

/// An error with its causes, EC2's message and the request id, on one line for the log.
pub(crate) fn in_full(error: &Error) -> String {
    let mut text = chain_of(error);
    if let Error::Ec2(ec2) | Error::BothSilent { ec2, .. } = error {
        for (name, value) in [("message", &ec2.message), ("request id", &ec2.request_id)] {
            if let Some(value) = value {
                let _ = write!(text, "; {name}: {value}");
            }
        }
    }
    text
}
