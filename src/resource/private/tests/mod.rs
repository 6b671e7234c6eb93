//! What only a secondary private address has: a subnet, primary addresses, a network device, an Elastic IP on it.

// Test code: it fails by panicking.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::resource::tests::*;

mod assign;
mod device;
mod place;
mod validate;

type PrivateNode = Resource<Private>;
