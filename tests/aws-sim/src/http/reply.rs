//! An HTTP response before it is sent.

use std::fmt::Write;

use eip::base::ids::AssociationId;

/// A response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) server: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// AWS error code, for the log.
    pub(crate) code: Option<String>,
    /// The association made or dissolved, for the log.
    pub(crate) association_id: Option<AssociationId>,
}

impl Reply {
    /// Status 200 with unreadable bytes.
    pub(crate) fn garbage() -> Self {
        let body = (0..257_u32).map(|n| u8::try_from((n * 167 + 131) % 256).unwrap_or_default()).collect();
        Self {
            status: 200,
            content_type: "text/xml;charset=UTF-8",
            server: "AmazonEC2",
            body,
            ..Self::default()
        }
    }

    /// The error page of a proxy between client and service.
    pub(crate) fn proxy_page(status: u16) -> Self {
        let body = format!(
            "<!DOCTYPE html>\n<html><head><title>{status} Error</title></head>\n\
             <body><h1>The proxy could not serve your request</h1><hr>proxy.example</body></html>\n"
        );
        Self {
            status,
            content_type: "text/html",
            server: "proxy",
            body: body.into_bytes(),
            ..Self::default()
        }
    }

    /// The same response without the second half of the body.
    pub(crate) fn truncated(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }

    /// The response as bytes of HTTP/1.1, for responses written by hand.
    pub(crate) fn wire(&self) -> Vec<u8> {
        let mut text = format!(
            "HTTP/1.1 {} Answer\r\nContent-Type: {}\r\nServer: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
            self.status,
            self.content_type,
            self.server,
            self.body.len()
        );
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
