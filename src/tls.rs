//! TLS of the listener.

use crate::app::StartError;
use ringway_config::Tls;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// An acceptor with the configured certificate.
///
/// # Errors
/// The certificate or its key cannot be used.
pub fn acceptor(tls: &Tls) -> Result<TlsAcceptor, StartError> {
    let (chain, key) = match tls {
        Tls::SelfSigned => self_signed()?,
        Tls::Files { certificate, key } => (read_chain(certificate)?, read_key(key)?),
    };
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| StartError::Tls(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A certificate for the names that this machine is called by; made anew at each start.
fn self_signed() -> Result<Pair, StartError> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let made =
        rcgen::generate_simple_self_signed(names).map_err(|error| StartError::Tls(error.to_string()))?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .map_err(|error| StartError::Tls(error.to_owned()))?;
    Ok((vec![made.cert.der().clone()], key))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let refuse = |error: String| StartError::Tls(format!("{}: {error}", path.display()));
    let chain = CertificateDer::pem_file_iter(path).map_err(|error| refuse(error.to_string()))?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(|error| refuse(error.to_string()))?;
    if chain.is_empty() { Err(refuse("no certificate in it".into())) } else { Ok(chain) }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, StartError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| StartError::Tls(format!("{}: {error}", path.display())))
}
