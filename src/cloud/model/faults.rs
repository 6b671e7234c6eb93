//! Faults: which request is struck, and how.
//!
//! This module only chooses; the face that received the request applies the fault.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::ApiError;
use crate::base::ids::InstanceId;

/// A service of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// The EC2 Query API.
    Ec2,
    /// The Security Token Service.
    Sts,
    /// An instance metadata service.
    Imds,
}

/// The kind of a fault.
///
/// As JSON: `"reset"`, `{"delay_ms": 500}`, `{"error": {"status": 503, "code": "Unavailable", "message": "..."}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// An error document of the service; nothing takes effect.
    Error {
        /// HTTP status, such as 503.
        status: u16,
        /// Error code in the document, such as `Unavailable`.
        code: String,
        /// Human-readable message.
        message: String,
    },
    /// The service's own throttling response; nothing takes effect.
    Throttle,
    /// Nothing takes effect and no response comes; the connection stays open.
    Hang,
    /// Nothing takes effect; the connection is reset (RST).
    Reset,
    /// Nothing takes effect; the connection is closed in order (FIN) without a response.
    CloseBeforeAnswer,
    /// The call takes effect, then the connection is reset.
    LoseAnswer,
    /// The call takes effect and no response comes; the connection stays open.
    EffectThenHang,
    /// Status 200 and a body that is neither XML, JSON nor text; nothing takes effect.
    Garbage,
    /// Status 200 and an empty body; nothing takes effect.
    Empty,
    /// The call takes effect; the response is complete HTTP, but its body is truncated.
    TruncatedXml,
    /// The call takes effect; the response promises the whole body, sends half of it, then closes the connection.
    ShortBody,
    /// Bytes that are not HTTP, then the connection closes; nothing takes effect.
    NotHttp,
    /// The HTML error page of an intermediate proxy, with this status; nothing takes effect.
    HtmlProxy(u16),
    /// The call takes effect; the response, head and body, arrives at this many bytes per second.
    Slow(u32),
    /// The call arrives after this delay, then proceeds normally.
    #[serde(rename = "delay_ms")]
    Delay(#[serde(with = "millis")] Duration),
    /// The call is answered at once, and takes effect after this delay.
    #[serde(rename = "late_effect_ms")]
    LateEffect(#[serde(with = "millis")] Duration),
}

impl FaultKind {
    /// Name of the fault in the request log.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Error { .. } => "error",
            Self::Throttle => "throttle",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::CloseBeforeAnswer => "close_before_answer",
            Self::LoseAnswer => "lose_answer",
            Self::EffectThenHang => "effect_then_hang",
            Self::Garbage => "garbage",
            Self::Empty => "empty",
            Self::TruncatedXml => "truncated_xml",
            Self::ShortBody => "short_body",
            Self::NotHttp => "not_http",
            Self::HtmlProxy(_) => "html_proxy",
            Self::Slow(_) => "slow",
            Self::Delay(_) => "delay",
            Self::LateEffect(_) => "late_effect",
        }
    }

    /// The error response with this code, and the status that EC2 uses for it.
    pub fn code(code: &str) -> Self {
        let status = match code {
            "RequestLimitExceeded" | "Unavailable" | "ServiceUnavailable" => 503,
            "InternalError" | "InternalFailure" => 500,
            "UnauthorizedOperation" | "AccessDenied" => 403,
            _ => 400,
        };
        Self::Error { status, code: code.to_owned(), message: code.to_owned() }
    }
}

/// The response to too many requests.
pub fn throttled(service: Service) -> ApiError {
    match service {
        Service::Ec2 => ApiError::new(503, "RequestLimitExceeded", "Request limit exceeded."),
        Service::Sts => ApiError::client("Throttling", "Rate exceeded"),
        Service::Imds => ApiError::new(429, "TooManyRequests", "Too Many Requests"),
    }
}

