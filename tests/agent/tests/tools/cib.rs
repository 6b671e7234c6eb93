//! The cluster's configuration on a node that runs no cluster: a file, which most tools accept in place of the live one, and
//! Pacemaker's daemon for the rest.

use std::time::{Duration, Instant};

use crate::node::PacemakerNode;
use crate::program::{CommandOutput, file_of};
use crate::xml;

/// With quorum and without fencing; otherwise crmsh has more to say about the cluster than about the agent.
const EMPTY: &str = r#"<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="false"/>
      </cluster_property_set>
    </crm_config>
    <nodes><node id="1" uname="node1"/></nodes>
    <resources/>
    <constraints/>
  </configuration>
  <status/>
</cib>
"#;

/// A configuration file in a node.
#[derive(Debug)]
pub(crate) struct CibFile<'a> {
    node: &'a PacemakerNode,
    path: String,
}

impl<'a> CibFile<'a> {
    /// Writes an empty configuration.
    pub(crate) fn new(node: &'a PacemakerNode) -> Self {
        let path = "/mnt/cib.xml".to_owned();
        node.write(&path, EMPTY);
        Self { node, path }
    }

    /// Its path in the node.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Runs `pcs -f FILE`. pcs passes on little of its environment.
    #[track_caller]
    pub(crate) fn pcs(&self, arguments: &[&str]) -> CommandOutput {
        self.node.run("pcs", &[&["-f", &self.path], arguments].concat())
    }

    /// Creates the resource `eip` with pcs, as its documents show it: with the agent's own validation.
    #[track_caller]
    pub(crate) fn create(&self, parameters: &[&str]) -> CommandOutput {
        let create = ["resource", "create", "eip", "ocf:heartbeat:eip"];
        self.pcs(&[&create, parameters, &["--agent-validation"]].concat())
    }

    /// Runs `crm_resource` on the configuration.
    #[track_caller]
    pub(crate) fn crm_resource(&self, arguments: &[&str]) -> CommandOutput {
        self.with("crm_resource", arguments)
    }

    /// Runs crmsh on the configuration, without colours.
    #[track_caller]
    pub(crate) fn crm(&self, arguments: &[&str]) -> CommandOutput {
        self.with("crm", &[&["--display", "plain"], arguments].concat())
    }

    fn with(&self, program: &str, arguments: &[&str]) -> CommandOutput {
        self.node.run_with(&[format!("CIB_file={}", self.path)], program, arguments)
    }

    /// The current configuration.
    pub(crate) fn text(&self) -> String {
        self.node.read(&self.path)
    }

    pub(crate) fn resources(&self) -> Vec<String> {
        xml::values(&self.text(), "//primitive/@id")
    }

    /// Value of a resource's parameter, empty if it is not set.
    pub(crate) fn parameter(&self, resource: &str, name: &str) -> String {
        xml::string(
            &self.text(),
            &format!("//primitive[@id='{resource}']/instance_attributes/nvpair[@name='{name}']/@value"),
        )
    }

    /// Serves the current configuration as the live one: `pcs resource debug-...` accepts nothing else.
    ///
    /// Pacemaker's own CIB daemon does it, without a cluster around it that has to agree to changes. It ends with the node.
    ///
    /// # Panics
    /// If it does not answer within ten seconds.
    #[track_caller]
    pub(crate) fn serve(&self) {
        let path = "/var/lib/pacemaker/cib/cib.xml";
        self.node.write(path, &self.text());
        self.node.run("chown", &["hacluster:haclient", path]).exits(0);
        let places = ["/usr/lib/pacemaker/pacemaker-based", "/usr/libexec/pacemaker/pacemaker-based"];
        let quiet = ["PCMK_logfacility=none", "PCMK_logfile=none"];
        self.node.spawn(&quiet, &file_of("pacemaker", &places), &["--stand-alone"]);
        let limit = Instant::now() + Duration::from_secs(10);
        loop {
            let answer = self.node.run("cibadmin", &["--query", "--local"]);
            if answer.code == 0 {
                return;
            }
            assert!(Instant::now() < limit, "the CIB daemon does not answer\n{}", answer.told());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
