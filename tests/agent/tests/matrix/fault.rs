//! The faults, and what each means for whoever asked.

use std::time::Duration;

use aws_sim::{CredState, FaultKind, ImdsState, Validity};

/// What a fault tells the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing: no answer, or none that can be used.
    Silence,
    /// IAM does not allow it.
    Denial,
    /// AWS does not accept the credentials, or there are none.
    Rejection,
}

/// How a fault is brought about.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// The simulator does it to one call.
    Call(FaultKind),
    /// Nothing listens: for good, or for a moment.
    Refused,
    /// Packets are dropped.
    BlackHole,
    /// Connections are accepted, and nothing is ever sent, not even TLS.
    Mute,
    /// The certificate of EC2 is wrong.
    Certificate(Wrong),
    /// The name of EC2 is not resolved.
    Name(Unresolved),
    /// The metadata service as a whole.
    Imds(ImdsState),
    /// What the metadata service shows as credentials.
    Role(CredState),
    /// AWS's clock, seconds ahead of this machine's.
    Clock(f64),
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Name,
    Validity(Validity),
    Issuer,
}

/// What a name server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// There is no such name.
    NoSuchName,
    /// It could not find out.
    ServerFailure,
    /// Nothing.
    Nothing,
}

/// A fault.
#[derive(Clone, Debug)]
pub(crate) struct MatrixFault {
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    pub(crate) how: How,
    /// Whether the call takes effect all the same.
    pub(crate) effect: bool,
}

/// How long it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Length {
    Once,
    Twice,
    ForEver,
}

impl Length {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Twice => "twice",
            Self::ForEver => "permanently",
        }
    }

    pub(crate) fn times(self) -> Option<u32> {
        match self {
            Self::Once => Some(1),
            Self::Twice => Some(2),
            Self::ForEver => None,
        }
    }
}

fn silence(name: &'static str, how: How) -> MatrixFault {
    MatrixFault { name, class: Class::Silence, how, effect: false }
}

fn call(name: &'static str, kind: FaultKind) -> MatrixFault {
    silence(name, How::Call(kind))
}

fn error(status: u16, code: &str, message: &str) -> FaultKind {
    FaultKind::Error { status, code: code.to_owned(), message: message.to_owned() }
}

/// Returns what can happen to any call.
fn of_any_call() -> Vec<MatrixFault> {
    vec![
        call("reset", FaultKind::Reset),
        call("closed", FaultKind::CloseBeforeAnswer),
        call("never answered", FaultKind::Hang),
        MatrixFault { effect: true, ..call("a byte a second", FaultKind::Slow(1)) },
        MatrixFault { effect: true, ..call("late by 300 ms", FaultKind::Delay(Duration::from_millis(300))) },
        call("500", error(500, "InternalError", "An internal error has occurred")),
        call("503", error(503, "Unavailable", "The service is unavailable. Please try again shortly.")),
        call("throttled", FaultKind::Throttle),
        call("garbage", FaultKind::Garbage),
        call("empty", FaultKind::Empty),
        call("not HTTP", FaultKind::NotHttp),
        MatrixFault { effect: true, ..call("truncated", FaultKind::TruncatedXml) },
        MatrixFault { effect: true, ..call("cut off", FaultKind::ShortBody) },
        call("a proxy's page, 200", FaultKind::HtmlProxy(200)),
        call("a proxy's page, 403", FaultKind::HtmlProxy(403)),
        call("a proxy's page, 502", FaultKind::HtmlProxy(502)),
    ]
}

/// Returns what can happen to one call of EC2.
pub(crate) fn of_ec2(writes: bool) -> Vec<MatrixFault> {
    let refusal = |name, class, status, code, message: &str| MatrixFault {
        class,
        ..call(name, error(status, code, message))
    };
    let invalid = "AWS was not able to validate the provided access credentials";
    let mut all = of_any_call();
    all.extend([
        refusal("401", Class::Rejection, 401, "AuthFailure", invalid),
        refusal(
            "403",
            Class::Denial,
            403,
            "UnauthorizedOperation",
            "You are not authorized to perform this operation.",
        ),
        refusal("expired", Class::Rejection, 400, "RequestExpired", "Request has expired."),
    ]);
    if writes {
        all.extend([
            MatrixFault { effect: true, ..call("response lost", FaultKind::LoseAnswer) },
            MatrixFault { effect: true, ..call("done, never answered", FaultKind::EffectThenHang) },
        ]);
    }
    all
}

/// Returns what can happen to one call of the metadata service.
pub(crate) fn of_imds() -> Vec<MatrixFault> {
    let mut all = of_any_call();
    all.extend([
        call("401", error(401, "Unauthorized", "Unauthorized")),
        call("403", error(403, "Forbidden", "Forbidden")),
    ]);
    all
}

/// Returns what can happen to EC2 as a whole.
pub(crate) fn of_ec2_as_a_whole() -> Vec<MatrixFault> {
    vec![
        silence("refused", How::Refused),
        silence("black hole", How::BlackHole),
        silence("mute", How::Mute),
        silence("TLS, wrong name", How::Certificate(Wrong::Name)),
        silence("TLS, expired", How::Certificate(Wrong::Validity(Validity::Expired))),
        silence("TLS, not yet valid", How::Certificate(Wrong::Validity(Validity::NotYet))),
        silence("TLS, unknown issuer", How::Certificate(Wrong::Issuer)),
        silence("DNS, no such name", How::Name(Unresolved::NoSuchName)),
        silence("DNS, failure", How::Name(Unresolved::ServerFailure)),
        silence("DNS, no answer", How::Name(Unresolved::Nothing)),
    ]
}

/// Returns what can happen to the metadata service as a whole.
pub(crate) fn of_imds_as_a_whole() -> Vec<MatrixFault> {
    vec![
        silence("refused", How::Refused),
        silence("black hole", How::BlackHole),
        silence("mute", How::Mute),
        silence("switched off", How::Imds(ImdsState::Off403)),
        silence("token refused", How::Imds(ImdsState::TokenRefused)),
        silence("failing", How::Imds(ImdsState::Error500)),
        silence("a byte a second", How::Imds(ImdsState::Slow)),
        silence("garbage", How::Imds(ImdsState::Garbage)),
    ]
}

/// Returns what can be wrong with the credentials of the role.
pub(crate) fn of_role() -> Vec<MatrixFault> {
    let role = |name, state| MatrixFault { class: Class::Rejection, ..silence(name, How::Role(state)) };
    vec![role("credentials expired", CredState::Expired), role("credentials missing", CredState::Missing404)]
}

/// Returns how far the clock can be off.
pub(crate) fn of_clock() -> Vec<MatrixFault> {
    vec![silence("20 minutes slow", How::Clock(1200.0)), silence("20 minutes fast", How::Clock(-1200.0))]
}
