//! The simulator seen from outside: bytes on sockets, one file per subject.

mod control;
mod data_plane;
mod ec2;
mod faults;
mod imds;
mod lab;
mod lag;
mod program;
mod routes;
mod signatures;
mod sts;
mod throttling;
mod tls;
