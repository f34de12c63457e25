//! Public keys as others read them: JSON Web Keys (RFC 7517) of the kinds EC (RFC 7518) and OKP (RFC 8037).
//!
//! To add a kind of key: a constructor here that fills its members, and its canonical form in `thumbprint`.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

/// A set of public keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwks {
    /// The keys, the one that signs first.
    pub keys: Vec<Jwk>,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jwk {
    /// The key type: `OKP` or `EC`.
    pub kty: &'static str,
    /// The curve: `Ed25519` or `P-256`.
    pub crv: &'static str,
    /// The public key, or the x coordinate of it, in base64url.
    pub x: String,
    /// The y coordinate in base64url, for `EC` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// The key's id: its SHA-256 thumbprint (RFC 7638), so that it is the same on every node and at every start.
    pub kid: String,
    /// The one algorithm that the key is used with: `EdDSA` or `ES256`.
    pub alg: &'static str,
    /// What the key is for: `sig`.
    #[serde(rename = "use")]
    pub usage: &'static str,
}

impl Jwk {
    /// The Ed25519 public key of 32 bytes.
    pub(super) fn ed25519(public_key: &[u8]) -> Self {
        Self::new("OKP", "Ed25519", "EdDSA", public_key, None)
    }

    /// The P-256 public key with these coordinates, 32 bytes each.
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Self {
        Self::new("EC", "P-256", "ES256", x, Some(y))
    }

    fn new(kty: &'static str, crv: &'static str, alg: &'static str, x: &[u8], y: Option<&[u8]>) -> Self {
        let x = URL_SAFE_NO_PAD.encode(x);
        let y = y.map(|y| URL_SAFE_NO_PAD.encode(y));
        let kid = thumbprint(kty, crv, &x, y.as_deref());
        Self {
            kty,
            crv,
            x,
            y,
            kid,
            alg,
            usage: "sig",
        }
    }
}

/// RFC 7638: the hash of the required members alone, in the order of their names, without white space. None of the
/// values holds a character that JSON escapes.
fn thumbprint(kty: &str, crv: &str, x: &str, y: Option<&str>) -> String {
    let y = y.map(|y| format!(r#","y":"{y}""#)).unwrap_or_default();
    let canonical = format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"{y}}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
}
