//! The faults, and what each means for the client.

use std::time::Duration;

use aws_sim::{CredState, FaultKind, ImdsState, Validity};

/// What a fault tells the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// No answer, or no usable one.
    Silence,
    /// Not allowed by IAM.
    Denial,
    /// AWS does not accept the credentials, or there are none.
    Rejection,
}

/// How a fault is brought about.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// The simulator applies it to one call.
    Call(FaultKind),
    /// Nothing listens: for good, or for a moment.
    Refused,
    /// Packets are dropped.
    BlackHole,
    /// Connections are accepted, and nothing is ever sent, not even TLS.
    Mute,
    /// EC2's certificate is bad.
    Certificate(Wrong),
    /// EC2's name is not resolved.
    Name(Unresolved),
    /// State of the metadata service as a whole.
    Imds(ImdsState),
    /// State of the credentials in instance metadata.
    Role(CredState),
    /// AWS's clock, in seconds ahead of this machine's.
    Clock(f64),
}

/// Defect of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Name,
    Validity(Validity),
    Issuer,
}

/// Answer of a name server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// The name does not exist.
    NoSuchName,
    /// The server could not find out.
    ServerFailure,
    /// No answer.
    Nothing,
}

#[derive(Clone, Debug)]
pub(crate) struct MatrixFault {
    pub(crate) name: &'static str,
    pub(crate) class: Class,
    pub(crate) how: How,
    /// True if the call takes effect nevertheless.
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

/// Faults of any call.
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

/// Faults of one EC2 call.
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

/// Faults of one call to the metadata service.
pub(crate) fn of_imds() -> Vec<MatrixFault> {
    let mut all = of_any_call();
    all.extend([
        call("401", error(401, "Unauthorized", "Unauthorized")),
        call("403", error(403, "Forbidden", "Forbidden")),
    ]);
    all
}

/// Faults of EC2 as a whole.
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

/// Faults of the metadata service as a whole.
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

/// Faults of the role's credentials.
pub(crate) fn of_role() -> Vec<MatrixFault> {
    let role = |name, state| MatrixFault { class: Class::Rejection, ..silence(name, How::Role(state)) };
    vec![role("credentials expired", CredState::Expired), role("credentials missing", CredState::Missing404)]
}

/// Clock errors.
pub(crate) fn of_clock() -> Vec<MatrixFault> {
    vec![silence("20 minutes slow", How::Clock(1200.0)), silence("20 minutes fast", How::Clock(-1200.0))]
}
