//! A small, exact EC2, STS and `IMDSv2` for tests: with faults, lag, latency, throttling and a request log.
//!
//! [`Sim`] runs the servers, [`Cloud`] builds the account, sets what goes wrong, and tells what happened.
//! It knows one account, one Region and one VPC, and of EC2 only what an agent that moves an Elastic IP can see.

// Building and breaking the world is done for its effect; the identifiers it returns are often of no use.
#![allow(clippy::must_use_candidate)]

mod buckets;
mod clock;
mod cloud;
mod config;
mod control;
mod credentials;
mod data_plane;
mod ec2;
mod error;
mod exchange;
mod faults;
mod fleet;
mod http;
mod iam;
mod ids;
mod imds;
mod log;
mod netns;
mod query;
mod sigv4;
mod sim;
mod sts;
mod tls;
mod world;

pub use crate::{
    buckets::{Buckets, Fill, Rate},
    cloud::{Cloud, InstanceSpec, InterfaceSpec, Which},
    config::Config,
    credentials::CredState,
    error::ApiError,
    faults::{Fault, FaultId, FaultKind},
    fleet::{Address, AddressRef, Association, Cidr, Holder, Instance, InstanceState, Interface, Subnet},
    ids::{AllocationId, AssociationId, InstanceId, InterfaceId, SubnetId},
    imds::ImdsState,
    log::{Request, Service},
    netns::Bind,
    sim::Sim,
    tls::{Tls, Validity},
    world::{HolderChange, PrivateIpChange},
};
