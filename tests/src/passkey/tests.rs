use std::sync::Arc;

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use serde_json::{Value, json};

use super::{Authenticator, ES256, Passkey, attestation_object, cbor, decoded, encoded};
use crate::client::text;

const ORIGIN: &str = "https://app.example.com";

/// The key of RFC 6979, section A.2.5: what is secret of it, and its point.
const SECRET: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
const X: &str = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
const Y: &str = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn creation() -> Value {
    json!({
        "rp": { "id": "example.com", "name": "Example" },
        "user": { "id": "YW5u", "name": "ann@example.com", "displayName": "Ann" },
        "challenge": encoded(&[7; 32]),
        "pubKeyCredParams": [{ "type": "public-key", "alg": -7 }, { "type": "public-key", "alg": -257 }],
        "timeout": 300_000,
        "excludeCredentials": [],
        "attestation": "none",
        "extensions": { "credProps": true },
    })
}

fn request() -> Value {
    json!({ "rpId": "example.com", "challenge": encoded(&[8; 32]), "timeout": 300_000, "allowCredentials": [] })
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// Whether the signature of an answer is that of the device's only key.
fn verifies(device: &Authenticator, answer: &Value) -> bool {
    let point: &[u8] = device.passkeys[0].key.public_key().as_ref();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
    let client_data = sha256(&bytes_of(answer, "clientDataJSON"));
    let signed = [bytes_of(answer, "authenticatorData"), client_data].concat();
    key.verify(&signed, &bytes_of(answer, "signature")).is_ok()
}

fn bytes_of(answer: &Value, member: &str) -> Vec<u8> {
    decoded(&text(&answer["response"][member]))
}

#[test]
fn bytes_are_written_as_the_standards_have_it() {
    for (bytes, written) in [
        ("", ""),
        ("f", "Zg"),
        ("fo", "Zm8"),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(encoded(bytes.as_bytes()), written);
        assert_eq!(decoded(written), bytes.as_bytes());
    }
    assert_eq!(encoded(&[0xfb, 0xff]), "-_8");
    assert_eq!(decoded("-_8"), [0xfb, 0xff]);
    // RFC 8949, appendix A.
    for (value, written) in [
        (0, "00"),
        (23, "17"),
        (24, "1818"),
        (100, "1864"),
        (1000, "1903e8"),
        (1_000_000, "1a000f4240"),
        (1_000_000_000_000, "1b000000e8d4a51000"),
        (-1, "20"),
        (-10, "29"),
        (-100, "3863"),
        (-1000, "3903e7"),
    ] {
        assert_eq!(hex(&cbor::integer(value)), written, "{value}");
    }
    assert_eq!(hex(&cbor::text("IETF")), "6449455446");
    assert_eq!(hex(&cbor::bytes(&[1, 2, 3, 4])), "4401020304");
    assert_eq!(hex(&cbor::map(&[])), "a0");
}

#[test]
#[should_panic(expected = "cut off")]
fn bits_that_are_nobodys_are_refused() {
    let _ = decoded("Zh");
}

#[test]
fn a_known_key_is_shown_as_authenticators_show_it() {
    let point = unhex(&format!("04{X}{Y}"));
    let key =
        EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_ASN1_SIGNING, &unhex(SECRET), &point).unwrap();
    let passkey = Passkey {
        id: vec![1],
        rp_id: "example.com".to_owned(),
        user_handle: vec![2],
        counter: 0,
        key: Arc::new(key),
    };
    let shown = passkey.cose_key(ES256);
    assert_eq!(hex(&shown), format!("a5010203262001215820{X}225820{Y}"));
    assert_eq!(
        hex(&attestation_object("none", &[0xa0], &[9; 164])),
        format!(
            "a363666d74646e6f6e656761747453746d74a068617574684461746158a4{}",
            "09".repeat(164)
        )
    );
}

