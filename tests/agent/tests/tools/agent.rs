//! The built agent, outside a node: where it is, and what it says about itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{CommandOutput, run};

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/agent is two levels down")
        .to_owned()
}

/// Returns the built agent: `EIP_BIN`, else what `make agent` leaves.
///
/// # Panics
/// Where it has not been built.
pub(crate) fn binary() -> PathBuf {
    std::path::absolute(agent_tests::binary()).expect("an absolute path")
}

/// Which form of the meta-data a caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetaDataForm {
    /// Of callers that name no version, or an old one.
    V1_0,
    /// Of Pacemaker 2.1 and later.
    V1_1,
}

impl MetaDataForm {
    /// All there are.
    pub(crate) const ALL: [Self; 2] = [Self::V1_0, Self::V1_1];

    /// Returns the variables with which a caller asks for this form.
    pub(crate) fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::V1_0 => &[],
            Self::V1_1 => &[("OCF_RA_VERSION_MAJOR", "1"), ("OCF_RA_VERSION_MINOR", "1")],
        }
    }
}

/// Returns the meta-data as the agent prints it, with nothing else in the environment.
pub(crate) fn meta_data(form: MetaDataForm) -> String {
    meta_data_of("eip", form)
}

/// Returns the meta-data of the agent of this name, as the binary prints it when it is called so.
pub(crate) fn meta_data_of(agent: &str, form: MetaDataForm) -> String {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(binary());
    let answer: CommandOutput =
        run(command.arg0(agent).arg("meta-data").env_clear().envs(form.variables().iter().copied()));
    answer.exits(0).without_complaint().stdout
}
