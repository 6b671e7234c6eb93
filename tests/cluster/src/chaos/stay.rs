//! Which rounds give Pacemaker no reason to move the address, so that it has to stay where it is, untouched. Pure.

use super::failure::{Failure, Whom};
use super::plan::Strike;

/// Returns whether the address has to stay with its holder through all of these, with no action but monitors anywhere.
///
/// Services that are ill are no reason: not EC2, not the metadata service, and not both together for less than the 20 s
/// that a monitor has. What happens to other nodes is none, as long as the holder keeps quorum, and unless a node that was
/// alone goes on believing so with nobody to stop it, as one of two does without fencing.
#[must_use]
pub fn must_stay(strikes: &[Strike], nodes: u8) -> bool {
    let harmless = |strike: &Strike| match (&strike.failure, strike.whom) {
        (failure, _) if failure.is_of_services() => true,
        (Failure::MovedTo | Failure::TakenAway | Failure::GivenTo | Failure::PathBroken, _)
        | (_, Whom::Holder | Whom::All) => false,
        // A Corosync that gets no time is a node that was alone, once it goes on.
        (Failure::DaemonStopped("corosync"), Whom::Other(_)) => nodes > 2,
        (failure, Whom::Other(_)) => nodes > 2 || !failure.leaves_node_alone(),
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
    fn a_holder_that_loses_both_others_of_three_has_to_stop() {
        assert!(!stays(3, &[(Whom::Other(0), Failure::PowerCut), (Whom::Other(1), Failure::Left)]));
    }
}
