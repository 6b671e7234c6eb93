//! The crate's model of EC2 on the wire, for tests: HTTP, signatures, STS, `IMDSv2`, the data plane, latency and a request log.
//!
//! [`Sim`] runs the servers. [`Cloud`] is the handle on the model's [`Account`], through which tests build it, set faults and
//! read what happened, and on the state that the wire adds.

mod clock;
mod cloud;
mod control;
mod credentials;
mod data_plane;
mod ec2;
mod exchange;
mod http;
mod iam;
mod imds;
mod log;
mod netns;
mod query;
mod sigv4;
mod sim;
mod sts;
mod tls;
mod world;

pub use eip::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, RouteTableId};
pub use eip::cloud::model::{
    Account, Allocated as Address, ApiError, Buckets, CallRecord, ElasticIpHolder, Fault, FaultId, FaultKind,
    HolderChange, Instance, InstanceSpec, InstanceState, InterfaceSpec, Lag, NetworkInterface,
    PrivateIpChange, Rate, Reads, RouteTableSpec, Service, parsed,
};

pub use crate::{
    cloud::{Cloud, Which},
    credentials::CredState,
    imds::ImdsState,
    log::LoggedRequest,
    netns::Bind,
    sim::Sim,
    tls::{Tls, Validity},
};
