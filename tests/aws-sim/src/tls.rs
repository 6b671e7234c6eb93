//! Certificates for HTTPS: a temporary certificate authority, and certificates with defects.

use std::{io, sync::Arc};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;

/// A certificate's validity period, relative to now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// From an hour ago, for a day.
    Now,
    /// Expired an hour ago.
    Expired,
    /// Valid from tomorrow.
    NotYet,
}

/// A server certificate, its key, and the authority that signed it.
#[derive(Clone)]
pub struct Tls {
    ca_pem: String,
    pem: String,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("pem", &self.pem).finish_non_exhaustive()
    }
}

impl Tls {
    /// Creates an authority and a certificate for `names`, which are host names or addresses.
    ///
    /// For a wrong name, pass one that the client does not use. For an unknown issuer, give the client the
    /// [`ca_pem`](Self::ca_pem) of another `Tls`.
    ///
    /// # Errors
    /// For a name that no certificate can contain.
    pub fn new(names: &[&str], validity: Validity) -> io::Result<Self> {
        let (ca, issuer) = authority().map_err(io::Error::other)?;
        let (leaf, key) = leaf(names, validity, &issuer).map_err(io::Error::other)?;
        let chain = vec![leaf.der().clone(), ca.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
                .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { ca_pem: ca.pem(), pem: leaf.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// The authority's certificate, which a client needs in a file as its CA bundle.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The server's own certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}

fn authority() -> Result<(Certificate, Issuer<'static, KeyPair>), rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    // With its own name: to a client that trusts another authority, this one is unknown and not an impostor.
    params
        .distinguished_name
        .push(DnType::CommonName, format!("aws-sim authority {:016x}", fastrand::u64(..)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, Issuer::new(params, key)))
}

fn leaf(
    names: &[&str],
    validity: Validity,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<(Certificate, KeyPair), rcgen::Error> {
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
    params.distinguished_name.push(DnType::CommonName, "aws-sim");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now = OffsetDateTime::now_utc();
    (params.not_before, params.not_after) = match validity {
        Validity::Now => (now - Duration::HOUR, now + Duration::DAY),
        Validity::Expired => (now - Duration::DAY, now - Duration::HOUR),
        Validity::NotYet => (now + Duration::DAY, now + Duration::DAY * 2),
    };
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?, key))
}
