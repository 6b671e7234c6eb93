//! The error a service answers with.

/// An AWS error: status, code and text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// AWS error code, without the `Client.` or `Server.` of the documents.
    pub code: String,
    /// Text for people.
    pub message: String,
}

impl ApiError {
    /// Makes an error.
    #[must_use]
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// Makes a client error with status 400, the status of nearly all of them.
    #[must_use]
    pub fn client(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Makes the error for a parameter whose value EC2 does not accept.
    #[must_use]
    pub fn value(message: impl Into<String>) -> Self {
        Self::client("InvalidParameterValue", message)
    }
}