/// Durations as whole milliseconds in JSON.
pub mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Serializes a duration.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    /// Deserializes a duration.
    ///
    /// # Errors
    /// If it is not a whole number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// A fault and the requests it strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The service whose requests it strikes.
    pub service: Service,
    /// EC2 or STS action; for instance metadata the prefix of a path. `None` matches every request.
    #[serde(default)]
    pub operation: Option<String>,
    /// Whether a path of instance metadata must equal `operation`, not only begin with it.
    #[serde(default)]
    pub whole: bool,
    /// The calling instance. `None` matches every caller.
    #[serde(default)]
    pub instance: Option<InstanceId>,
    /// Number of requests to strike; `None` is all of them.
    #[serde(default)]
    pub times: Option<u32>,
    /// Number of matching requests that pass first.
    #[serde(default)]
    pub skip: u32,
    /// Percentage of matching requests to strike, at random; `None` is all of them.
    #[serde(default)]
    pub percent: Option<u8>,
    /// What happens to a struck request.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault that strikes every request to `service`.
    pub const fn new(service: Service, kind: FaultKind) -> Self {
        Self {
            service,
            operation: None,
            whole: false,
            instance: None,
            times: None,
            skip: 0,
            percent: None,
            kind,
        }
    }

    /// Limits the fault to one action, or for instance metadata to paths with this prefix.
    #[must_use]
    pub fn operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Limits the fault to one action, or for instance metadata to exactly this method and path.
    #[must_use]
    pub fn exactly(self, operation: &str) -> Self {
        Self { whole: true, ..self.operation(operation) }
    }

    /// Limits the fault to the calls of one instance.
    #[must_use]
    pub fn instance(mut self, instance: &InstanceId) -> Self {
        self.instance = Some(instance.clone());
        self
    }

    /// Ends the fault after it has struck `times` requests.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets the first `skip` matching requests pass.
    #[must_use]
    pub const fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Strikes at random, with this probability in percent.
    #[must_use]
    pub const fn percent(mut self, percent: u8) -> Self {
        self.percent = Some(percent);
        self
    }

    fn matches(&self, service: Service, operation: &str, instance: Option<&InstanceId>) -> bool {
        // "PUT /latest/api/token" is struck by both "/latest/api" and "PUT /latest/api".
        let path = operation.split_once(' ').map_or(operation, |(_, path)| path);
        self.service == service
            && self.instance.as_ref().is_none_or(|wanted| Some(wanted) == instance)
            && self.operation.as_deref().is_none_or(|wanted| match service {
                Service::Imds if self.whole => path == wanted || operation == wanted,
                Service::Imds => path.starts_with(wanted) || operation.starts_with(wanted),
                Service::Ec2 | Service::Sts => operation == wanted,
            })
    }
}

/// Identifies an active fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FaultId(u64);

/// The active faults, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults {
    active: Vec<(FaultId, Fault)>,
    next: u64,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) -> FaultId {
        self.next += 1;
        self.active.push((FaultId(self.next), fault));
        FaultId(self.next)
    }

    pub(super) fn clear(&mut self) {
        self.active.clear();
    }

    pub(super) fn clear_one(&mut self, id: FaultId) {
        self.active.retain(|(have, _)| *have != id);
    }

    /// The fault that strikes this request; counted against the first one that matches and is not used up.
    ///
    /// A fault that still skips passes the request on to the next match.
    pub(super) fn strike(
        &mut self,
        service: Service,
        operation: &str,
        instance: Option<&InstanceId>,
        random: &mut fastrand::Rng,
    ) -> Option<FaultKind> {
        for (_, fault) in &mut self.active {
            if !fault.matches(service, operation, instance) || fault.times == Some(0) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.percent.is_some_and(|percent| random.u8(0..100) >= percent) {
                continue;
            }
            fault.times = fault.times.map(|left| left - 1);
            return Some(fault.kind.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(faults: &mut Faults, operation: &str, instance: Option<&InstanceId>) -> bool {
        let mut random = fastrand::Rng::with_seed(1);
        faults.strike(Service::Imds, operation, instance, &mut random).is_some()
    }

    #[test]
    fn skip_then_times_then_spent() {
        let mut faults = Faults::default();
        faults.add(Fault::new(Service::Imds, FaultKind::Throttle).operation("GET /b").skip(1).times(2));
        assert!(!strikes(&mut faults, "GET /a", None));
        let struck = [(); 5].map(|()| strikes(&mut faults, "GET /b", None));
        assert_eq!(struck, [false, true, true, false, false]);
    }

    #[test]
    fn service_instance_and_path_prefix_narrow() {
        let mut faults = Faults::default();
        let (a, b) = (InstanceId::parse("i-0000000a").unwrap(), InstanceId::parse("i-0000000b").unwrap());
        let id = faults.add(Fault::new(Service::Imds, FaultKind::Hang).operation("/latest/api").instance(&a));
        faults.add(Fault::new(Service::Ec2, FaultKind::Hang));
        let put = "PUT /latest/api/token";
        assert!(strikes(&mut faults, put, Some(&a)) && !strikes(&mut faults, put, Some(&b)));
        assert!(!strikes(&mut faults, "GET /latest/meta-data/mac", Some(&a)));
        faults.clear_one(id);
        assert!(!strikes(&mut faults, put, Some(&a)));
    }

    #[test]
    fn a_whole_path_is_not_what_is_below_it() {
        let mut faults = Faults::default();
        faults.add(Fault::new(Service::Imds, FaultKind::Hang).exactly("GET /latest/meta-data/mac"));
        for (end, struck) in [("mac", true), ("macs", false), ("mac/x", false)] {
            assert_eq!(strikes(&mut faults, &format!("GET /latest/meta-data/{end}"), None), struck, "{end}");
        }
    }

    #[test]
    fn faults_read_from_json() -> Result<(), serde_json::Error> {
        let fault: Fault = serde_json::from_str(r#"{"service":"ec2","kind":{"delay_ms":500}}"#)?;
        assert_eq!(fault, Fault::new(Service::Ec2, FaultKind::Delay(Duration::from_millis(500))));
        let fault: Fault = serde_json::from_str(r#"{"service":"imds","times":1,"kind":"reset"}"#)?;
        assert_eq!(fault, Fault::new(Service::Imds, FaultKind::Reset).times(1));
        Ok(())
    }
}
