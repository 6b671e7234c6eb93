//! The rules: which exit codes a case may have, and which node may hold the address afterwards.
//!
//! Derived from the behaviour alone. The harness's assertions on every run (in time, one reason, no output, no secret) are not repeated here.

use agent_tests::RunOutcome;
use aws_sim::Service;

use crate::case::{FaultTarget, MatrixCase};
use crate::fault::{Class, How};
use crate::scene::{ActionKind, Past, Who};

/// What a fault denies an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    /// Nothing that it needs.
    Nothing,
    /// EC2 and the metadata service.
    Everything,
    /// EC2, for this reason.
    Ec2(Class),
    /// The first query to EC2, for this reason.
    Look(Class),
    /// The query to EC2 that confirms a call, for this reason.
    Confirmation(Class),
    /// A mutating call, for this reason.
    Order(Class),
    /// The response to a mutating call that takes effect.
    Answer,
    /// The part of instance metadata that says where the address belongs.
    Place,
    /// The Region, which is on record once EC2 was queried.
    Region,
}

/// Judges a case by its outcome and the final holder.
///
/// # Errors
/// The rule that was broken.
pub(crate) fn judge(case: &MatrixCase, outcome: &RunOutcome, holder: Who) -> Result<(), String> {
    let ordered = outcome.ec2().iter().any(|request| !request.operation.starts_with("Describe"));
    let codes = codes(case, ordered);
    let code = outcome.code;
    if !codes.contains(&code) {
        return Err(format!("exit code {code}, not one of {codes:?}"));
    }
    if outcome.log.contains("internal error at ") {
        return Err("a panic".to_owned());
    }
    let scene = case.scene;
    if holder != scene.before && holder != scene.allowed() {
        return Err(format!("the address went to {holder:?}"));
    }
    let usual = scene.usual_holder(case.kind);
    if scene.kind == ActionKind::Start && code == 0 && holder != Who::Here {
        return Err("a start that returned 0 does not hold the address".to_owned());
    }
    if passes(case) && code == scene.usual_code() && holder != usual {
        return Err(format!("{holder:?} holds the address, not {usual:?}"));
    }
    // If nothing identifies this machine as EC2, not even a record, there is nothing to release.
    let off_ec2 = !scene.is_started() && outcome.log.contains("not an EC2 instance, nothing to release");
    let said = outcome.log.contains("ERROR") || off_ec2;
    let unsaid =
        case.kind.is_released && scene.kind == ActionKind::Stop && code == 0 && holder == Who::Here && !said;
    if unsaid {
        return Err("a stop that left the address here does not say so".to_owned());
    }
    Ok(())
}

/// True if the action can get over the fault within its time.
fn passes(case: &MatrixCase) -> bool {
    !case.lasts() && case.fault.class != Class::Denial && lost(case, true) != Lost::Everything
        || is_harmless(case)
}

fn is_harmless(case: &MatrixCase) -> bool {
    matches!(case.fault.how, How::Clock(_)) || case.fault.name.starts_with("late")
}

/// The allowed exit codes.
fn codes(case: &MatrixCase, ordered: bool) -> Vec<i32> {
    let usual = case.scene.usual_code();
    if is_harmless(case) {
        return vec![usual];
    }
    // The SDK keeps a token until it expires, so a bad one stays bad.
    let half_a_token = token(case) && case.fault.name == "truncated";
    if case.lasts() || half_a_token {
        let mut codes = lasting(case, lost(case, ordered));
        // With half a token the metadata service refuses each request, so the role stays unknown as well.
        codes.extend(half_a_token.then_some([1, 4]).into_iter().flatten().filter(|_| !may_only_be_7(case)));
        // An empty or halved list may still be a list.
        codes.extend(is_shorter_list(case).then_some(usual));
        return codes;
    }
    match case.fault.class {
        // A denial by IAM is taken as final, even if it was momentary: the next action is soon enough.
        Class::Denial => [vec![usual], lasting(case, lost(case, ordered))].concat(),
        // The host shows the address, and EC2 has at most a quarter of the time to contradict it.
        Class::Silence if !case.kind.is_shown && case.scene.kind == ActionKind::Monitor => vec![usual, 0],
        Class::Silence | Class::Rejection => vec![usual],
    }
}

fn may_only_be_7(case: &MatrixCase) -> bool {
    case.scene.kind == ActionKind::Probe
}

fn waits(case: &MatrixCase) -> bool {
    matches!(case.fault.name, "never answered" | "a byte a second")
}

