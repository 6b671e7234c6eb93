//! HTTPS clients: for EC2, STS and webhooks, which honour `HTTPS_PROXY` and `NO_PROXY`, and for sources of credentials on this
//! host. TLS is always verified; no parameter turns that off.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_ec2::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::base64;
use aws_smithy_types::body::SdkBody;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::bounded::{bounded, bounded_and_whole};
use super::settings::Settings;
use crate::base::{innermost, small_file};

/// Largest accepted response of EC2 or STS. The longest that the agent requests is a page of route tables: see there.
const HTTPS_LARGEST: usize = 2 << 20;
/// Largest accepted CA bundle; those of whole distributions are a quarter of a megabyte.
const LARGEST_BUNDLE: u64 = 4 << 20;

/// The URL that the SDK would use for EC2 in this region, unless overridden; `None` if it knows none.
pub async fn ec2_endpoint(settings: &Settings, region: Option<String>) -> Option<String> {
    if let Some(url) = &settings.ec2_endpoint {
        return Some(url.clone());
    }
    let (fips, dual_stack) = (settings.fips.unwrap_or_default(), settings.dual_stack.unwrap_or_default());
    let params = Params::builder().region(region?).use_fips(fips).use_dual_stack(dual_stack);
    let endpoint = DefaultResolver::new().resolve_endpoint(&params.build().ok()?).await.ok()?;
    Some(endpoint.url().to_owned())
}

/// The client for EC2 and STS, through a proxy if the environment names one.
///
/// # Errors
/// A sentence about the CA bundle if it cannot be read or holds no certificate.
pub fn https(settings: &Settings) -> Result<SharedHttpClient, String> {
    Ok(bounded_and_whole(tls(trust(settings)?, ProxyConfig::from_env), HTTPS_LARGEST))
}

/// The client for sources of credentials on this host, plain text or TLS. Never through a proxy, which would see their
/// tokens and answer with the credentials of its own host.
///
/// # Errors
/// As [`https`].
pub fn direct(settings: &Settings) -> Result<SharedHttpClient, String> {
    Ok(bounded(tls(trust(settings)?, ProxyConfig::disabled), HTTPS_LARGEST))
}

/// A client for one webhook, through a proxy if the environment names one.
#[derive(Debug)]
pub struct Webhook(Connector);

/// The client for a webhook, with limits for a connection and for an answer.
///
/// # Errors
/// As [`https`].
pub fn webhook(settings: &Settings, limit: Duration) -> Result<Webhook, String> {
    let limits = HttpConnectorSettings::builder().connect_timeout(limit).read_timeout(limit).build();
    let sleep = Some(SharedAsyncSleep::new(TokioSleep::new()));
    Ok(Webhook(connector(&trust(settings)?, ProxyConfig::from_env(), Some(limits), sleep)))
}

impl Webhook {
    /// Posts a JSON document once, and returns the status of the response.
    ///
    /// # Errors
    /// The innermost cause, if there was no response.
    pub async fn post(&self, url: &http::Uri, document: String) -> Result<u16, String> {
        let mut request = HttpRequest::new(SdkBody::from(document));
        request.set_method("POST").map_err(|error| error.to_string())?;
        request.set_uri(url.to_string()).map_err(|error| error.to_string())?;
        request.headers_mut().insert("content-type", "application/json");
        request.headers_mut().insert("user-agent", concat!("eip/", env!("CARGO_PKG_VERSION")));
        let response = self.0.call(request).await.map_err(|error| innermost(&error))?;
        Ok(response.status().as_u16())
    }
}

fn trust(settings: &Settings) -> Result<TlsContext, String> {
    let trust = if let Some(path) = &settings.ca_bundle {
        trust_only(path).map_err(|error| format!("ca_bundle {}: {error}", path.display()))?
    } else {
        check_system_certificates()?;
        TrustStore::default()
    };
    let context = TlsContext::builder().with_trust_store(trust).build();
    context.map_err(|error| format!("TLS can't be set up: {error}"))
}

