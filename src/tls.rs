//! TLS of the listener.

use crate::app::StartError;
use ringway_config::Tls;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// The listener's certificate, which may be replaced while it serves.
#[derive(Debug)]
pub struct Certificate {
    tls: Tls,
    present: watch::Sender<Arc<ServerConfig>>,
}

impl Certificate {
    /// Reads or makes the configured certificate.
    ///
    /// # Errors
    /// It or its key cannot be used.
    pub fn read(tls: Tls, listen: IpAddr) -> Result<Self, StartError> {
        let (present, _) = watch::channel(Arc::new(server_config(&tls, listen)?));
        Ok(Self { tls, present })
    }

    /// What serves a connection: always the present certificate.
    pub fn present(&self) -> watch::Receiver<Arc<ServerConfig>> {
        self.present.subscribe()
    }

    /// Reads the files again, for connections that come from now on. One that was made at the start stays.
    ///
    /// # Errors
    /// They cannot be used; the certificate before stays.
    pub fn read_again(&self) -> Result<(), StartError> {
        if let Tls::Files { .. } = &self.tls {
            let config = server_config(&self.tls, IpAddr::V4(Ipv4Addr::UNSPECIFIED))?;
            self.present.send_replace(Arc::new(config));
        }
        Ok(())
    }
}

/// TLS with the configured certificate.
fn server_config(tls: &Tls, listen: IpAddr) -> Result<ServerConfig, StartError> {
    let (chain, key) = match tls {
        Tls::SelfSigned => self_signed(names(listen))?,
        Tls::Files { certificate, key } => (read_chain(certificate)?, read_key(key)?),
    };
    let mut config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).map_err(|error| {
            StartError::Tls(match error {
                rustls::Error::InconsistentKeys(_) => "the private key is not that of the certificate".into(),
                error => error.to_string(),
            })
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// What this machine may be called by who connects.
fn names(listen: IpAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    names.extend(host.ok().filter(|name| !name.is_empty()));
    names.extend(reached_at(listen).map(|address| address.to_string()));
    names.dedup();
    names
}

/// The address that others reach this listener at: its own, or where it is any, that of the route to the network.
pub fn reached_at(listen: IpAddr) -> Option<IpAddr> {
    if !listen.is_unspecified() {
        return Some(listen);
    }
    // A datagram socket that is connected has the route's address, and nothing is sent (192.0.2.0/24: RFC 5737).
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

/// A certificate for these names and addresses; made anew at each start.
fn self_signed(names: Vec<String>) -> Result<Pair, StartError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write_pair(certificate: &Path, key: &Path) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(certificate, made.cert.pem()).expect("written");
        fs::write(key, made.signing_key.serialize_pem()).expect("written");
    }

    #[test]
    fn a_certificate_is_read_again_and_one_that_is_no_good_leaves_the_one_before() {
        let dir = tempfile::tempdir().expect("a folder");
        let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        write_pair(&certificate, &key);
        let tls = Tls::Files { certificate: certificate.clone(), key: key.clone() };
        let served = Certificate::read(tls, IpAddr::V4(Ipv4Addr::LOCALHOST)).expect("it is good");
        let present = served.present();

        fs::write(&certificate, "no certificate").expect("written");
        let error = served.read_again().expect_err("it is not").to_string();
        assert!(error.contains("cert.pem"), "{error}");
        write_pair(&certificate, &dir.path().join("other.pem"));
        assert!(served.read_again().is_err(), "the key is another certificate's");
        assert!(!present.has_changed().expect("it is there"));

        write_pair(&certificate, &key);
        served.read_again().expect("it is good again");
        assert!(present.has_changed().expect("it is there"));
    }
}
