//! The simulator seen from outside: bytes on sockets, one file per subject.

mod control;
mod ec2;
mod faults;
mod imds;
mod lab;
mod latency;
mod routes;
mod signatures;
mod sts;
