//! Queries common to all cases.

use cluster::error::{HarnessError, Result, ensure};
use cluster::pacemaker::RESOURCE;
use cluster::topology::{ELASTIC_IP, NodeName};
use cluster::wait::{Epoch, Polled, now, until};

use super::Tool;
use super::stage::{SETTLE_LIMIT, Stage};
use crate::configuration::ConfigurationLines;
use crate::script::Script;

/// How long a client may be without an answer on a busy machine while the address is there: a restart takes longer. In seconds.
const BUSY: f64 = 0.5;

impl Stage {
    /// Waits for a settled cluster without failures on record and returns the active node.
    pub(super) fn settle(&self, expected: Option<NodeName>) -> Result<NodeName> {
        let active = self.cluster().settle(expected, SETTLE_LIMIT)?;
        self.cluster().ensure_no_failures()?;
        Ok(active)
    }

    /// Waits until the address is settled on a node other than `from`, and returns that node.
    pub(super) fn wait_moved(&self, from: NodeName) -> Result<NodeName> {
        until("another holder", SETTLE_LIMIT, || {
            let holder = self.cluster().world().holder();
            let moved = holder.is_some_and(|holder| holder != from);
            Ok(if moved { Polled::There(()) } else { Polled::NotYet(format!("{holder:?}")) })
        })?;
        let active = self.cluster().settle(None, SETTLE_LIMIT)?;
        ensure(active != from, || format!("back on {from}"))?;
        Ok(active)
    }

    /// Waits until a resource other than the address itself is active on exactly this many nodes, and returns them.
    pub(super) fn wait_started(&self, resource: &str, copies: usize) -> Result<Vec<String>> {
        let first = self.first()?;
        until(&format!("{resource} started"), SETTLE_LIMIT, || {
            let status = self.cluster().status(first)?;
            let found: Vec<_> = status.resources.iter().filter(|found| found.id == resource).collect();
            let well = found.iter().filter(|found| found.role == "Started" && found.flags.is_empty());
            let nodes: Vec<_> = well.flat_map(|found| found.nodes.clone()).collect();
            Ok(if nodes.len() == copies {
                Polled::There(nodes)
            } else {
                Polled::NotYet(format!("{found:?}"))
            })
        })
    }

    /// Moves the address to the other node and asserts that it was never without a holder.
    ///
    /// Not after an example for pcs 0.9: that configures the same as the one for pcs 0.10, on the same Pacemaker.
    pub(super) fn move_without_a_gap(&self) -> Result<()> {
        if self.tool() == Tool::Pcs09 {
            return Ok(());
        }
        let from = self.settle(None)?;
        let to = self.other(from)?;
        let began = now();
        // Away from its node, not to the other one: no preference for a node outweighs a stickiness of INFINITY.
        let away = match self.tool() {
            Tool::Pcs | Tool::Pcs09 => ["pcs", "resource", "move", RESOURCE].as_slice(),
            Tool::Crmsh => &["env", "HOME=/root", "crm", "resource", "ban", RESOURCE],
        };
        self.cluster().run(away)?;
        self.settle(Some(to))?;
        let holders = self.holders_since(began);
        ensure(holders == [Some(to)], || format!("holders during a planned move to {to}: {holders:?}"))?;
        self.ensure_answered(began, &[from, to])?;
        self.cluster().run(&["crm_resource", "--clear", "-r", RESOURCE])?;
        self.settle(Some(to)).map(drop)
    }

    /// Asserts that since `from` every client was answered all the time, by these nodes one after the other.
    pub(super) fn ensure_answered(&self, from: Epoch, by: &[NodeName]) -> Result<()> {
        let ip = self.cluster().layout().address();
        let heard = self.cluster().voices(ip, from);
        ensure(heard.iter().all(|heard| heard == by), || {
            format!("the clients were answered by {heard:?}, not by {by:?}")
        })?;
        let gap = self.cluster().outage(ip, from, now()).longest;
        ensure(gap < BUSY, || format!("a client was without an answer for {gap:.2} s"))
    }

