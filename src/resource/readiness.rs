//! Whether this node could take an address, as `eip-health` reports it, and what follows for the health of the node.

use super::kind::{Kind, Op};
use super::{Report, World};
use crate::cloud::Ec2Fault;
use crate::resource::error::{Error, Scope, scope};
use crate::state::health::{DryRun, FaultOf};

/// How the report of a node begins that has the address, with a fault that keeps others from taking it.
pub const UNFIT_HOLDER: &str = "has the address, could not take it again";

/// What a node knows about one address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Whether it could take the address, or has it; `None` if that could not be found out.
    pub ready: Option<bool>,
    /// Whether the address is here according to instance metadata, or to the kernel for one that metadata does not know.
    pub here: Option<bool>,
    /// Whether the node has the address, or is about to: it is here, or was started and not stopped.
    pub holds: bool,
    /// Whose fault it is if it is not ready.
    pub fault: FaultOf,
    /// Why, on one line.
    pub reason: String,
}

impl<K: Kind<W>, W: World> Op<'_, K, W> {
    /// Checks what a takeover needs, without EC2: instance metadata, the place for the address, and credentials.
    pub async fn assess(&self) -> Readiness {
        let here = self.is_here().await;
        let running = self.last_done().is_some_and(|record| self.runs(&record));
        let (ready, fault, reason) = judged(self.is_ready().await);
        Readiness { ready, here, holds: here == Some(true) || running, fault, reason }
    }

    /// Asks EC2 by a dry run whether this node may take and release the address; `last` is the one before.
    pub async fn dry_run(&self, last: Option<&DryRun>, at: u64) -> DryRun {
        let outcome = self.validate().await;
        let answered = is_answer(&outcome).then_some(at).or(last.and_then(|last| last.answered));
        let (ready, fault, reason) = judged(outcome);
        let before = last.and_then(|last| last.silent_since);
        let silent_since = (fault == FaultOf::Silence).then_some(before.unwrap_or(at));
        DryRun { at, ready, fault, reason, answered, silent_since, ..DryRun::default() }
    }

    async fn is_here(&self) -> Option<bool> {
        if !K::METADATA_KNOWS {
            // Without a device only the record knows.
            let asked = self.common().add_to_device.then_some(self);
            return Some(K::on_host(asked?).await.ok()? == Report::Done);
        }
        if !K::is_known(self) {
            return None;
        }
        Some(self.deadline.bound(K::look(self)).await.ok()?.ok()? == Report::Done)
    }
}

/// Whether EC2 has answered, if only to refuse.
fn is_answer(outcome: &Result<Report, Error>) -> bool {
    match outcome {
        Ok(_) => true,
        Err(Error::Ec2(error)) => !matches!(
            error.fault,
            Ec2Fault::Silent | Ec2Fault::Setup | Ec2Fault::Credentials | Ec2Fault::NoProfile
        ),
        Err(_) => false,
    }
}

/// Whether this node is ready according to the outcome; if not, whose fault that is, and why.
fn judged(outcome: Result<Report, Error>) -> (Option<bool>, FaultOf, String) {
    let error = match outcome {
        Ok(Report::Done) => return (Some(true), FaultOf::None, String::new()),
        Ok(Report::NotHere(why)) => return (None, FaultOf::None, why),
        Err(error) => error,
    };
    let (ready, fault) = match (&error, scope(&error)) {
        (
            Error::NoDevice(_)
            | Error::NoDeviceFor(_)
            | Error::NoIpv6(_)
            | Error::NoInterface(_)
            | Error::NoPrivateIp { .. },
            _,
        )
        | (_, Scope::Access) => (Some(false), FaultOf::Node),
        (error, Scope::Unknown) if error.is_ec2(Ec2Fault::Silent) => (None, FaultOf::Silence),
        // No client can be made of the settings.
        (Error::Setup(_), _) => (Some(false), FaultOf::Other),
        // Not EC2: instance metadata is silent, and firmware does not identify it.
        (Error::NotEc2(_), _) | (_, Scope::Unknown | Scope::Nowhere) => (None, FaultOf::None),
        (_, Scope::Cluster | Scope::Node | Scope::Target | Scope::Setup | Scope::Platform) => {
            (Some(false), FaultOf::Other)
        }
    };
    (ready, fault, error.to_string())
}

