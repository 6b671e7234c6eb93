//! The built agent, outside a node: its path, and what it says about itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{CommandOutput, run};

/// Root folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/agent is two levels down")
        .to_owned()
}

/// The built agent: `EIP_BIN`, or else what `make agent` built.
///
/// # Panics
/// If it has not been built.
pub(crate) fn binary() -> PathBuf {
    std::path::absolute(agent_tests::binary()).expect("an absolute path")
}

/// Which form of the meta-data a caller requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetaDataForm {
    /// For callers that name no version, or an old one.
    V1_0,
    /// For Pacemaker 2.1 and later.
    V1_1,
}

impl MetaDataForm {
    pub(crate) const ALL: [Self; 2] = [Self::V1_0, Self::V1_1];

    /// The environment variables with which a caller requests this form.
    pub(crate) fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::V1_0 => &[],
            Self::V1_1 => &[("OCF_RA_VERSION_MAJOR", "1"), ("OCF_RA_VERSION_MINOR", "1")],
        }
    }
}

/// The meta-data as printed with nothing else in the environment.
pub(crate) fn meta_data(form: MetaDataForm) -> String {
    meta_data_of("eip", form)
}

/// The meta-data that the binary prints when called by this name.
pub(crate) fn meta_data_of(agent: &str, form: MetaDataForm) -> String {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(binary());
    let answer: CommandOutput =
        run(command.arg0(agent).arg("meta-data").env_clear().envs(form.variables().iter().copied()));
    answer.exits(0).without_complaint().stdout
}
