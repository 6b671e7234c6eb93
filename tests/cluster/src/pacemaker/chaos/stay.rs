//! Which rounds give Pacemaker no reason to move the address, so that it has to stay where it is, untouched. Pure.

use super::failure::{Failure, Whom};
use super::plan::Strike;
use crate::pacemaker::{ELASTIC, ManagedAddress};

/// Returns whether the elastic IP has to stay with its holder through all of these, with no action but monitors anywhere.
///
/// Services that are ill are no reason: not EC2, not the metadata service, and not both together for less than the 20 s
/// that a monitor has. What happens to other nodes is none, as long as the holder keeps quorum, and unless a node that was
/// alone goes on believing so with nobody to stop it, as one of two does without fencing.
#[must_use]
pub fn must_stay(strikes: &[Strike], nodes: u8) -> bool {
    must_stay_of(&ELASTIC, Whom::Holder, strikes, nodes)
}

/// Returns the same of an address that a node holds with this role: what happens to other nodes, and to the other address, is no reason.
#[must_use]
pub fn must_stay_of(address: &ManagedAddress, holder: Whom, strikes: &[Strike], nodes: u8) -> bool {
    let is_holder = |whom| whom == holder || whom == Whom::All;
    let harmless = |strike: &Strike| match &strike.failure {
        failure if failure.is_of_services() => true,
        failure if failure.address().is_some_and(|only| only != address) => true,
        Failure::MovedTo
        | Failure::TakenAway
        | Failure::GivenTo
        | Failure::PrivateTakenAway
        | Failure::PrivateGivenTo
        | Failure::PathBroken => false,
        _ if is_holder(strike.whom) => false,
        // A Corosync that gets no time is a node that was alone, once it goes on.
        Failure::DaemonStopped("corosync") => nodes > 2,
        failure => nodes > 2 || !failure.leaves_node_alone(),
    };
    let lost = strikes.iter().filter(|strike| {
        strike.failure.takes_node_out() || strike.failure == Failure::DaemonStopped("corosync")
    });
    // Two nodes go on without quorum, three do not.
    strikes.iter().all(harmless) && (nodes == 2 || lost.count() <= 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sim::{FaultKind, ImdsState};

    use super::*;

    fn stays(nodes: u8, strikes: &[(Whom, Failure)]) -> bool {
        let (at, lasts) = (Duration::ZERO, Duration::from_secs(3));
        let strikes: Vec<_> = strikes
            .iter()
            .map(|(whom, failure)| Strike { at, lasts, whom: *whom, failure: failure.clone() })
            .collect();
        must_stay(&strikes, nodes)
    }

    #[test]
    fn a_holder_that_loses_the_services_keeps_the_address_and_one_that_loses_power_does_not() {
        let api = (Whom::All, Failure::ApiIll(FaultKind::Hang));
        assert!(stays(2, &[api.clone(), (Whom::Holder, Failure::MetadataIll(ImdsState::Off403))]));
        assert!(!stays(2, &[api, (Whom::Holder, Failure::PowerCut)]));
    }

    #[test]
    fn a_node_that_was_alone_may_take_it_without_quorum_and_may_not_with_it() {
        for failure in [Failure::PeersLost, Failure::NodeStopped, Failure::DaemonStopped("corosync")] {
            assert!(!stays(2, &[(Whom::Other(0), failure.clone())]), "{failure}");
            assert!(stays(3, &[(Whom::Other(0), failure.clone())]), "{failure}");
        }
        assert!(stays(2, &[(Whom::Other(0), Failure::PowerCut)]));
    }

    #[test]
    fn the_private_address_stays_through_what_happens_to_the_elastic_one_and_to_the_nodes_without_it() {
        let strike = |whom, failure| Strike { at: Duration::ZERO, lasts: Duration::ZERO, whom, failure };
        let stays = |failure, whom, holder| {
            must_stay_of(&crate::pacemaker::PRIVATE, holder, &[strike(whom, failure)], 3)
        };
        assert!(stays(Failure::TakenAway, Whom::All, Whom::Holder));
        assert!(!stays(Failure::PrivateTakenAway, Whom::All, Whom::Holder));
        assert!(stays(Failure::PowerCut, Whom::Holder, Whom::Other(1)));
        assert!(!stays(Failure::PowerCut, Whom::Other(1), Whom::Other(1)));
    }

    #[test]
    fn a_holder_that_loses_both_others_of_three_has_to_stop() {
        assert!(!stays(3, &[(Whom::Other(0), Failure::PowerCut), (Whom::Other(1), Failure::Left)]));
    }
}