    /// Asserts that since `from` the address has not moved, no action except monitors was run, and EC2 got no mutating call.
    pub(super) fn ensure_no_downtime(&mut self, from: Epoch) -> Result<()> {
        self.cluster_mut().ensure_untouched(from)?;
        let requests = self.cluster().world().requests_since(from);
        // A dry run, which validation makes, is answered with 412.
        let calls: Vec<_> = self.cluster().addresses().iter().flat_map(|address| address.calls).collect();
        let writes = requests
            .iter()
            .filter(|request| calls.iter().any(|call| request.is(call)) && request.status != 412);
        let writes: Vec<_> = writes.map(|request| &request.operation).collect();
        ensure(writes.is_empty(), || format!("EC2 got {writes:?}"))
    }

    /// Allocation id of the address.
    pub(super) fn allocation(&self) -> Result<String> {
        let address = self.cluster().world().cloud().address(ELASTIC_IP);
        address
            .map(|address| address.allocation.to_string())
            .ok_or_else(|| HarnessError::Wrong(format!("{ELASTIC_IP} is not allocated")))
    }

    /// The current configuration.
    pub(super) fn configuration(&self) -> Result<ConfigurationLines> {
        ConfigurationLines::parse(&self.cluster().run(&[
            "cibadmin",
            "--query",
            "--scope",
            "configuration",
        ])?)
    }

    /// Runs a script in the first node and asserts that it makes the named changes, and no others.
    pub(super) fn run_changing(&self, script: &Script, named: &[impl AsRef<str>]) -> Result<String> {
        let before = self.configuration()?;
        let output = self.run(script)?;
        before.ensure_became(&self.configuration()?, named)?;
        Ok(output)
    }

    /// Validates the configuration with the agents: `crm_resource --validate` of each resource that uses one.
    pub(super) fn validate(&self) -> Result<()> {
        let resources = self.elements("primitive", "//primitive[@class='ocf']")?;
        ensure(!resources.is_empty(), || "there is no resource".into())?;
        for resource in resources {
            // By its type and parameters, not by its id: a cloned resource is not found by that.
            let mut words = vec!["crm_resource".to_owned(), "--validate".to_owned()];
            for (option, name) in [("--class", "class"), ("--provider", "provider"), ("--agent", "type")] {
                words.extend([option.to_owned(), attribute(&resource, name)]);
            }
            let id = attribute(&resource, "id");
            let parameters = format!("//primitive[@id='{id}']/instance_attributes/nvpair");
            for parameter in self.elements("nvpair", &parameters)? {
                let value = format!("{}={}", attribute(&parameter, "name"), attribute(&parameter, "value"));
                words.extend(["--option".to_owned(), value]);
            }
            self.cluster().run(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// Attributes of each element of the CIB that an `XPath` finds.
    fn elements(&self, name: &str, xpath: &str) -> Result<Vec<String>> {
        let found = self.cluster().run(&["cibadmin", "--query", "--xpath", xpath])?;
        let start = format!("<{name} ");
        let elements = found.split(&start).skip(1);
        Ok(elements.filter_map(|text| text.split('>').next()).map(str::to_owned).collect())
    }

    /// The holders of the address since `from`, in order.
    pub(super) fn holders_since(&self, from: Epoch) -> Vec<Option<NodeName>> {
        let history = self.cluster().world().history();
        history.into_iter().filter(|held| held.at >= from).map(|held| held.by).collect()
    }
}

/// Value of one of an element's attributes; empty if it is absent. None of the examples has one that is quoted in XML.
fn attribute(element: &str, name: &str) -> String {
    let after = element.split_once(&format!(r#"{name}=""#)).map(|(_, after)| after);
    after.and_then(|after| after.split('"').next()).unwrap_or_default().to_owned()
}
