//! Checks AWS Signature Version 4 in the `Authorization` header.
//!
//! Written from the specification and not with the crate that signs for the SDK, so that client and server do not
//! share a mistake. Presigned requests (signature in the query) are not accepted.
//!
//! # Source
//! IAM User Guide, "Create a signed AWS API request".

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use hyper::{HeaderMap, Method, Uri};
use sha2::{Digest, Sha256};
use time::PrimitiveDateTime;

use eip::cloud::model::{ApiError, REGION, Service};

use crate::credentials::Key;

/// Allowed difference between the signing time and the server's, in seconds.
const WINDOW: f64 = 15.0 * 60.0;
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request as it was signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The parts of an `Authorization` header.
#[derive(Clone, Debug)]
pub(crate) struct Authorization<'a> {
    /// Id of the access key.
    pub(crate) key_id: &'a str,
    day: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Parses the header; `None` if it is absent or has another form.
    pub(crate) fn read(headers: &'a HeaderMap) -> Option<Self> {
        let text = headers.get("authorization")?.to_str().ok()?;
        let fields = text.strip_prefix(ALGORITHM)?;
        let field = |name: &str| {
            fields.split(',').find_map(|f| f.trim().strip_prefix(name).and_then(|f| f.strip_prefix('=')))
        };
        let mut scope = field("Credential")?.split('/');
        let authorization = Self {
            key_id: scope.next()?,
            day: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
        };
        (scope.next() == Some("aws4_request") && scope.next().is_none()).then_some(authorization)
    }

    /// Checks that `request` was signed with `key`, for this service and Region, at about `now`.
    ///
    /// # Errors
    /// The error of the called service: wrong scope, signing time out of the window, expired or foreign session
    /// token, wrong signature.
    pub(crate) fn verify(
        &self,
        request: Signed<'_>,
        key: &Key,
        service: Service,
        now: f64,
    ) -> Result<(), ApiError> {
        let expected = if service == Service::Sts { "sts" } else { "ec2" };
        if self.service != expected {
            return Err(refused(&format!("Credential should be scoped to correct service: '{expected}'.")));
        }
        if self.region != REGION {
            return Err(refused("Credential should be scoped to a valid region."));
        }
        let stamp = header(request.headers, "x-amz-date").unwrap_or_default();
        let signed_at = signing_time(stamp).filter(|_| stamp.starts_with(self.day));
        let Some(signed_at) = signed_at else {
            return Err(refused("Date in Credential scope does not match YYYYMMDD from X-Amz-Date."));
        };
        if (signed_at - now).abs() > WINDOW {
            return Err(match service {
                Service::Sts => refused(&format!("Signature expired or not yet current: {stamp}")),
                Service::Ec2 | Service::Imds => request_expired(),
            });
        }
        let token = header(request.headers, "x-amz-security-token");
        if token != key.session_token.as_deref() {
            return Err(unknown_credentials(service));
        }
        if key.expires.is_some_and(|at| at <= now) {
            return Err(match service {
                Service::Sts => ApiError::new(
                    403,
                    "ExpiredToken",
                    "The security token included in the request is expired",
                ),
                Service::Ec2 | Service::Imds => request_expired(),
            });
        }
        self.all_needed_headers_are_signed(request)?;
        let expected = hex::encode(self.signature(request, &key.secret, stamp));
        if expected == self.signature { Ok(()) } else { Err(refused(MISMATCH)) }
    }

    fn all_needed_headers_are_signed(&self, request: Signed<'_>) -> Result<(), ApiError> {
        let signed = |name: &str| self.signed_headers.split(';').any(|s| s == name);
        let unsigned = request
            .headers
            .keys()
            .map(hyper::header::HeaderName::as_str)
            .find(|name| (*name == "host" || name.starts_with("x-amz-")) && !signed(name));
        unsigned.map_or(Ok(()), |name| {
            Err(refused(&format!("'{name}' must be a 'SignedHeader' in the AWS Authorization header.")))
        })
    }

    fn signature(&self, request: Signed<'_>, secret: &str, stamp: &str) -> Vec<u8> {
        let canonical = hex::encode(Sha256::digest(self.canonical(request)));
        let scope = format!("{}/{}/{}/aws4_request", self.day, self.region, self.service);
        let text = format!("{ALGORITHM}\n{stamp}\n{scope}\n{canonical}");
        let steps = [self.day, self.region, self.service, "aws4_request", &text];
        steps.iter().fold(format!("AWS4{secret}").into_bytes(), |key, step| mac(&key, step))
    }

    fn canonical(&self, request: Signed<'_>) -> String {
        // The Query API uses no query string: if there is one, it was not signed.
        let (path, query) = (request.uri.path(), request.uri.query().unwrap_or_default());
        let mut text = format!("{}\n{path}\n{query}\n", request.method);
        for name in self.signed_headers.split(';') {
            let values: Vec<_> = request
                .headers
                .get_all(name)
                .iter()
                .filter_map(|v| v.to_str().ok())
                .map(|v| v.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
                .collect();
            let _ = writeln!(text, "{name}:{}", values.join(","));
        }
        let _ = write!(text, "\n{}\n{}", self.signed_headers, hex::encode(Sha256::digest(request.body)));
        text
    }
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your \
                        AWS Secret Access Key and signing method. Consult the service documentation for details.";

fn refused(message: &str) -> ApiError {
    ApiError::new(403, "SignatureDoesNotMatch", message)
}

fn request_expired() -> ApiError {
    ApiError::client("RequestExpired", "Request has expired.")
}

/// The response to an unknown key or session token.
pub(crate) fn unknown_credentials(service: Service) -> ApiError {
    match service {
        Service::Sts => ApiError::new(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        ),
        Service::Ec2 | Service::Imds => {
            ApiError::new(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
        }
    }
}

/// The response to a request without a usable `Authorization` header.
pub(crate) fn unsigned(service: Service) -> ApiError {
    match service {
        Service::Sts => {
            ApiError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        }
        Service::Ec2 | Service::Imds => {
            ApiError::client("MissingParameter", "The request must contain the parameter AWSAccessKeyId")
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn signing_time(stamp: &str) -> Option<f64> {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    let then = PrimitiveDateTime::parse(stamp, format).ok()?.assume_utc().unix_timestamp();
    u32::try_from(then).ok().map(f64::from)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC accepts keys of every length; the error type belongs to the trait.
    Hmac::<Sha256>::new_from_slice(key)
        .map_or_else(|_| Vec::new(), |mac| mac.chain_update(text.as_bytes()).finalize().into_bytes().to_vec())
}
