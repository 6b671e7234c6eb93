//! Limits what the SDK is given as a response: it buffers one of any size before parsing it, and parses what is missing in a truncated one
//! as absent, which turns "associated" into "not associated".

use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{RuntimeComponents, RuntimeComponentsBuilder};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::ec2::codes::is_whole;
use crate::base::find;

/// Wraps a client so that a response larger than `largest` bytes fails as soon as it exceeds the limit.
pub(super) fn bounded(inner: SharedHttpClient, largest: usize) -> SharedHttpClient {
    SharedHttpClient::new(Bounded { inner, largest, whole: false, limit: None })
}

/// The same for services that respond with XML: a success also fails if its document does not end with the end tag of its root.
/// The client's read timeout limits the whole response, not only its head.
pub(super) fn bounded_and_whole(inner: SharedHttpClient, largest: usize) -> SharedHttpClient {
    SharedHttpClient::new(Bounded { inner, largest, whole: true, limit: None })
}

/// A success whose document broke off, or that is not from the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the response is truncated")]
pub(super) struct NotWhole;

/// A success with a document of more than this many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an answer of more than {} MiB", .0 >> 20)]
pub(super) struct Oversized(usize);

/// The response did not end within the limit. Worded as the SDK's own client does.
#[derive(Debug, thiserror::Error)]
#[error("HTTP read timeout occurred after {0:?}")]
struct Late(Duration);

#[derive(Debug)]
struct Bounded<T> {
    inner: T,
    largest: usize,
    whole: bool,
    limit: Option<Duration>,
}

impl HttpClient for Bounded<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        let limit = settings.read_timeout().filter(|_| self.whole);
        SharedHttpConnector::new(Bounded { inner, largest: self.largest, whole: self.whole, limit })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl HttpConnector for Bounded<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, largest, whole, limit) =
            (self.inner.call(request), self.largest, self.whole, self.limit);
        let answer = async move {
            let answer = answer.await?.map(|body| SdkBody::from_body_1_x(Limited::new(body, largest)));
            if whole { read_whole(answer, largest).await } else { Ok(answer) }
        };
        HttpConnectorFuture::new(async move {
            let Some(limit) = limit else { return answer.await };
            let late = |_| Err(ConnectorError::timeout(Late(limit).into()));
            tokio::time::timeout(limit, answer).await.unwrap_or_else(late)
        })
    }
}

/// Reads the document of a response. Of an error, the status says enough if its document cannot be read.
async fn read_whole(mut answer: HttpResponse, largest: usize) -> Result<HttpResponse, ConnectorError> {
    let success = answer.status().is_success();
    let document = match answer.take_body().collect().await {
        Ok(document) => document.to_bytes(),
        Err(_) if !success => {
            *answer.body_mut() = SdkBody::empty();
            return Ok(answer);
        }
        Err(error) if find::<LengthLimitError>(error.as_ref()).is_some() => {
            return Err(ConnectorError::other(Oversized(largest).into(), None));
        }
        Err(error) => return Err(ConnectorError::io(error)),
    };
    if success && !is_whole(&document) {
        return Err(ConnectorError::other(NotWhole.into(), None));
    }
    *answer.body_mut() = SdkBody::from(document);
    Ok(answer)
}
