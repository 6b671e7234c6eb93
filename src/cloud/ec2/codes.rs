//! EC2's error codes, compared in this one place. The generated crate models none of them, so they are strings.

use super::Fault;

/// One row: EC2's answer, its meaning for the agent, and the hint that an operator reads next to the code.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The code without the `Client.` or `Server.` prefix, which is not on the wire.
    pub code: &'static str,
    /// A part of EC2's message, if the code alone is ambiguous; empty otherwise.
    pub message: &'static str,
    /// Its meaning for the agent.
    pub fault: Fault,
    /// Hint for the operator next to the code; empty if the code is clear.
    pub sentence: &'static str,
}

const fn row(code: &'static str, fault: Fault) -> Row {
    Row { code, message: "", fault, sentence: "" }
}

const fn by_message(code: &'static str, message: &'static str, fault: Fault, sentence: &'static str) -> Row {
    Row { code, message, fault, sentence }
}

/// All codes with a meaning of their own; the first matching row wins.
///
/// # Source
/// Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".
pub const ROWS: &[Row] = &[
    row("RequestLimitExceeded", Fault::Throttled),
    row("EC2ThrottledException", Fault::Throttled),
    row("Throttling", Fault::Throttled),
    row("ThrottlingException", Fault::Throttled),
    row("ThrottledException", Fault::Throttled),
    row("RequestThrottled", Fault::Throttled),
    row("RequestThrottledException", Fault::Throttled),
    row("BandwidthLimitExceeded", Fault::Throttled),
    row("PriorRequestNotComplete", Fault::Throttled),
    row("TooManyRequestsException", Fault::Throttled),
    row("SlowDown", Fault::Throttled),
    row("InternalError", Fault::Silent),
    row("InternalFailure", Fault::Silent),
    row("ServerInternal", Fault::Silent),
    row("ServiceUnavailable", Fault::Silent),
    row("Unavailable", Fault::Silent),
    row("UnauthorizedOperation", Fault::Denied),
    row("AccessDenied", Fault::Denied),
    row("AccessDeniedException", Fault::Denied),
    // One code, several meanings: bad credentials, an address that belongs to another account or that a service uses.
    by_message("AuthFailure", "does not belong to you", Fault::Unknown, ""),
    // The address of a NAT gateway, a load balancer or a database: EC2's answer to an attempt to take it.
    by_message(
        "AuthFailure",
        "permission to access the specified resource",
        Fault::ServiceManaged,
        "used by an AWS service",
    ),
    row("AuthFailure", Fault::Credentials),
    row("InvalidClientTokenId", Fault::Credentials),
    row("MissingAuthenticationToken", Fault::Credentials),
    row("MissingAuthenticationTokenException", Fault::Credentials),
    row("UnrecognizedClientException", Fault::Credentials),
    row("ExpiredToken", Fault::Credentials),
    row("ExpiredTokenException", Fault::Credentials),
    row("InvalidAccessKeyId", Fault::Credentials),
    row("SignatureDoesNotMatch", Fault::Credentials),
    row("InvalidSignatureException", Fault::Credentials),
    row("IncompleteSignature", Fault::Credentials),
    row("RequestExpired", Fault::Credentials),
    row("RequestTimeTooSkewed", Fault::Credentials),
    row("OptInRequired", Fault::Credentials),
    row("Blocked", Fault::Credentials),
    row("PendingVerification", Fault::Credentials),
    row("InvalidAllocationID.NotFound", Fault::Unknown),
    row("InvalidAddress.NotFound", Fault::Unknown),
    row("InvalidAddressID.NotFound", Fault::Unknown),
    by_message(
        "InvalidAddress.Locked",
        "",
        Fault::Target,
        "a transfer or task is pending, accept or cancel it",
    ),
    row("InvalidAssociationID.NotFound", Fault::AssociationGone),
    // Private addresses: matched by message, because the code says only that a parameter is wrong.
    by_message("InvalidParameterValue", "not assigned to interface", Fault::AssociationGone, ""),
    by_message(
        "InvalidParameterValue",
        "within the subnet's address range",
        Fault::Target,
        "not in the interface's subnet, which lies in one zone",
    ),
    by_message("InvalidParameterValue", "already been assigned", Fault::AlreadyAssociated, ""),
    // Routes: the code of a missing one is that of any wrong parameter.
    by_message(
        "InvalidParameterValue",
        "Use CreateRoute",
        Fault::Unknown,
        "the table has no route for the address, create it",
    ),
    row("InvalidRoute.NotFound", Fault::Unknown),
    row("InvalidRouteTableID.NotFound", Fault::Unknown),
    row("InvalidRouteTableId.NotFound", Fault::Unknown),
    row("InvalidRouteTableId.Malformed", Fault::Unknown),
    row("InvalidRouteTableID.Malformed", Fault::Unknown),
    row("Resource.AlreadyAssociated", Fault::AlreadyAssociated),
    row("Resource.AlreadyAssigned", Fault::AlreadyAssociated),
    row("InvalidIPAddress.InUse", Fault::AlreadyAssociated),
    // Not ready yet: treated as no response.
    row("IncorrectInstanceState", Fault::Silent),
    by_message("InvalidInstanceID", "pending", Fault::Silent, ""),
    row("Gateway.NotAttached", Fault::Target),
    row("InvalidNetworkInterfaceID.NotFound", Fault::Target),
    row("InvalidNetworkInterfaceId.Malformed", Fault::Target),
    row("InvalidNetworkInterfaceID.Malformed", Fault::Target),
    row("InvalidInstanceID", Fault::Target),
    row("InvalidInstanceID.NotFound", Fault::Target),
    row("InvalidPrivateIpAddress.NotFound", Fault::Target),
    row("PrivateIpAddressLimitExceeded", Fault::Target),
    row("InvalidInstanceID.Malformed", Fault::Target),
    row("InvalidParameterValue", Fault::Target),
    row("InvalidParameterCombination", Fault::Target),
    row("InvalidNetworkBorderGroup", Fault::Target),
    row("UnsupportedOperation", Fault::Target),
    row("OperationNotPermitted", Fault::Target),
];