impl Readiness {
    /// Of a resource that could not be examined; `running` according to its record.
    pub fn failed(error: Error, running: bool) -> Self {
        let (ready, fault, reason) = judged(Err(error));
        Self { ready, fault, reason, here: None, holds: running }
    }

    /// What the node reports, with the last dry run. `answered_others` is when EC2 last answered another node.
    #[must_use]
    pub fn with(mut self, dry_run: Option<&DryRun>, answered_others: Option<u64>) -> Self {
        if let Some(dry_run) = dry_run.filter(|_| self.ready == Some(true)) {
            (self.ready, self.fault, self.reason) = (dry_run.ready, dry_run.fault, dry_run.reason.clone());
        }
        let since = dry_run.and_then(|dry_run| dry_run.silent_since);
        if self.fault == FaultOf::Silence && since.is_some_and(|since| answered_others >= Some(since)) {
            (self.ready, self.fault) = (Some(false), FaultOf::Node);
            self.reason = format!("{}; EC2 answered another node meanwhile", self.reason);
        }
        if self.holds {
            // It must not lose what it has to a rule about what it could take.
            if self.ready == Some(true) {
                "has the address".clone_into(&mut self.reason);
            } else {
                self.reason = format!("{UNFIT_HOLDER}: {}", self.reason);
            }
            (self.ready, self.fault) = (Some(true), FaultOf::None);
        } else if self.ready == Some(true) && self.reason.is_empty() {
            let by = if dry_run.is_some() { "allowed by a dry run" } else { "permissions not checked yet" };
            by.clone_into(&mut self.reason);
        }
        self
    }
}

/// The health of a node, as Pacemaker names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Fit for every address, or has one.
    Green,
    /// Not known, or not fit while no other node is.
    Yellow,
    /// Not fit by a fault of its own, while another node is.
    Red,
}

impl Colour {
    /// The value of the node attribute.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }

