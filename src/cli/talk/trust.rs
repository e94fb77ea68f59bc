//! Whose certificates are believed.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::Arc;

/// There are no certificates to check others by.
#[derive(Debug, thiserror::Error)]
#[error("{path}: no trusted certificates; set SSL_CERT_FILE, or take any with --insecure", path = .0.display())]
pub struct NoTrust(PathBuf);

/// Debian's package ca-certificates.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Believes the authorities that this system knows, or those of the file that `SSL_CERT_FILE` names.
///
/// # Errors
/// There are none.
pub fn known() -> Result<ClientConfig, NoTrust> {
    let path = PathBuf::from(std::env::var_os("SSL_CERT_FILE").unwrap_or_else(|| BUNDLE.into()));
    let mut roots = RootCertStore::empty();
    let Ok(bundle) = CertificateDer::pem_file_iter(&path) else { return Err(NoTrust(path)) };
    roots.add_parsable_certificates(bundle.flatten());
    if roots.is_empty() {
        return Err(NoTrust(path));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// Believes everyone: encrypted, but to whom is not known.
pub fn anyone() -> ClientConfig {
    let verifier = Arc::new(Anyone(ring::default_provider().signature_verification_algorithms));
    ClientConfig::builder().dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
}

/// Asks only that the server holds the key of the certificate that it shows.
#[derive(Debug)]
struct Anyone(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
