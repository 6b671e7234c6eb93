//! The kinds of address, for what every kind has to pass.

use agent_tests::{Isolation, Node, Run, Setup, World};
use aws_sim::InstanceId;

use crate::vip_world::{self, VIP};

/// A kind of address.
pub(crate) struct Kind {
    /// Its agent's name.
    pub(crate) name: &'static str,
    /// The EC2 action that tells who holds the address.
    pub(crate) describe: &'static str,
    /// The EC2 action that takes it.
    pub(crate) take: &'static str,
    /// The EC2 action that releases it.
    pub(crate) release: &'static str,
    /// The parameter that allows a start to take it from a holder.
    pub(crate) may_take: &'static str,
    /// The parameter that names the address.
    pub(crate) address: &'static str,
    setup: fn() -> Setup,
    run: fn(Run) -> Run,
    give: fn(&World, &Node),
    holder: fn(&World) -> Option<(InstanceId, String)>,
}

/// All of them.
pub(crate) static KINDS: [Kind; 2] = [
    Kind {
        name: "eip",
        describe: "DescribeAddresses",
        take: "AssociateAddress",
        release: "DisassociateAddress",
        may_take: "allow_reassociation",
        address: "elastic_ip",
        setup: World::setup,
        run: |run| run,
        give: World::give,
        holder: |world| {
            let holder = world.cloud.holder(&world.address)?;
            Some((holder.instance, holder.association_id.to_string()))
        },
    },
    Kind {
        name: "vip",
        describe: "DescribeNetworkInterfaces",
        take: "AssignPrivateIpAddresses",
        release: "UnassignPrivateIpAddresses",
        may_take: "allow_reassignment",
        address: "secondary_private_ip",
        setup: vip_world::setup,
        run: |run| run.vip(VIP),
        give: |world, node| world.cloud.assign_private_ip(node.eni(), VIP),
        holder: |world| world.cloud.private_holder(VIP).map(|(instance, eni)| (instance, eni.to_string())),
    },
];

/// Two nodes that can hold an address of some kind.
pub(crate) struct Scene {
    pub(crate) kind: &'static Kind,
    pub(crate) world: World,
    pub(crate) here: Node,
    pub(crate) peer: Node,
}

impl Kind {
    /// Makes two nodes, neither of which holds the address.
    pub(crate) fn scene(&'static self) -> Scene {
        self.make((self.setup)())
    }

    /// Makes them in namespaces of their own.
    pub(crate) fn scene_inside(&'static self, isolation: Isolation) -> Scene {
        self.make((self.setup)().inside(isolation))
    }

    fn make(&'static self, setup: Setup) -> Scene {
        let (world, [here, peer]) = setup.make();
        Scene { kind: self, world, here, peer }
    }
}

impl Scene {
    /// Makes a run of the agent of the address's kind.
    pub(crate) fn run(&self, run: Run) -> Run {
        (self.kind.run)(run)
    }

    /// Gives the address to a node, as an administrator does.
    pub(crate) fn give(&self, node: &Node) {
        (self.kind.give)(&self.world, node);
    }

    /// The instance that holds the address, and what differs when it takes the address once more.
    pub(crate) fn holder(&self) -> Option<(InstanceId, String)> {
        (self.kind.holder)(&self.world)
    }

    /// Asserts that this node holds the address.
    #[track_caller]
    pub(crate) fn held_by(&self, node: &Node) {
        assert_eq!(self.holder().map(|(instance, _)| instance).as_ref(), Some(node.id()));
    }
}