    /// The colour of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Green, Self::Yellow, Self::Red].into_iter().find(|colour| colour.name() == name)
    }

    /// The colour of a node that knows this of each address; `last` is the one before, and `other_is_fit` whether another green
    /// node has reported lately, and no fault.
    pub fn of(all: &[Readiness], last: Option<Self>, other_is_fit: bool) -> Self {
        let has = |fault| all.iter().any(|one| one.fault == fault);
        if all.iter().any(|one| one.holds) {
            return Self::Green;
        }
        let wanted = if has(FaultOf::Node) {
            // Not at once: of two nodes that fail together, each still sees the other one green.
            if matches!(last, Some(Self::Yellow | Self::Red)) { Self::Red } else { Self::Yellow }
        } else if has(FaultOf::Other) {
            Self::Yellow
        } else if all.iter().any(|one| one.ready.is_none()) {
            last.unwrap_or(Self::Yellow)
        } else {
            Self::Green
        };
        if wanted == Self::Red && !other_is_fit { Self::Yellow } else { wanted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ready: Option<bool>, fault: FaultOf) -> Readiness {
        Readiness { ready, fault, here: Some(false), ..Readiness::default() }
    }

    fn holder(ready: Option<bool>, fault: FaultOf) -> Readiness {
        Readiness { here: Some(true), holds: true, ..known(ready, fault) }
    }

    fn run_with(ready: Option<bool>, fault: FaultOf) -> DryRun {
        DryRun { ready, fault, reason: "because".to_owned(), ..DryRun::default() }
    }

    const FIT: Option<bool> = Some(true);
    const UNFIT: Option<bool> = Some(false);

    /// [health-2] [health-8]
    #[test]
    fn a_node_that_has_the_address_is_ready_and_green_whatever_is_wrong() {
        for (ready, fault) in [(UNFIT, FaultOf::Node), (UNFIT, FaultOf::Other), (None, FaultOf::Silence)] {
            let found = holder(FIT, FaultOf::None).with(Some(&run_with(ready, fault)), Some(u64::MAX));
            assert_eq!(found.ready, FIT, "{fault:?}");
            assert_eq!(found.reason, "has the address, could not take it again: because");
            let others = [known(UNFIT, FaultOf::Node), holder(ready, fault)];
            assert_eq!(Colour::of(&others, Some(Colour::Red), true), Colour::Green, "{fault:?}");
        }
        let starting = Readiness { holds: true, ..known(UNFIT, FaultOf::Node) };
        assert_eq!(starting.with(None, None).ready, FIT);
    }

    /// [health-9]
    #[test]
    fn red_takes_a_fault_of_this_node_twice_and_another_node_that_is_fit() {
        let unfit = [known(UNFIT, FaultOf::Node)];
        for (last, other_is_fit, colour) in [
            (None, true, Colour::Yellow),
            (Some(Colour::Green), true, Colour::Yellow),
            (Some(Colour::Yellow), true, Colour::Red),
            (Some(Colour::Red), true, Colour::Red),
            (Some(Colour::Yellow), false, Colour::Yellow),
            (Some(Colour::Red), false, Colour::Yellow),
        ] {
            assert_eq!(Colour::of(&unfit, last, other_is_fit), colour, "{last:?} {other_is_fit}");
        }
        let of_the_cluster = [known(UNFIT, FaultOf::Other)];
        assert_eq!(Colour::of(&of_the_cluster, Some(Colour::Red), true), Colour::Yellow);
    }

    /// [health-10]
    #[test]
    fn what_is_unknown_keeps_the_last_colour_and_is_yellow_without_one() {
        let unknown = [known(FIT, FaultOf::None), known(None, FaultOf::Silence)];
        for last in [Colour::Green, Colour::Yellow, Colour::Red] {
            assert_eq!(Colour::of(&unknown, Some(last), true), last);
        }
        assert_eq!(Colour::of(&unknown, None, true), Colour::Yellow);
        assert_eq!(Colour::of(&unknown, Some(Colour::Red), false), Colour::Yellow);
        assert_eq!(Colour::of(&[known(FIT, FaultOf::None)], Some(Colour::Red), true), Colour::Green);
        assert_eq!(Colour::of(&[], Some(Colour::Red), true), Colour::Green);
    }

    /// [health-5]
    #[test]
    fn silence_is_a_fault_of_this_node_only_if_ec2_answered_another_one_since() {
        let silent = DryRun { silent_since: Some(100), ..run_with(None, FaultOf::Silence) };
        for (answered, ready, fault) in [
            (None, None, FaultOf::Silence),
            (Some(99), None, FaultOf::Silence),
            (Some(100), UNFIT, FaultOf::Node),
        ] {
            let found = known(FIT, FaultOf::None).with(Some(&silent), answered);
            assert_eq!((found.ready, found.fault), (ready, fault), "{answered:?}");
        }
    }

    #[test]
    fn what_is_missing_here_comes_before_an_older_dry_run() {
        let missing = Readiness { reason: "no interface".to_owned(), ..known(UNFIT, FaultOf::Node) };
        let found = missing.with(Some(&run_with(FIT, FaultOf::None)), None);
        assert_eq!((found.ready, found.reason.as_str()), (UNFIT, "no interface"));
        let checked = known(FIT, FaultOf::None).with(Some(&run_with(UNFIT, FaultOf::Node)), None);
        assert_eq!((checked.ready, checked.reason.as_str()), (UNFIT, "because"));
    }
}
