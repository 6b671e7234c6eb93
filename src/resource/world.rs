//! What the actions work with, in the agent and in tests.

use crate::base::log::Log;
use crate::{cloud, host, state};

/// The services that an action works with: real ones in the agent, others in tests.
pub trait World {
    /// Client of the EC2 API, or a model of EC2.
    type Ec2: cloud::Ec2;
    /// Client of the metadata service, or a model of it.
    type Imds: cloud::Imds;
    /// Firmware, kernel and network devices of this host, or imitations.
    type Host: host::Host;
    /// Records of the resource on this node, in files or in memory.
    type Records: state::Records;

    /// The client of EC2, which serves every call of the action.
    fn ec2(&self) -> &Self::Ec2;
    /// Instance metadata.
    fn imds(&self) -> &Self::Imds;
    /// This host.
    fn host(&self) -> &Self::Host;
    /// The records of the resource.
    fn records(&self) -> &Self::Records;
    /// The log of this process, which also gets the exit reason.
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
