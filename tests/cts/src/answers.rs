//! How Pacemaker's executor interprets each result of an agent. cts-exec-helper makes the calls, the simulator provides the
//! situations.

use std::time::Duration;

use aws_sim::FaultKind;
use cluster::error::{HarnessError, Result};
use cluster::pacemaker::{ManagedAddress, OVERLAY, PRIVATE, PacemakerCluster};
use cluster::topology::{ELASTIC_IP, NodeName, PRIVATE_VIP};
use cluster::wait::{Polled, until};

use crate::{ADDRESSES, lead_to, parameters};

/// The folder of Pacemaker's daemons, and of the helper.
const DAEMONS: &str = "/usr/lib/pacemaker";
/// An action's timeout, in milliseconds.
const TIMEOUT: &str = "9000";
/// For the helper, which waits for as long as the action's timeout.
const LIMIT: Duration = Duration::from_secs(30);

/// What happens to the address before an action.
#[derive(Debug, Clone, Copy)]
enum Before {
    Nothing,
    /// Another node takes it.
    Taken,
    /// EC2 accepts connections and never answers.
    Silent,
}

/// One call: situation, what happens before it, action, whether with parameters, and the executor's result. Each begins as the previous one
/// ended. An action that the executor had to kill is not `Done`, but `Timed out`.
const CALLS: [(&str, Before, &str, bool, &str); 11] = [
    ("a probe of an address that is unassigned", Before::Nothing, "monitor", true, "not running"),
    ("start", Before::Nothing, "start", true, "ok"),
    ("start again", Before::Nothing, "start", true, "ok"),
    ("monitor", Before::Nothing, "monitor", true, "ok"),
    ("reload", Before::Nothing, "reload-agent", true, "ok"),
    ("an action that the agent does not have", Before::Nothing, "promote", true, "unimplemented"),
    ("start without an address", Before::Nothing, "start", false, "not configured"),
    ("monitor when another node has taken it", Before::Taken, "monitor", true, "not running"),
    ("stop when another node has it", Before::Nothing, "stop", true, "ok"),
    ("start while EC2 is silent", Before::Silent, "start", true, "error occurred"),
    ("stop while EC2 is silent", Before::Silent, "stop", true, "ok"),
];

/// Number of calls for an agent.
pub const COUNT: usize = CALLS.len();

/// Starts an executor on the first node and makes all calls of every agent; returns how many had another result.
///
/// # Errors
/// If the executor does not start, or on a signal.
pub fn run(cluster: &mut PacemakerCluster) -> Result<usize> {
    let mut nodes = cluster.nodes().into_iter();
    let (Some(node), Some(other)) = (nodes.next(), nodes.next()) else {
        return Err(HarnessError::Wrong("two nodes are needed".into()));
    };
    cluster
        .node_mut(node)?
        .daemon("execd", &[&format!("{DAEMONS}/pacemaker-execd"), "-l", "/var/log/execd.log"])?;
    until("the executor", LIMIT, || {
        Polled::tolerant(
            helper(cluster, node, &["-c", "list_ocf_providers"])
                .and_then(|(well, said)| if well { Ok(()) } else { Err(HarnessError::Wrong(said)) }),
        )
    })?;
    let mut failed = 0;
    for address in ADDRESSES {
        let agent = address.agent;
        let id = format!("answers-{agent}");
        helper(
            cluster,
            node,
            &["-c", "register_rsc", "-r", &id, "-t", TIMEOUT, "-C", "ocf", "-P", "heartbeat", "-T", agent],
        )?;
        let mut parameters = parameters(address);
        // The controller passes on the timeout, too.
        parameters.push(("CRM_meta_timeout", TIMEOUT.to_owned()));
        let parameters: Vec<&str> =
            parameters.iter().flat_map(|(name, value)| ["-k", *name, "-v", value]).collect();
        for (situation, before, action, with_parameters, result) in CALLS {
            prepare(cluster, before, address, other)?;
            let event = format!(
                "NEW_EVENT event_type:exec_complete rsc_id:{id} action:{action} rc:{result} op_status:Done"
            );
            let call = ["-V", "-c", "exec", "-r", &id, "-a", action, "-t", TIMEOUT, "-l", &event];
            let words = [&call[..], if with_parameters { &parameters } else { &[] }].concat();
            let (mut well, said) = helper(cluster, node, &words)?;
            cluster.world().heal();
            // The node that took the address keeps it, whatever this node does.
            let holder = cluster.world().holder_of(address.ip);
            well &= !situation.ends_with("another node has it") || holder == Some(other);
            println!("executor: {agent}: {situation}: {}", if well { result } else { "FAILED" });
            if !well {
                failed += 1;
                println!("expected: {event}; the address is on {holder:?}\n{said}");
            }
        }
    }
    Ok(failed)
}

fn prepare(
    cluster: &PacemakerCluster,
    before: Before,
    address: &ManagedAddress,
    other: NodeName,
) -> Result<()> {
    let world = cluster.world();
    match before {
        Before::Nothing => Ok(()),
        Before::Taken if *address == OVERLAY => {
            let eni = world.cloud().interface_with(other.address());
            let eni = eni.ok_or_else(|| HarnessError::Wrong(format!("{other} has no interface")))?;
            lead_to(cluster, eni.as_str());
            Ok(())
        }
        Before::Taken if *address == PRIVATE => world.assign_private(PRIVATE_VIP, other),
        Before::Taken => world.associate(ELASTIC_IP, other),
        Before::Silent => {
            world.break_api(&FaultKind::Hang);
            Ok(())
        }
    }
}

/// Runs the helper in a node. Returns whether it received the event that it listened for, and its output.
fn helper(cluster: &PacemakerCluster, node: NodeName, words: &[&str]) -> Result<(bool, String)> {
    let program = format!("{DAEMONS}/cts-exec-helper");
    let words: Vec<&str> = std::iter::once(program.as_str()).chain(words.iter().copied()).collect();
    let output = cluster.node(node)?.command(&words)?.limit(LIMIT).output()?;
    Ok((output.status.success(), format!("{}{}", output.stdout, output.stderr)))
}