fn tls(context: TlsContext, proxy: fn() -> ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |timeouts, components| {
        let sleep = components.and_then(RuntimeComponents::sleep_impl);
        connector(&context, proxy(), timeouts.cloned(), sleep)
    })
}

fn connector(
    context: &TlsContext,
    proxy: ProxyConfig,
    limits: Option<HttpConnectorSettings>,
    sleep: Option<SharedAsyncSleep>,
) -> Connector {
    let mut connector = Connector::builder()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.clone())
        .proxy_config(proxy)
        .enable_tcp_nodelay(true);
    connector.set_connector_settings(limits);
    connector.set_sleep_impl(sleep);
    connector.build()
}

/// Checks that the system certificates that the environment names are readable: the SDK reads them without a limit.
fn check_system_certificates() -> Result<(), String> {
    let (single, folders) = ("SSL_CERT_FILE", "SSL_CERT_DIR");
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let paths = named(folders).unwrap_or_default();
    let files = std::env::split_paths(&paths).filter_map(|folder| std::fs::read_dir(folder).ok());
    // Only plain files of a folder are read.
    let files = files.flatten().flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let single = named(single).map(|file| (single, PathBuf::from(file)));
    for (name, file) in single.into_iter().chain(files.map(|file| (folders, file))) {
        if let Some(reason) = small_file::refused(&file, LARGEST_BUNDLE) {
            return Err(format!("{name} {}: {reason}", file.display()));
        }
    }
    Ok(())
}

/// A trust store with the certificates of this PEM file only.
///
/// Each certificate is parsed here first, because the SDK's client panics on one that it cannot parse.
fn trust_only(path: &Path) -> Result<TrustStore, String> {
    let pem = small_file::read(path, LARGEST_BUNDLE).map_err(|error| error.to_string())?;
    let pem = plain(&pem)?;
    let mut tried = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        tried.add(certificate).map_err(|error| error.to_string())?;
    }
    if tried.is_empty() {
        return Err("no PEM certificate in it".to_owned());
    }
    Ok(TrustStore::empty().with_pem_certificate(pem))
}

/// Normalises what OpenSSL, and so curl, accepts in addition to plain PEM: a byte order mark, and `TRUSTED
/// CERTIFICATE`, which appends OpenSSL's own data to the certificate.
fn plain(pem: &[u8]) -> Result<Vec<u8>, String> {
    const BEGIN: &str = "-----BEGIN TRUSTED CERTIFICATE-----";
    const END: &str = "-----END TRUSTED CERTIFICATE-----";
    let pem = pem.strip_prefix("\u{feff}".as_bytes()).unwrap_or(pem);
    let text = String::from_utf8_lossy(pem);
    let mut rest = text.as_ref();
    let mut plain = String::new();
    while let Some((before, block)) = rest.split_once(BEGIN) {
        let (body, after) = block.split_once(END).ok_or("TRUSTED CERTIFICATE without END")?;
        let body: String = body.split_whitespace().collect();
        let der = base64::decode(body).map_err(|error| format!("TRUSTED CERTIFICATE: {error}"))?;
        let certificate = first_of(&der).ok_or("truncated TRUSTED CERTIFICATE")?;
        plain.push_str(before);
        plain.push_str("-----BEGIN CERTIFICATE-----");
        plain.push('\n');
        for line in base64::encode(certificate).as_bytes().chunks(64) {
            plain.push_str(&String::from_utf8_lossy(line));
            plain.push('\n');
        }
        plain.push_str("-----END CERTIFICATE-----");
        rest = after;
    }
    plain.push_str(rest);
    Ok(plain.into_bytes())
}

/// The first of several concatenated DER values: a certificate without OpenSSL's trailer.
fn first_of(der: &[u8]) -> Option<&[u8]> {
    let (&[_tag, length], rest) = der.split_first_chunk::<2>()?;
    let (header, length) = match length {
        0..=0x7f => (2, usize::from(length)),
        // Lengths of up to four bytes; no certificate is longer.
        0x81..=0x84 => {
            let bytes = rest.get(..usize::from(length & 0x7f))?;
            (2 + bytes.len(), bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
        }
        _ => return None,
    };
    der.get(..header + length)
}
