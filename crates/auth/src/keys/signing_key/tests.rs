#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use aws_lc_rs::{
    hkdf, hmac,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{MAC_SALT, SigningKey};

fn base64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// RFC 8037, appendix A.1.
fn rfc_8037_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")).unwrap()
}

/// RFC 7515, appendix A.3.1.
fn rfc_7515_key() -> EcdsaKeyPair {
    let point = [
        vec![4],
        base64url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        base64url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    ]
    .concat();
    let scalar = base64url("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI");
    EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, &scalar, &point).unwrap()
}

#[test]
fn an_ed25519_key_reads_as_in_rfc_8037() {
    let key = SigningKey::from_pkcs8(rfc_8037_key().to_pkcs8v1().unwrap().as_ref()).unwrap();
    assert_eq!(
        serde_json::to_value(key.jwk()).unwrap(),
        serde_json::json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            "alg": "EdDSA",
            "use": "sig",
        })
    );
}

#[test]
fn a_p256_key_reads_as_in_rfc_7515() {
    let key = SigningKey::from_pkcs8(rfc_7515_key().to_pkcs8v1().unwrap().as_ref()).unwrap();
    assert_eq!(
        serde_json::to_value(key.jwk()).unwrap(),
        serde_json::json!({
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "kid": "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
            "alg": "ES256",
            "use": "sig",
        })
    );
}

#[test]
fn the_encoding_of_a_key_does_not_matter() {
    let pair = rfc_8037_key();
    let version_1 = SigningKey::from_pkcs8(pair.to_pkcs8v1().unwrap().as_ref()).unwrap();
    let version_2 = SigningKey::from_pkcs8(pair.to_pkcs8().unwrap().as_ref()).unwrap();
    assert_eq!(version_1.jwk(), version_2.jwk());
    let tag = |key: &SigningKey| hmac::sign(&key.mac_key("test"), b"message").as_ref().to_vec();
    assert_eq!(tag(&version_1), tag(&version_2));
}

#[test]
fn mac_keys_are_derived_by_hkdf() {
    let key = SigningKey::from_pkcs8(rfc_8037_key().to_pkcs8v1().unwrap().as_ref()).unwrap();
    let seed = base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, MAC_SALT).extract(&seed);
    let expected: hmac::Key = extracted.expand(&[b"test"], hmac::HMAC_SHA256).unwrap().into();
    assert_eq!(
        hmac::sign(&key.mac_key("test"), b"message").as_ref(),
        hmac::sign(&expected, b"message").as_ref(),
    );
}

#[test]
fn a_key_prints_its_id_alone() {
    let key = SigningKey::from_pkcs8(rfc_8037_key().to_pkcs8v1().unwrap().as_ref()).unwrap();
    let expected = r#"SigningKey { kid: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", alg: "EdDSA", .. }"#;
    assert_eq!(format!("{key:?}"), expected);
}