fn is_shorter_list(case: &MatrixCase) -> bool {
    let FaultTarget::Call(call) = &case.target else { return false };
    let list =
        ["/macs/", "/ipv4-associations/", "/local-ipv4s", "/vpc-ipv4-cidr-blocks", "/vpc-ipv6-cidr-blocks"]
            .iter()
            .any(|end| call.operation.ends_with(end));
    list && matches!(case.fault.name, "empty" | "truncated")
}

fn is_private(case: &MatrixCase) -> bool {
    case.kind.name == "vip"
}

/// True if the Region is on record. Only a probe of an Elastic IP records it.
fn region_known(case: &MatrixCase) -> bool {
    case.scene.is_started() || case.scene.past == Past::Probed && case.kind.name == "eip"
}

/// True if the call that takes the address is sent concurrently with the first query. A private address needs nothing from that.
fn is_taken_at_once(case: &MatrixCase) -> bool {
    region_known(case) || is_private(case)
}

fn token(case: &MatrixCase) -> bool {
    matches!(&case.target, FaultTarget::Call(call) if call.operation.ends_with("/api/token"))
}

fn lost(case: &MatrixCase, ordered: bool) -> Lost {
    let class = case.fault.class;
    let call = match &case.target {
        FaultTarget::Clock => return Lost::Nothing,
        FaultTarget::Ec2 => return Lost::Ec2(Class::Silence),
        FaultTarget::Role => return Lost::Ec2(Class::Rejection),
        FaultTarget::Imds => return if case.lasts() { Lost::Everything } else { Lost::Nothing },
        FaultTarget::Call(call) => call,
    };
    // Half of the role's name is the name of a role that the instance does not have.
    let half_a_name = call.operation.ends_with("/security-credentials/") && case.fault.name == "truncated";
    let refused = half_a_name || matches!(case.fault.name, "401" | "403" | "a proxy's page, 403");
    match call.service {
        Service::Imds if call.operation.ends_with("/api/token") => Lost::Everything,
        Service::Imds if call.operation.contains("/security-credentials/") => {
            Lost::Ec2(if refused { Class::Rejection } else { Class::Silence })
        }
        Service::Imds if call.operation.ends_with("/placement/region") => Lost::Region,
        // Which Elastic IP moves with a private address is only logged.
        Service::Imds if is_private(case) && call.operation.ends_with("/ipv4-associations/") => Lost::Nothing,
        Service::Imds => Lost::Place,
        // If it cannot be found out whether the interface is fit for an overlay address, that is only a warning.
        _ if !case.kind.is_shown && call.operation == "DescribeNetworkInterfaces" => Lost::Nothing,
        _ if call.writes() && case.fault.effect => Lost::Answer,
        _ if call.writes() => Lost::Order(class),
        // Without a call there is nothing to confirm: the first query failed, too.
        _ if call.after > 0 && ordered => Lost::Confirmation(class),
        _ => Lost::Look(class),
    }
}

/// The exit codes while this is lost.
fn lasting(case: &MatrixCase, lost: Lost) -> Vec<i32> {
    let scene = case.scene;
    let usual = scene.usual_code();
    let lost = match lost {
        // A strict stop may not get as far as the record: waiting for the metadata takes most of its five seconds.
        Lost::Region if scene.name == "stop, strict" && waits(case) => return vec![usual, 1],
        // The same for its own id.
        Lost::Place if scene.name == "stop, strict" && waits(case) && is_private(case) => {
            return vec![usual, 1];
        }
        // EC2 has at most a quarter of the time, and the metadata service uses that up.
        Lost::Region if !case.kind.is_shown && scene.kind == ActionKind::Monitor && waits(case) => {
            return vec![usual, 0];
        }
        Lost::Region if region_known(case) => return vec![usual],
        Lost::Region => Lost::Ec2(Class::Silence),
        other => other,
    };
    match scene.kind {
        ActionKind::Start if !case.kind.is_shown => start_by_ec2(case, lost),
        ActionKind::Start => start(case, lost),
        // Neither EC2 nor instance metadata can make it fail.
        ActionKind::Stop if !case.kind.is_shown => vec![0],
        ActionKind::Stop => stop(case, lost),
        // The host shows it, and a start on record is believed.
        ActionKind::Monitor if !case.kind.is_shown => vec![0, usual],
        ActionKind::MigrateTo | ActionKind::Probe if !case.kind.is_shown => vec![usual],
        // What the metadata service shows is enough, even against EC2's silence and refusal.
        ActionKind::Monitor => {
            if lost == Lost::Everything {
                vec![1]
            } else {
                vec![usual]
            }
        }
        ActionKind::MigrateTo => {
            if lost == Lost::Everything {
                vec![1]
            } else {
                vec![0]
            }
        }
        // A probe's error would stop the healthy copy.
        ActionKind::Probe => {
            if lost == Lost::Everything {
                vec![7]
            } else {
                vec![usual]
            }
        }
        ActionKind::Validate => match lost {
            Lost::Nothing => vec![0],
            // If neither firmware nor record identifies this machine as EC2, nothing does.
            Lost::Everything | Lost::Place => vec![1, 5],
            // A dry run has no effect, and half of its response may be enough.
            Lost::Answer => vec![0, 1],
            // The current holder of the private address is only reported.
            Lost::Confirmation(class) if is_private(case) => [vec![0], of(class)].concat(),
            Lost::Ec2(class) | Lost::Look(class) | Lost::Confirmation(class) | Lost::Order(class) => {
                of(class)
            }
            Lost::Region => vec![1],
        },
        ActionKind::Silent => vec![usual],
    }
}

