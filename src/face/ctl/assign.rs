//! `eipctl assign ADDRESS INSTANCE`: assigns a secondary private address to any instance of the account, from
//! anywhere.
//!
//! The order of the arguments is that of the old `assign_private_ip.sh ADDRESS INSTANCE`; a link of that name to the
//! binary replaces the script.

use super::call::{Failure, Invocation, print};
use crate::base::ids::{IdError, InstanceId};
use crate::params::{InterfaceSelector, VipParams, table};
use crate::resource::by_hand::BY_HAND;
use crate::resource::private::{Assigned, Private};
use crate::resource::{Action, Request, op};

/// Names of the script that the binary can replace.
const SCRIPTS: [&str; 2] = ["assign_private_ip.sh", "assign_private_ip"];

/// Whether the binary was called under the script's name.
pub(in crate::face) fn is_script(name: &str) -> bool {
    SCRIPTS.contains(&name)
}

pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    // Validated like the agent's parameters.
    let mut raw = invocation.parameters(table::VIP);
    raw.insert("secondary_private_ip".to_owned(), invocation.text("address").unwrap_or_default().to_owned());
    let params = VipParams::parse(&raw)
        .map_err(|error| Failure::Usage(error.to_string().replace("secondary_private_ip", "ADDRESS")))?;
    if let InterfaceSelector::Device(_) | InterfaceSelector::Mac(_) = params.interface {
        // Device names and MAC addresses of another machine cannot be resolved from here.
        let text = "interface of another machine: expected its eni-... id or its device index";
        return Err(Failure::Usage(text.to_owned()));
    }
    let text = invocation.text("instance").unwrap_or_default();
    let wrong = |error: IdError| Failure::Usage(format!("INSTANCE={text}: expected {}", error.expected()));
    let instance = InstanceId::parse(text).map_err(wrong)?;
    let world = invocation.world(BY_HAND, &params.api, &params.timing)?;
    let address = params.address;
    let request = Request { action: Action::Start, params, deadline: invocation.deadline, nodes: Vec::new() };
    match invocation.run(op::<Private, _>(&world, &request).assign_to(&instance))? {
        Assigned::Already(eni) => print(&format!("{address} is on {eni} already\n")),
        Assigned::Now { to, from } => {
            let travels = to.address(address).and_then(|address| address.public_ip);
            let travels = travels.map(|ip| format!("Elastic IP {ip} moves with it\n")).unwrap_or_default();
            let from = from.map(|eni| format!(", from {eni}")).unwrap_or_default();
            print(&format!("{address} assigned to {to}{from}\n{travels}"))
        }
    }
}
