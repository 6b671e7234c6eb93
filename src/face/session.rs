//! The real world, put together for one call, and the runtime in which something is done in it. For every face.

use std::fmt::Write as _;
use std::future::Future;

use crate::cloud::client;
use crate::cloud::ec2::aws::AwsEc2;
use crate::cloud::imds::aws::AwsImds;
use crate::cloud::settings::Settings;
use crate::deadline::Deadline;
use crate::error::{Error, chain_of};
use crate::host::SystemHost;
use crate::ocf::environment::Environment;
use crate::ocf::log::Log;
use crate::params::{ApiSettings, Timing};
use crate::resource::Parts;
use crate::state::{FileRecords, Records as _};

/// AWS, this host, and the files of this node.
pub(super) type RealWorld = Parts<AwsEc2, AwsImds, SystemHost, FileRecords>;

/// Puts the real world together for the resource that `environment` is about. Nothing is asked of anybody yet.
///
/// With it comes what is strange about the settings, a line each; whether that belongs in the log is the face's to say.
///
/// # Errors
/// [`Error::Unasked`] where no client can be made of the settings.
pub(super) fn world(
    api: &ApiSettings,
    timing: &Timing,
    deadline: Deadline,
    environment: &Environment,
    log: &Log,
) -> Result<(RealWorld, Vec<String>), Error> {
    let (mut settings, warnings) = Settings::new(api, timing, environment, deadline.budget());
    let records = FileRecords::new(environment, log);
    let durable = records.durable();
    settings.region_hint = durable.pair.and_then(|pair| pair.region).or(durable.region);
    let metadata = client::imds(&settings).map_err(Error::Unasked)?;
    let world = Parts {
        ec2: AwsEc2::new(settings, metadata.clone(), log.clone()),
        imds: AwsImds::new(metadata, log.clone()),
        host: SystemHost::default(),
        records,
        log: log.clone(),
    };
    Ok((world, warnings))
}

/// Drives a piece of work to its end, or to shortly after the deadline.
///
/// # Errors
/// Those of the work; [`Error::OutOfTime`] where it did not keep the deadline itself, [`Error::Unasked`] where it could not begin.
pub(super) fn run<T>(deadline: Deadline, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Unasked(format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(async {
        // Every part of an action keeps the deadline by itself; this is for the one that does not.
        // Boxed, because the futures of the SDK's calls are large.
        match deadline.with_grace().bound(Box::pin(work)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::OutOfTime(deadline.budget())),
        }
    });
    // Not dropped, because dropping waits for a name look-up that hangs.
    runtime.shutdown_background();
    outcome
}

/// Returns an error with its causes, and EC2's own sentence and request id, in one line for the log.
pub(super) fn in_full(error: &Error) -> String {
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
