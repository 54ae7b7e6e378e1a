//! A proxy that opens TLS, or an Atlassian of one's own, has a certificate that only `SSL_CERT_FILE` makes trusted.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::World;

/// A certificate authority in a file, as long as the test lasts.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = std::env::temp_dir().join(format!("causeway-ca-{}.pem", rand::random::<u64>()));
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file }
    }

    /// A server on this machine that answers every request with nothing, with a certificate of this authority.
    async fn server(&self) -> String {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Who does not trust the certificate hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                    .await;
                let _ = stream.shutdown().await;
            }
        });
        format!("https://localhost:{port}")
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        std::fs::remove_file(&self.file).unwrap_or_default();
    }
}

#[tokio::test]
async fn a_private_certificate_authority_is_trusted_when_ssl_cert_file_names_it_and_not_otherwise() {
    let (world, authority, stranger) = (World::start().await, Authority::new(), Authority::new());
    let server = authority.server().await;
    for (file, trusted) in [(Some(&authority.file), true), (Some(&stranger.file), false), (None, false)] {
        let mut check = Command::new(env!("CARGO_BIN_EXE_causeway"));
        check.arg("check").env_clear().envs(&world.env).env("ATLASSIAN_API_URL", &server);
        check.envs(file.map(|file| ("SSL_CERT_FILE", file)));
        let told = String::from_utf8(check.output().await.unwrap().stdout).unwrap();
        let line = told.lines().find(|line| line.contains("API answers")).unwrap();
        assert_eq!(line.starts_with("ok"), trusted, "{file:?}: {told}");
        assert!(trusted || told.contains("SSL_CERT_FILE"), "{told}");
    }
}
