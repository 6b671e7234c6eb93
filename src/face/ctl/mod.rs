//! The face for a person: `eipctl`. It parses and renders; what an address is and how it moves is decided by the resource.

pub mod command;
mod options;

/// The name that the binary is called by for this face.
pub const NAME: &str = "eipctl";
