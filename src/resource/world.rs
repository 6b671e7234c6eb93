//! What the actions work with, in the agent and in tests.

use crate::base::log::Log;
use crate::{cloud, host, state};

/// The services that an action works with: real ones in the agent, others in tests.
pub trait World {
    /// EC2.
    type Ec2: cloud::Ec2;
    /// Instance metadata.
    type Imds: cloud::Imds;
    /// This host.
    type Host: host::Host;
    /// This node's records.
    type Records: state::Records;

    /// EC2.
    fn ec2(&self) -> &Self::Ec2;
    /// Instance metadata.
    fn imds(&self) -> &Self::Imds;
    /// This host.
    fn host(&self) -> &Self::Host;
    /// The records of the resource.
    fn records(&self) -> &Self::Records;
    /// Where to report.
    fn log(&self) -> &Log;
}

/// A [`World`] assembled from its parts.
#[derive(Debug)]
pub struct Parts<E, I, H, R> {
    /// EC2.
    pub ec2: E,
    /// Instance metadata.
    pub imds: I,
    /// This host.
    pub host: H,
    /// This node's records.
    pub records: R,
    /// Where to report.
    pub log: Log,
}

impl<E, I, H, R> World for Parts<E, I, H, R>
where
    E: cloud::Ec2,
    I: cloud::Imds,
    H: host::Host,
    R: state::Records,
{
    type Ec2 = E;
    type Imds = I;
    type Host = H;
    type Records = R;

    fn ec2(&self) -> &E {
        &self.ec2
    }
    fn imds(&self) -> &I {
        &self.imds
    }
    fn host(&self) -> &H {
        &self.host
    }
    fn records(&self) -> &R {
        &self.records
    }
    fn log(&self) -> &Log {
        &self.log
    }
}
