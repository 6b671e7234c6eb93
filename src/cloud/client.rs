//! HTTP clients: one for the metadata service, which never uses a proxy, and one for EC2 and STS, which honours
//! `HTTPS_PROXY` and `NO_PROXY`. TLS is always verified; no parameter turns that off.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::imds;
use aws_config::provider_config::ProviderConfig;
use aws_sdk_ec2::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::bounded::bounded;
use super::settings::Settings;
use crate::base::small_file;

/// Where the metadata service answers.
const IMDS_IPV4: &str = "http://169.254.169.254";
/// The same over IPv6, where it is switched on.
const IMDS_IPV6: &str = "http://[fd00:ec2::254]";
/// Limit for a connection to the metadata service, which is on the same host: one that takes longer is lost.
const IMDS_CONNECT: Duration = Duration::from_millis(500);
/// Limit for one answer of the metadata service.
const IMDS_READ: Duration = Duration::from_secs(1);

/// The largest answer of the metadata service that is read. The longest that the agent asks for are a few kilobytes: a token, a list.
const IMDS_LARGEST: usize = 64 << 10;
/// The largest answer of EC2 or STS that is read: one instance with all the interfaces and addresses that it can have is a third of that.
const HTTPS_LARGEST: usize = 1 << 20;
/// The largest bundle of certificates that is read; the usual ones of whole systems are a quarter of a megabyte.
const LARGEST_BUNDLE: u64 = 4 << 20;

/// Returns the client for the metadata service: version 2 of it only, one token for the process, one attempt a call.
///
/// # Errors
/// A sentence about the endpoint when it is no URI.
pub fn imds(settings: &Settings) -> Result<imds::Client, String> {
    let config = ProviderConfig::empty()
        .with_http_client(bounded(Builder::new().build_http(), IMDS_LARGEST))
        .with_sleep_impl(TokioSleep::new());
    let builder = imds::Client::builder()
        .configure(&config)
        .max_attempts(1)
        .connect_timeout(IMDS_CONNECT)
        .read_timeout(IMDS_READ)
        .operation_attempt_timeout(IMDS_CONNECT + IMDS_READ)
        .operation_timeout((IMDS_CONNECT + IMDS_READ) * 2);
    // Always said, because where it is not, the client reads the variables itself, unchecked.
    let usual = if settings.imds_over_ipv6 { IMDS_IPV6 } else { IMDS_IPV4 };
    let endpoint = settings.imds_endpoint.as_deref().unwrap_or(usual);
    let builder = builder.endpoint(endpoint).map_err(|error| format!("imds_endpoint {endpoint}: {error}"))?;
    Ok(builder.build())
}

/// Returns the URL at which the SDK asks EC2 in this region, where it is not set to another; nothing where it knows none.
pub async fn ec2_endpoint(settings: &Settings, region: Option<String>) -> Option<String> {
    if let Some(url) = &settings.ec2_endpoint {
        return Some(url.clone());
    }
    let params =
        Params::builder().region(region?).use_fips(settings.fips).use_dual_stack(settings.dual_stack);
    let endpoint = DefaultResolver::new().resolve_endpoint(&params.build().ok()?).await.ok()?;
    Some(endpoint.url().to_owned())
}

/// Returns the client for EC2 and STS.
///
/// # Errors
/// A sentence about the CA bundle when it can't be read or holds no certificate.
pub fn https(settings: &Settings) -> Result<SharedHttpClient, String> {
    let trust = if let Some(path) = &settings.ca_bundle {
        trust_only(path)?
    } else {
        check_system_certificates()?;
        TrustStore::default()
    };
    let context = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| format!("TLS can't be set up: {error}"))?;
    let client = Builder::new().build_with_connector_fn(move |timeouts, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone())
            .proxy_config(ProxyConfig::from_env())
            .enable_tcp_nodelay(true);
        connector.set_connector_settings(timeouts.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    });
    Ok(bounded(client, HTTPS_LARGEST))
}

/// Makes sure that what the environment names as the system's certificates can be read: the SDK reads all of it, whatever it is.
fn check_system_certificates() -> Result<(), String> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(file) = named("SSL_CERT_FILE").map(PathBuf::from) {
        let refused = small_file::refused(&file, LARGEST_BUNDLE);
        refused.map_or(Ok(()), |reason| Err(format!("SSL_CERT_FILE {}: {reason}", file.display())))?;
    }
    let folders = named("SSL_CERT_DIR").unwrap_or_default();
    let files = std::env::split_paths(&folders)
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .flatten();
    // Of a folder, only plain files are read.
    for file in files.map(|entry| entry.path()).filter(|path| path.is_file()) {
        let refused = small_file::refused(&file, LARGEST_BUNDLE);
        refused.map_or(Ok(()), |reason| Err(format!("SSL_CERT_DIR {}: {reason}", file.display())))?;
    }
    Ok(())
}

/// Returns a store that trusts the certificates of this PEM file and no others.
///
/// Each is tried here first, because the SDK's client panics on one that it can't parse.
fn trust_only(path: &Path) -> Result<TrustStore, String> {
    let shown = path.display();
    let pem =
        small_file::read(path, LARGEST_BUNDLE).map_err(|error| format!("ca_bundle {shown}: {error}"))?;
    let mut tried = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        certificate
            .map_err(|error| format!("ca_bundle {shown}: {error}"))
            .and_then(|der| tried.add(der).map_err(|error| format!("ca_bundle {shown}: {error}")))?;
    }
    if tried.is_empty() {
        return Err(format!("ca_bundle {shown}: no PEM certificate in it"));
    }
    Ok(TrustStore::empty().with_pem_certificate(pem))
}
