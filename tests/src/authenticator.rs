//! An authenticator app as people have it, made of the URL that they scan (RFC 6238). It shares nothing with the server
//! but that URL.

use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

/// How long a code is shown.
pub const STEP: TimeDelta = TimeDelta::seconds(30);

/// How many steps before and after a moment [`Authenticator::wrong_code`] keeps clear of.
const AROUND: i32 = 4;

/// An account in an authenticator app.
#[derive(Clone)]
pub struct Authenticator {
    key: hmac::Key,
    /// Who shares the secret with the app, as the app shows it.
    pub issuer: String,
    /// Whose it is, as the app shows it.
    pub account: String,
    /// The secret's bytes.
    pub secret: Vec<u8>,
}

impl Authenticator {
    /// Takes an `otpauth://` URL in, and panics where a common app would not, or would show other codes than the usual.
    #[must_use]
    pub fn from_url(url: &str) -> Self {
        let parsed = Url::parse(url).unwrap_or_else(|error| panic!("{error}: {url}"));
        assert_eq!((parsed.scheme(), parsed.host_str()), ("otpauth", Some("totp")), "{url}");
        let label = percent_decoded(parsed.path().strip_prefix('/').expect("a label"));
        let (issuer, account) = label
            .split_once(':')
            .expect("a label with the issuer before the account");
        let parameter = |name: &str| {
            let mut values = parsed.query_pairs().filter(|(known, _)| known == name);
            let value = values.next().map(|(_, value)| value.into_owned());
            assert!(values.next().is_none(), "{name} is there twice: {url}");
            value
        };
        assert_eq!(parameter("issuer").as_deref(), Some(issuer), "{url}");
        // Some apps do not look at these, so that any other value would be a trap.
        for (name, usual) in [("algorithm", "SHA1"), ("digits", "6"), ("period", "30")] {
            assert!(parameter(name).is_none_or(|value| value == usual), "{name}: {url}");
        }
        let secret = base32_decoded(&parameter("secret").expect("a secret"));
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret),
            issuer: issuer.to_owned(),
            account: account.trim_start().to_owned(),
            secret,
        }
    }

    /// The code that the app shows at a moment.
    #[must_use]
    pub fn code(&self, at: DateTime<Utc>) -> String {
        let step = u64::try_from(at.timestamp().div_euclid(STEP.num_seconds())).expect("a moment after 1970");
        let digest = hmac::sign(&self.key, &step.to_be_bytes());
        let digest = digest.as_ref();
        // RFC 4226, section 5.3.
        let offset = usize::from(digest[digest.len() - 1] & 0xf);
        let bytes: [u8; 4] = digest[offset..offset + 4].try_into().expect("four bytes");
        let number = u32::from_be_bytes(bytes) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// Six digits that the app shows at no moment near this one.
    #[must_use]
    pub fn wrong_code(&self, at: DateTime<Utc>) -> String {
        let near: Vec<String> = (-AROUND..=AROUND).map(|steps| self.code(at + STEP * steps)).collect();
        let shown: u32 = self.code(at).parse().expect("digits");
        // Far from what could be found by chance elsewhere, such as six zeros.
        (1..1_000)
            .map(|number| format!("{:06}", (shown + 271_829 * number) % 1_000_000))
            .find(|code| !near.contains(code))
            .expect("more codes than there are steps")
    }
}

/// RFC 4648, section 6, without padding, as these URLs have it.
fn base32_decoded(text: &str) -> Vec<u8> {
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            other => panic!("no letter of base32: {:?}", char::from(other)),
        };
        buffer = ((buffer << 5) | u32::from(value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).expect("a byte"));
        }
    }
    bytes
}

/// RFC 3986, section 2.1: in a path `+` is itself.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex: String = rest.by_ref().take(2).map(char::from).collect();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap_or_else(|error| panic!("{error}: {text}")));
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).expect("a label in UTF-8")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::Authenticator;

    /// The secret of RFC 6238, appendix B.
    const URL: &str =
        "otpauth://totp/Tenantry:ann%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tenantry";

    #[test]
    fn the_codes_are_those_of_the_standard() {
        let app = Authenticator::from_url(URL);
        assert_eq!(app.secret, b"12345678901234567890");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(app.code(at), code, "{seconds}");
            // Near 1970 there are no steps before.
            let later = at + TimeDelta::hours(1);
            assert_ne!(app.wrong_code(later), app.code(later), "{seconds}");
        }
    }

    #[test]
    fn the_label_is_shown_decoded() {
        let app = Authenticator::from_url(URL);
        assert_eq!(
            (app.issuer.as_str(), app.account.as_str()),
            ("Tenantry", "ann+x@example.com")
        );
    }

    #[test]
    #[should_panic(expected = "digits")]
    fn other_codes_than_the_usual_are_refused() {
        let _ = Authenticator::from_url(&format!("{URL}&digits=8"));
    }

    #[test]
    #[should_panic(expected = "issuer")]
    fn an_issuer_that_is_not_the_labels_is_refused() {
        let _ = Authenticator::from_url(&URL.replace("issuer=Tenantry", "issuer=Other"));
    }
}
