//! The only place that compares EC2's error codes, which are strings: the generated crate models none of them. Also checks
//! whether a response is complete.

use super::Ec2Fault;

/// One row: EC2's answer, its meaning for the agent, and the hint that an operator reads next to the code.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The code without the `Client.` or `Server.` prefix, which is not on the wire.
    pub code: &'static str,
    /// A part of EC2's message, if the code alone is ambiguous; empty otherwise.
    pub message: &'static str,
    /// Its meaning for the agent.
    pub fault: Ec2Fault,
    /// Hint for the operator next to the code; empty if the code is clear.
    pub sentence: &'static str,
}

const fn row(code: &'static str, fault: Ec2Fault) -> Row {
    Row { code, message: "", fault, sentence: "" }
}

const fn by_message(
    code: &'static str,
    message: &'static str,
    fault: Ec2Fault,
    sentence: &'static str,
) -> Row {
    Row { code, message, fault, sentence }
}

/// All codes with a meaning of their own; the first matching row wins.
///
/// # Source
/// Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".
pub const ROWS: &[Row] = &[
    row("RequestLimitExceeded", Ec2Fault::Throttled),
    row("EC2ThrottledException", Ec2Fault::Throttled),
    row("Throttling", Ec2Fault::Throttled),
    row("ThrottlingException", Ec2Fault::Throttled),
    row("ThrottledException", Ec2Fault::Throttled),
    row("RequestThrottled", Ec2Fault::Throttled),
    row("RequestThrottledException", Ec2Fault::Throttled),
    row("BandwidthLimitExceeded", Ec2Fault::Throttled),
    row("PriorRequestNotComplete", Ec2Fault::Throttled),
    row("TooManyRequestsException", Ec2Fault::Throttled),
    row("SlowDown", Ec2Fault::Throttled),
    row("InternalError", Ec2Fault::Silent),
    row("InternalFailure", Ec2Fault::Silent),
    row("ServerInternal", Ec2Fault::Silent),
    row("ServiceUnavailable", Ec2Fault::Silent),
    row("Unavailable", Ec2Fault::Silent),
    row("UnauthorizedOperation", Ec2Fault::Denied),
    row("AccessDenied", Ec2Fault::Denied),
    row("AccessDeniedException", Ec2Fault::Denied),
    // One code, several meanings: bad credentials, an address that belongs to another account or that a service uses.
    by_message("AuthFailure", "does not belong to you", Ec2Fault::Unknown, ""),
    // The address of a NAT gateway, a load balancer or a database: EC2's answer to an attempt to take it.
    by_message(
        "AuthFailure",
        "permission to access the specified resource",
        Ec2Fault::ServiceManaged,
        "used by an AWS service",
    ),
    row("AuthFailure", Ec2Fault::Credentials),
    row("InvalidClientTokenId", Ec2Fault::Credentials),
    row("MissingAuthenticationToken", Ec2Fault::Credentials),
    row("MissingAuthenticationTokenException", Ec2Fault::Credentials),
    row("UnrecognizedClientException", Ec2Fault::Credentials),
    row("ExpiredToken", Ec2Fault::Credentials),
    row("ExpiredTokenException", Ec2Fault::Credentials),
    row("InvalidAccessKeyId", Ec2Fault::Credentials),
    row("SignatureDoesNotMatch", Ec2Fault::Credentials),
    row("InvalidSignatureException", Ec2Fault::Credentials),
    row("IncompleteSignature", Ec2Fault::Credentials),
    row("RequestExpired", Ec2Fault::Credentials),
    row("RequestTimeTooSkewed", Ec2Fault::Credentials),
    row("OptInRequired", Ec2Fault::Credentials),
    row("Blocked", Ec2Fault::Credentials),
    row("PendingVerification", Ec2Fault::Credentials),
    row("InvalidAllocationID.NotFound", Ec2Fault::Unknown),
    row("InvalidAddress.NotFound", Ec2Fault::Unknown),
    row("InvalidAddressID.NotFound", Ec2Fault::Unknown),
    by_message(
        "InvalidAddress.Locked",
        "",
        Ec2Fault::Target,
        "a transfer or task is pending, accept or cancel it",
    ),
    row("InvalidAssociationID.NotFound", Ec2Fault::AssociationGone),
    // Private addresses: matched by message, because the code says only that a parameter is wrong.
    by_message("InvalidParameterValue", "not assigned to interface", Ec2Fault::AssociationGone, ""),
    by_message(
        "InvalidParameterValue",
        "within the subnet's address range",
        Ec2Fault::Target,
        "not in the interface's subnet, which lies in one zone",
    ),
    by_message("InvalidParameterValue", "already been assigned", Ec2Fault::AlreadyAssociated, ""),
    // Routes: the code of a missing one is that of any wrong parameter.
    by_message(
        "InvalidParameterValue",
        "Use CreateRoute",
        Ec2Fault::Unknown,
        "the table has no route for the address, create it",
    ),
    row("InvalidRoute.NotFound", Ec2Fault::Unknown),
    row("InvalidRouteTableID.NotFound", Ec2Fault::Unknown),
    row("InvalidRouteTableId.NotFound", Ec2Fault::Unknown),
    row("InvalidRouteTableId.Malformed", Ec2Fault::Unknown),
    row("InvalidRouteTableID.Malformed", Ec2Fault::Unknown),
    row("Resource.AlreadyAssociated", Ec2Fault::AlreadyAssociated),
    row("Resource.AlreadyAssigned", Ec2Fault::AlreadyAssociated),
    row("InvalidIPAddress.InUse", Ec2Fault::AlreadyAssociated),
    // Not ready yet: treated as no response.
    row("IncorrectInstanceState", Ec2Fault::Silent),
    by_message("InvalidInstanceID", "pending", Ec2Fault::Silent, ""),
    row("Gateway.NotAttached", Ec2Fault::Target),
    row("InvalidNetworkInterfaceID.NotFound", Ec2Fault::Target),
    row("InvalidNetworkInterfaceId.Malformed", Ec2Fault::Target),
    row("InvalidNetworkInterfaceID.Malformed", Ec2Fault::Target),
    row("InvalidInstanceID", Ec2Fault::Target),
    row("InvalidInstanceID.NotFound", Ec2Fault::Target),
    row("InvalidPrivateIpAddress.NotFound", Ec2Fault::Target),
    row("PrivateIpAddressLimitExceeded", Ec2Fault::Target),
    row("InvalidInstanceID.Malformed", Ec2Fault::Target),
    row("InvalidParameterValue", Ec2Fault::Target),
    row("InvalidParameterCombination", Ec2Fault::Target),
    row("InvalidNetworkBorderGroup", Ec2Fault::Target),
    row("UnsupportedOperation", Ec2Fault::Target),
    row("OperationNotPermitted", Ec2Fault::Target),
];

