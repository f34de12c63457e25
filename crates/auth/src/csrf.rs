//! Tokens against cross-site requests, of sessions whose refresh token is in a cookie: a page of another site can have
//! a browser send the cookie, and cannot know the token beside it.
//!
//! A token is a signature of the session, and nothing of it is stored. It is good until the session ends or its key
//! goes: each refresh hands out one by the newest key, and clients show that of the last answer.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tenantry_domain::ids::SessionId;

use crate::keys::Keyring;

/// What is signed with the keys.
const SIGNED_FOR: &str = "cross-site requests";

/// The token of a session.
#[must_use]
pub fn token(keyring: &Keyring, session: SessionId) -> String {
    URL_SAFE_NO_PAD.encode(keyring.sign(SIGNED_FOR, session.as_uuid().as_bytes()).as_bytes())
}

/// Whether a text is the token of a session.
#[must_use]
pub fn is_good(keyring: &Keyring, session: SessionId, text: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(text)
        .is_ok_and(|signature| keyring.verify(SIGNED_FOR, session.as_uuid().as_bytes(), &signature))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

    use tenantry_domain::ids::SessionId;

    use super::{is_good, token};
    use crate::{keys::Keyring, test_environment::test_environment};

    #[test]
    fn a_token_is_of_one_session_and_one_installation() {
        let (environment, _) = test_environment(1);
        let [keyring, other] = [1, 2].map(|seed| Keyring::generate_in_memory(&test_environment(seed).0).unwrap());
        let (session, another) = (SessionId::new(&environment), SessionId::new(&environment));
        let good = token(&keyring, session);
        assert!(is_good(&keyring, session, &good));
        assert_eq!(good, token(&keyring, session));
        assert!(!is_good(&keyring, another, &good));
        assert!(!is_good(&other, session, &good));
        for bad in ["", "A", &good[1..], &format!("{good}AAAA"), "not base64url!"] {
            assert!(!is_good(&keyring, session, bad), "{bad}");
        }
    }
}
