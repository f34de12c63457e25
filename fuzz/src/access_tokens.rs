//! Tokens: only what was signed is accepted, and it says what was signed.

use std::{sync::LazyLock, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::ExposeSecret as _;
use tenantry_auth::{access_tokens::AccessTokens, refresh_tokens::RefreshToken};
use tenantry_domain::ids::SessionId;
use uuid::Uuid;

use super::setting::{ENVIRONMENT, KEYRING, caller, two_lines};

const ISSUER: &str = "https://tenantry.example";

static TOKENS: LazyLock<AccessTokens> = LazyLock::new(|| {
    let (issuer, audience) = (ISSUER.to_owned(), ISSUER.to_owned());
    AccessTokens::new(KEYRING.clone(), issuer, audience, Duration::from_secs(3600))
});

static SESSION: LazyLock<SessionId> = LazyLock::new(|| Uuid::from_u128(2).into());

/// The one token that was ever issued.
static ISSUED: LazyLock<String> = LazyLock::new(|| {
    let issued = TOKENS
        .issue(caller(), *SESSION, &ENVIRONMENT)
        .expect("a token can be signed");
    issued.token.expose_secret().to_owned()
});

/// Where a header that is assembled names the key that there is.
const KEY_ID: &str = "KID";

/// The bytes are a token; after `!`, three lines of which one is made: header, claims and signature; after `~`, changes to a
/// token that is good, three bytes each: where, and what is put there.
pub fn run(data: &[u8]) {
    let token = match data {
        [b'!', parts @ ..] => assembled(&String::from_utf8_lossy(parts)),
        [b'~', changes @ ..] => changed(changes),
        token => String::from_utf8_lossy(token).into_owned(),
    };
    access(&token);
    refresh(&token);
}

fn access(token: &str) {
    let Ok(claims) = TOKENS.verify(token, ENVIRONMENT.now()) else {
        assert_ne!(token, *ISSUED);
        return;
    };
    // The signature is over header and claims as they are spelled.
    assert_eq!(signed_part(token), signed_part(&ISSUED));
    assert_eq!((claims.user, claims.session), (caller(), *SESSION));
    assert!(TOKENS.verify(token, claims.expires_at).is_err());
}

fn refresh(token: &str) {
    if let Some(refresh) = RefreshToken::parse(token) {
        assert_eq!(refresh.secret().expose_secret(), token);
    }
}

fn signed_part(token: &str) -> &str {
    token.rsplit_once('.').map_or("", |(signed, _)| signed)
}

fn assembled(parts: &str) -> String {
    let (header, rest) = two_lines(parts).unwrap_or((parts, ""));
    let (claims, signature) = two_lines(rest).unwrap_or((rest, ""));
    let jwks = KEYRING.jwks();
    let key = jwks.keys.first().map_or(KEY_ID, |key| &key.kid);
    let header = header.replace(KEY_ID, key);
    [header.as_str(), claims, signature]
        .map(|part| URL_SAFE_NO_PAD.encode(part))
        .join(".")
}

fn changed(changes: &[u8]) -> String {
    let mut token = ISSUED.clone().into_bytes();
    for change in changes.chunks_exact(3) {
        let [high, low, with] = change else { continue };
        let index = usize::from(u16::from_be_bytes([*high, *low])) % token.len();
        if let Some(byte) = token.get_mut(index) {
            *byte = *with;
        }
    }
    String::from_utf8_lossy(&token).into_owned()
}