/// Exit codes of a start, and of a check, that can't continue for this reason.
fn of(class: Class) -> Vec<i32> {
    match class {
        Class::Silence => vec![1],
        Class::Denial | Class::Rejection => vec![4],
    }
}

fn start(case: &MatrixCase, lost: Lost) -> Vec<i32> {
    let scene = case.scene;
    let here = scene.before == Who::Here;
    match lost {
        // The outcome of a call is in instance metadata too.
        Lost::Nothing | Lost::Answer | Lost::Confirmation(Class::Silence) => vec![0],
        Lost::Everything if scene.is_started() => vec![1],
        // The place of the last start in this boot is sufficient.
        Lost::Place if scene.is_started() => vec![0],
        // If neither firmware nor record identifies this machine as EC2, nothing does.
        Lost::Everything | Lost::Place => vec![1, 5],
        // An outage never takes down an address that works.
        Lost::Ec2(Class::Silence) | Lost::Look(Class::Silence) if here => vec![0],
        // With the pair on record the call is sent first, and instance metadata shows its outcome.
        Lost::Look(Class::Silence) if is_taken_at_once(case) => vec![0],
        Lost::Look(class) if is_taken_at_once(case) && !here => [vec![0], of(class)].concat(),
        Lost::Confirmation(class) => [vec![0], of(class)].concat(),
        Lost::Ec2(class) | Lost::Look(class) | Lost::Order(class) => of(class),
        Lost::Region => vec![1],
    }
}

/// Exit codes of the start of an address that instance metadata does not show: only EC2 can confirm it.
fn start_by_ec2(case: &MatrixCase, lost: Lost) -> Vec<i32> {
    let scene = case.scene;
    match lost {
        Lost::Nothing | Lost::Answer => vec![0],
        Lost::Everything if scene.is_started() => vec![1],
        // The place of the last start in this boot is sufficient.
        Lost::Place if scene.is_started() => vec![0],
        // If neither firmware nor record identifies this machine as EC2, nothing does.
        Lost::Everything | Lost::Place => vec![1, 5],
        // EC2 has accepted the call and rejects each query that would confirm it.
        Lost::Confirmation(class) => [vec![0, 1], of(class)].concat(),
        Lost::Look(class) => [vec![1], of(class)].concat(),
        Lost::Ec2(class) | Lost::Order(class) => of(class),
        Lost::Region => vec![1],
    }
}

fn stop(case: &MatrixCase, lost: Lost) -> Vec<i32> {
    let scene = case.scene;
    let silent = i32::from(scene.name == "stop, strict");
    match lost {
        Lost::Nothing | Lost::Confirmation(_) | Lost::Place | Lost::Region => vec![0],
        // If only EC2 knows and does not answer: as the policy says.
        Lost::Everything => vec![silent],
        // Soon after a start the call is sent again, and its refusal is cut off before it says that the address had gone.
        Lost::Answer
            if case.fault.name == "truncated" && is_private(case) && scene.past == Past::Settling =>
        {
            vec![0, 1]
        }
        Lost::Answer => vec![0, silent],
        Lost::Ec2(class) | Lost::Look(class) | Lost::Order(class) => match class {
            Class::Silence => vec![silent],
            // Instance metadata shows it elsewhere; right after a change that is not certain.
            Class::Denial | Class::Rejection if scene.before == Who::Peer && scene.past == Past::Settling => {
                vec![0, 1]
            }
            Class::Denial | Class::Rejection if scene.before == Who::Peer => vec![0],
            Class::Denial | Class::Rejection => vec![1],
        },
    }
}