#[test]
fn what_is_made_says_what_it_is_made_for() {
    let mut phone = Authenticator::new(ORIGIN);
    phone.behaviour.remark = true;
    let made = phone.create(&creation());
    let passkey = phone.passkeys[0].clone();
    assert_eq!(made["id"], encoded(&passkey.id));
    assert_eq!(made["rawId"], made["id"]);
    assert_eq!(made["clientExtensionResults"], json!({ "credProps": { "rk": true } }));
    let client_data = String::from_utf8(bytes_of(&made, "clientDataJSON")).unwrap();
    let beginning = r#"{"type":"webauthn.create","challenge":"BwcH"#;
    assert!(client_data.starts_with(beginning), "{client_data}");
    let client_data: Value = serde_json::from_str(&client_data).unwrap();
    assert_eq!(
        (&client_data["origin"], &client_data["crossOrigin"]),
        (&json!(ORIGIN), &json!(false))
    );

    let data = bytes_of(&made, "authenticatorData");
    assert_eq!(data.len(), 37 + 16 + 2 + 32 + 77);
    assert_eq!(data[..32], sha256(b"example.com"));
    // Present, verified, can be and is on more than one device, a key follows; and nothing was counted.
    assert_eq!(data[32..37], [0x5d, 0, 0, 0, 0]);
    assert_eq!(data[53..55], [0, 32]);
    assert_eq!(data[55..87], passkey.id);
    assert_eq!(data[87..], passkey.cose_key(ES256));
    assert_eq!(
        bytes_of(&made, "attestationObject"),
        attestation_object("none", &[0xa0], &data)
    );
    // Uncompressed, at the end of what says what it is.
    let public_key = bytes_of(&made, "publicKey");
    assert_eq!(public_key.len(), 91);
    assert_eq!(public_key[26..], passkey.key.public_key().as_ref().to_vec());
}

#[test]
fn what_is_signed_is_told() {
    let mut key = Authenticator::security_key(ORIGIN);
    key.create(&creation());
    let copy = key.clone();
    for (uses, mut device) in [(2, key), (2, copy)] {
        let answer = device.get(&request());
        let data = bytes_of(&answer, "authenticatorData");
        assert_eq!(data.len(), 37);
        assert_eq!(data[32..37], [0x05, 0, 0, 0, uses]);
        assert_eq!(answer["response"]["userHandle"], "YW5u");
        assert!(verifies(&device, &answer));
        device.behaviour.other_key = true;
        assert!(!verifies(&device, &device.clone().get(&request())));
    }
}

#[test]
fn a_lie_is_told_and_nothing_else() {
    let mut phone = Authenticator::new(ORIGIN);
    phone.create(&creation());
    phone.behaviour.origin = Some("https://evil.example".to_owned());
    phone.behaviour.kind = Some("webauthn.create");
    phone.behaviour.challenge = Some(vec![1; 4]);
    phone.behaviour.cross_origin = true;
    phone.behaviour.rp_id = Some("evil.example".to_owned());
    phone.behaviour.verified = false;
    let answer = phone.get(&request());
    assert_eq!(
        String::from_utf8(bytes_of(&answer, "clientDataJSON")).unwrap(),
        r#"{"type":"webauthn.create","challenge":"AQEBAQ","origin":"https://evil.example","crossOrigin":true}"#
    );
    let data = bytes_of(&answer, "authenticatorData");
    assert_eq!(data[..32], sha256(b"evil.example"));
    assert_eq!(data[32], 0x19);
}

#[test]
#[should_panic(expected = "challenge")]
fn a_short_challenge_is_refused() {
    let mut options = creation();
    options["challenge"] = encoded(&[7; 15]).into();
    Authenticator::new(ORIGIN).create(&options);
}

#[test]
#[should_panic(expected = "is not of the origin")]
fn the_relying_party_of_another_origin_is_refused() {
    Authenticator::new("https://notexample.com").create(&creation());
}

#[test]
#[should_panic(expected = "no domain")]
fn a_relying_party_that_is_a_registry_is_refused() {
    let mut options = creation();
    options["rp"]["id"] = "com".into();
    Authenticator::new(ORIGIN).create(&options);
}

#[test]
#[should_panic(expected = "excluded")]
fn a_device_has_one_key_where_more_are_excluded() {
    let mut phone = Authenticator::new(ORIGIN);
    let made = phone.create(&creation());
    let mut options = creation();
    options["excludeCredentials"] = json!([{ "type": "public-key", "id": made["id"] }]);
    phone.create(&options);
}

#[test]
#[should_panic(expected = "a key that may answer")]
fn a_key_that_is_not_asked_for_does_not_answer() {
    let mut phone = Authenticator::new(ORIGIN);
    phone.create(&creation());
    let mut options = request();
    options["allowCredentials"] = json!([{ "type": "public-key", "id": "AAAA" }]);
    phone.get(&options);
}