/// The meaning of an error code of EC2 for the agent.
///
/// `status` is the HTTP status, `message` EC2's message, which alone disambiguates some codes.
#[cfg(any(feature = "sdk", feature = "model", test))]
pub(in crate::cloud) fn fault_of(code: Option<&str>, status: u16, message: &str) -> Ec2Fault {
    let row = code.and_then(|code| row_of(code, message));
    match row {
        Some(row) => row.fault,
        None if status == 429 => Ec2Fault::Throttled,
        // An answer without a code came from a proxy or load balancer: it says nothing about IAM, and the next attempt
        // may get through.
        None if code.is_none() || status >= 500 => Ec2Fault::Silent,
        None => Ec2Fault::Refused,
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

/// Whether a document ends with the end tag of its root, such as `</DescribeAddressesResponse>`.
#[cfg(any(feature = "sdk", test))]
pub(in crate::cloud) fn is_whole(document: &[u8]) -> bool {
    document.trim_ascii_end().ends_with(b"Response>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_complete_when_its_root_has_ended() {
        assert!(is_whole(b"<DescribeAddressesResponse><a/></DescribeAddressesResponse>\n"));
        for text in ["", "<DescribeAddressesResponse><addr", "<html></html>", "\u{15}"] {
            assert!(!is_whole(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn codes_with_several_meanings_are_distinguished_by_message_and_status() {
        let rows = [
            ("RequestLimitExceeded", 503, "", Ec2Fault::Throttled),
            (
                "AuthFailure",
                401,
                "AWS was not able to validate the provided access credentials",
                Ec2Fault::Credentials,
            ),
            ("AuthFailure", 400, "The address '203.0.113.9' does not belong to you.", Ec2Fault::Unknown),
            (
                "AuthFailure",
                400,
                "You do not have permission to access the specified resource.",
                Ec2Fault::ServiceManaged,
            ),
            (
                "InvalidInstanceID",
                400,
                "The pending instance 'i-1' is not in a valid state",
                Ec2Fault::Silent,
            ),
            ("InvalidInstanceID", 400, "There are multiple interfaces attached", Ec2Fault::Target),
            (
                "InvalidParameterValue",
                400,
                "Some of the specified addresses are not assigned to interface eni-1",
                Ec2Fault::AssociationGone,
            ),
            (
                "InvalidParameterValue",
                400,
                "Address does not fall within the subnet's address range",
                Ec2Fault::Target,
            ),
            ("InvalidParameterValue", 400, "Address is in subnet's reserved address range", Ec2Fault::Target),
            ("InvalidParameterValue", 400, "", Ec2Fault::Target),
            (
                "InvalidParameterValue",
                400,
                "There is no route defined for '192.0.2.1/32' in the route table. Use CreateRoute instead.",
                Ec2Fault::Unknown,
            ),
            ("SomethingNew", 400, "", Ec2Fault::Refused),
            ("SomethingNew", 503, "", Ec2Fault::Silent),
        ];
        for (code, status, message, fault) in rows {
            assert_eq!(fault_of(Some(code), status, message), fault, "{code} {status} {message}");
        }
    }

    #[test]
    fn an_answer_without_a_code_is_judged_by_its_status() {
        assert_eq!(fault_of(None, 502, "<html>"), Ec2Fault::Silent);
        assert_eq!(fault_of(None, 403, "<html>"), Ec2Fault::Silent);
        assert_eq!(fault_of(None, 200, ""), Ec2Fault::Silent);
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
