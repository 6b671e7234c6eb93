//! The error response of a service.

/// An AWS error: status, code and text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status, such as 400.
    pub status: u16,
    /// AWS error code, without the `Client.` or `Server.` prefix of the documentation.
    pub code: String,
    /// Text for people; programs must not parse it.
    pub message: String,
}

impl ApiError {
    /// An error with this status, code and message.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// A client error with status 400, the status of nearly all of them.
    pub fn client(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// The error for a parameter value that EC2 does not accept.
    pub fn value(message: impl Into<String>) -> Self {
        Self::client("InvalidParameterValue", message)
    }
}
