//! Which rounds give Pacemaker no reason to move the address, so that it has to stay where it is, undisturbed. Pure.

use super::failure::{Disruption, Whom};
use super::plan::PlannedStrike;
use crate::pacemaker::{ELASTIC, ManagedAddress};

/// True if the elastic IP has to stay with its holder through all of these, with no action except monitors anywhere.
///
/// Failing services are no reason: neither EC2, nor the metadata service, nor both together for less than the 20 s that a monitor
/// has. Failures of other nodes are no reason either, as long as the holder keeps quorum, and unless a node that was alone keeps
/// believing so with nothing to stop it, as happens with two nodes without fencing.
pub fn must_stay(strikes: &[PlannedStrike], nodes: u8) -> bool {
    must_stay_of(&ELASTIC, Whom::Holder, strikes, nodes)
}

/// The same for an address that a node holds with this role: failures of other nodes, and of the other address, are no reason.
pub fn must_stay_of(address: &ManagedAddress, holder: Whom, strikes: &[PlannedStrike], nodes: u8) -> bool {
    let is_holder = |whom| whom == holder || whom == Whom::All;
    let harmless = |strike: &PlannedStrike| match &strike.failure {
        failure if failure.is_of_services() => true,
        failure if failure.address().is_some_and(|only| only != address) => true,
        Disruption::MovedTo
        | Disruption::TakenAway
        | Disruption::GivenTo
        | Disruption::PrivateTakenAway
        | Disruption::PrivateGivenTo
        | Disruption::RouteTaken
        | Disruption::RoutesGivenTo
        | Disruption::PathBroken => false,
        _ if is_holder(strike.whom) => false,
        // A Corosync without CPU time is a node that was alone, once it continues.
        Disruption::DaemonStopped("corosync") => nodes > 2,
        failure => nodes > 2 || !failure.leaves_node_alone(),
    };
    let lost = strikes.iter().filter(|strike| {
        strike.failure.takes_node_out() || strike.failure == Disruption::DaemonStopped("corosync")
    });
    // Two nodes carry on without quorum, three do not.
    strikes.iter().all(harmless) && (nodes == 2 || lost.count() <= 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sim::{FaultKind, ImdsState};

    use super::*;
    use crate::pacemaker::{OVERLAY_BESIDE, PRIVATE};

    fn stays(nodes: u8, strikes: &[(Whom, Disruption)]) -> bool {
        let (at, lasts) = (Duration::ZERO, Duration::from_secs(3));
        let strikes: Vec<_> = strikes
            .iter()
            .map(|(whom, failure)| PlannedStrike { at, lasts, whom: *whom, failure: failure.clone() })
            .collect();
        must_stay(&strikes, nodes)
    }

    #[test]
    fn a_holder_that_loses_the_services_keeps_the_address_and_one_that_loses_power_does_not() {
        let api = (Whom::All, Disruption::ApiIll(FaultKind::Hang));
        assert!(stays(2, &[api.clone(), (Whom::Holder, Disruption::MetadataIll(ImdsState::Off403))]));
        assert!(!stays(2, &[api, (Whom::Holder, Disruption::PowerCut)]));
    }

    #[test]
    fn a_node_that_was_alone_may_take_it_without_quorum_and_may_not_with_it() {
        for failure in [Disruption::PeersLost, Disruption::NodeStopped, Disruption::DaemonStopped("corosync")]
        {
            assert!(!stays(2, &[(Whom::Other(0), failure.clone())]), "{failure}");
            assert!(stays(3, &[(Whom::Other(0), failure.clone())]), "{failure}");
        }
        assert!(stays(2, &[(Whom::Other(0), Disruption::PowerCut)]));
    }

    #[test]
    fn an_address_stays_through_what_happens_to_another_one_and_to_the_nodes_without_it() {
        let strike =
            |whom, failure| PlannedStrike { at: Duration::ZERO, lasts: Duration::ZERO, whom, failure };
        for (address, own, another) in [
            (&PRIVATE, Disruption::PrivateTakenAway, Disruption::RouteTaken),
            (&OVERLAY_BESIDE, Disruption::RouteTaken, Disruption::PrivateTakenAway),
        ] {
            let stays = |failure: &Disruption, whom, holder| {
                must_stay_of(address, holder, &[strike(whom, failure.clone())], 3)
            };
            assert!(stays(&Disruption::TakenAway, Whom::All, Whom::Holder));
            assert!(stays(&another, Whom::All, Whom::Holder));
            assert!(!stays(&own, Whom::All, Whom::Holder));
            assert!(stays(&Disruption::PowerCut, Whom::Holder, Whom::Other(1)));
            assert!(!stays(&Disruption::PowerCut, Whom::Other(1), Whom::Other(1)));
        }
    }

    #[test]
    fn a_holder_that_loses_both_others_of_three_has_to_stop() {
        assert!(!stays(3, &[(Whom::Other(0), Disruption::PowerCut), (Whom::Other(1), Disruption::Left)]));
    }
}
