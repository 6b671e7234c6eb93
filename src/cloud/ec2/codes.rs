//! EC2's error codes, compared in this one place. The generated crate models none of them, so they are strings.

use super::Fault;

/// Returns what an error code of EC2 means for the agent.
///
/// `status` is the HTTP status, `message` EC2's own sentence: some codes mean different things by their sentence only.
///
/// # Source
/// Amazon EC2 API Reference, "Error codes for the Amazon EC2 API". The wire form has no `Client.` or `Server.` prefix.
pub(in crate::cloud) fn fault_of(code: Option<&str>, status: u16, message: &str) -> Fault {
    let Some(code) = code else {
        return fault_of_status(status);
    };
    match code {
        "RequestLimitExceeded"
        | "EC2ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete"
        | "TooManyRequestsException"
        | "SlowDown" => Fault::Throttled,
        "InternalError" | "InternalFailure" | "ServerInternal" | "ServiceUnavailable" | "Unavailable" => {
            Fault::Unavailable
        }
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => Fault::Denied,
        // One code, two meanings: bad credentials, or an address that another account owns.
        "AuthFailure" if message.contains("does not belong to you") => Fault::Unknown,
        "AuthFailure"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "OptInRequired"
        | "Blocked"
        | "PendingVerification" => Fault::Credentials,
        "InvalidAllocationID.NotFound" | "InvalidAddress.NotFound" | "InvalidAddressID.NotFound" => {
            Fault::Unknown
        }
        "InvalidAssociationID.NotFound" => Fault::AssociationGone,
        // Private addresses: by sentences, because the code says only that a parameter is wrong.
        "InvalidParameterValue" if message.contains("not assigned to interface") => Fault::AssociationGone,
        "InvalidParameterValue" if message.contains("subnet's address range") => Fault::OtherSubnet,
        "InvalidParameterValue" if message.contains("already been assigned") => Fault::AlreadyAssociated,
        "Resource.AlreadyAssociated" | "Resource.AlreadyAssigned" | "InvalidIPAddress.InUse" => {
            Fault::AlreadyAssociated
        }
        "IncorrectInstanceState" => Fault::NotReady,
        "InvalidInstanceID" if message.contains("pending") => Fault::NotReady,
        "Gateway.NotAttached"
        | "InvalidNetworkInterfaceID.NotFound"
        | "InvalidNetworkInterfaceId.Malformed"
        | "InvalidNetworkInterfaceID.Malformed"
        | "InvalidInstanceID"
        | "InvalidInstanceID.NotFound"
        | "InvalidPrivateIpAddress.NotFound"
        | "PrivateIpAddressLimitExceeded"
        | "InvalidInstanceID.Malformed"
        | "InvalidParameterValue"
        | "InvalidParameterCombination"
        | "InvalidNetworkBorderGroup"
        | "UnsupportedOperation"
        | "OperationNotPermitted" => Fault::Target,
        _ if status >= 500 || status == 429 => fault_of_status(status),
        _ => Fault::Refused,
    }
}

/// Returns what an answer without a code means: it came from a proxy or a load balancer rather than from EC2.
fn fault_of_status(status: u16) -> Fault {
    match status {
        429 => Fault::Throttled,
        // A proxy's refusal says nothing about IAM: the next attempt may find the way open.
        401 | 403 | 407 | 500.. => Fault::Unavailable,
        _ => Fault::Garbled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_behaviour_document_says() {
        let rows = [
            ("RequestLimitExceeded", 503, "", Fault::Throttled),
            ("InternalError", 500, "", Fault::Unavailable),
            ("UnauthorizedOperation", 403, "", Fault::Denied),
            (
                "AuthFailure",
                401,
                "AWS was not able to validate the provided access credentials",
                Fault::Credentials,
            ),
            ("AuthFailure", 400, "The address '203.0.113.9' does not belong to you.", Fault::Unknown),
            ("InvalidAllocationID.NotFound", 400, "", Fault::Unknown),
            ("InvalidAssociationID.NotFound", 400, "", Fault::AssociationGone),
            ("Resource.AlreadyAssociated", 400, "", Fault::AlreadyAssociated),
            ("InvalidInstanceID", 400, "The pending instance 'i-1' is not in a valid state", Fault::NotReady),
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
                Fault::OtherSubnet,
            ),
            ("InvalidParameterValue", 400, "Address is in subnet's reserved address range", Fault::Target),
            ("InvalidParameterValue", 400, "", Fault::Target),
            ("SomethingNew", 400, "", Fault::Refused),
            ("SomethingNew", 503, "", Fault::Unavailable),
        ];
        for (code, status, message, fault) in rows {
            assert_eq!(fault_of(Some(code), status, message), fault, "{code} {status} {message}");
        }
    }

    #[test]
    fn an_answer_without_a_code_is_judged_by_its_status() {
        assert_eq!(fault_of(None, 502, "<html>"), Fault::Unavailable);
        assert_eq!(fault_of(None, 403, "<html>"), Fault::Unavailable);
        assert_eq!(fault_of(None, 200, ""), Fault::Garbled);
    }
}