/// The meaning of an error code of EC2 for the agent.
///
/// `status` is the HTTP status, `message` EC2's message, which alone disambiguates some codes.
#[cfg(any(feature = "sdk", feature = "model", test))]
pub(in crate::cloud) fn fault_of(code: Option<&str>, status: u16, message: &str) -> Fault {
    let row = code.and_then(|code| row_of(code, message));
    match row {
        Some(row) => row.fault,
        None if status == 429 => Fault::Throttled,
        // An answer without a code came from a proxy or load balancer: it says nothing about IAM, and the next attempt
        // may get through.
        None if code.is_none() || status >= 500 => Fault::Silent,
        None => Fault::Refused,
    }
}

/// The code, followed by its hint if it has one.
#[cfg(any(feature = "sdk", feature = "model", test))]
pub(in crate::cloud) fn answer_of(code: &str, message: &str) -> String {
    match row_of(code, message).map(|row| row.sentence) {
        Some(sentence) if !sentence.is_empty() => format!("{code}: {sentence}"),
        _ => code.to_owned(),
    }
}

#[cfg(any(feature = "sdk", feature = "model", test))]
fn row_of(code: &str, message: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.code == code && message.contains(row.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_table_of_exit_codes_expects() {
        let rows = [
            ("RequestLimitExceeded", 503, "", Fault::Throttled),
            ("InternalError", 500, "", Fault::Silent),
            ("UnauthorizedOperation", 403, "", Fault::Denied),
            (
                "AuthFailure",
                401,
                "AWS was not able to validate the provided access credentials",
                Fault::Credentials,
            ),
            ("AuthFailure", 400, "The address '203.0.113.9' does not belong to you.", Fault::Unknown),
            (
                "AuthFailure",
                400,
                "You do not have permission to access the specified resource.",
                Fault::ServiceManaged,
            ),
            ("InvalidAllocationID.NotFound", 400, "", Fault::Unknown),
            ("InvalidAssociationID.NotFound", 400, "", Fault::AssociationGone),
            ("Resource.AlreadyAssociated", 400, "", Fault::AlreadyAssociated),
            ("InvalidInstanceID", 400, "The pending instance 'i-1' is not in a valid state", Fault::Silent),
            ("InvalidInstanceID", 400, "There are multiple interfaces attached", Fault::Target),
            ("Gateway.NotAttached", 400, "", Fault::Target),
            ("Resource.AlreadyAssigned", 400, "", Fault::AlreadyAssociated),
            ("PrivateIpAddressLimitExceeded", 400, "", Fault::Target),
            (
                "InvalidParameterValue",
                400,
                "Some of the specified addresses are not assigned to interface eni-1",
                Fault::AssociationGone,
            ),
            (
                "InvalidParameterValue",
                400,
                "Address does not fall within the subnet's address range",
                Fault::Target,
            ),
            ("InvalidParameterValue", 400, "Address is in subnet's reserved address range", Fault::Target),
            ("InvalidParameterValue", 400, "", Fault::Target),
            (
                "InvalidParameterValue",
                400,
                "There is no route defined for '192.0.2.1/32' in the route table. Use CreateRoute instead.",
                Fault::Unknown,
            ),
            ("InvalidRouteTableID.NotFound", 400, "", Fault::Unknown),
            ("InvalidAddress.Locked", 400, "", Fault::Target),
            ("SomethingNew", 400, "", Fault::Refused),
            ("SomethingNew", 503, "", Fault::Silent),
        ];
        for (code, status, message, fault) in rows {
            assert_eq!(fault_of(Some(code), status, message), fault, "{code} {status} {message}");
        }
    }

    #[test]
    fn an_answer_without_a_code_is_judged_by_its_status() {
        assert_eq!(fault_of(None, 502, "<html>"), Fault::Silent);
        assert_eq!(fault_of(None, 403, "<html>"), Fault::Silent);
        assert_eq!(fault_of(None, 200, ""), Fault::Silent);
    }

    /// [code-11]
    #[test]
    fn a_row_with_a_sentence_shows_code_and_sentence() {
        let locked = answer_of("InvalidAddress.Locked", "");
        assert_eq!(locked, "InvalidAddress.Locked: a transfer or task is pending, accept or cancel it");
        assert_eq!(answer_of("InternalError", ""), "InternalError");
        let elsewhere =
            answer_of("InvalidParameterValue", "Address does not fall within the subnet's address range");
        assert!(elsewhere.contains("lies in one zone"), "{elsewhere}");
    }
}
