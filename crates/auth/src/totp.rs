//! Codes of authenticator apps: time-based one-time passwords (RFC 6238) of six digits, another every 30 seconds, by HMAC-SHA1,
//! which is what all apps know.
//!
//! That a code is good once is for the caller to see to: a right one tells its time step.

use std::fmt;

use qrcode::{EcLevel, QrCode, render::svg};
use secrecy::SecretString;
use tenantry_domain::{
    emails::Email,
    environment::{Environment, Timestamp},
};
use totp_rs::{Algorithm, Builder, Secret, Totp, TotpError};
use zeroize::Zeroizing;

/// Bytes of a secret: as many as the hash has (RFC 4226, section 4).
pub const SECRET_BYTES: usize = 20;

/// Digits of a code.
const DIGITS: u8 = 6;

/// Seconds of a step.
const STEP: u64 = 30;

/// How many steps a code may be early or late (RFC 6238, section 5.2).
const DRIFT: u16 = 1;

/// What apps show above the code.
const ISSUER: &str = "Tenantry";

/// The most characters of a code with blanks between its digits.
const MAX_TEXT: usize = 16;

/// The least width and height of the picture, in pixels.
const PICTURE: u32 = 240;

/// What an authenticator app shares with us. It is never printed.
pub struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

/// A new secret could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// An app would not understand it. Says no more: the address would be part of it.
    #[error("the account cannot be described to an authenticator app")]
    Url,
    /// There is no picture of it.
    #[error("the QR code could not be drawn: {0}")]
    Picture(#[from] qrcode::types::QrError),
}

/// A secret as its owner is shown it, once.
pub struct Shown {
    /// In base 32 (RFC 4648, section 6), to be typed.
    pub secret: SecretString,
    /// As a URL that apps understand.
    pub url: SecretString,
    /// The URL as a QR code, to be photographed: an SVG document.
    pub picture: SecretString,
}

impl TotpSecret {
    /// A new secret of 160 random bits.
    #[must_use]
    pub fn generate(environment: &Environment) -> Self {
        Self(Zeroizing::new(environment.random()))
    }

    /// A secret that was kept; `None` when the bytes are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Zeroizing::new).map(Self)
    }

    /// The bytes to keep.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    /// The time step of a code, where it is right at `now`, one step early or one step late.
    #[must_use]
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let code = read_code(code)?;
        let seconds = u64::try_from(now.timestamp()).ok()?;
        self.generator("").ok()?.check(&code, seconds)
    }

    /// What the owner of an account is shown, to set an app up.
    ///
    /// # Errors
    /// When the address cannot be described to an app.
    pub fn show(&self, account: &Email) -> Result<Shown, ShowError> {
        let totp = self.generator(account.as_str()).map_err(|_| ShowError::Url)?;
        let url = totp.to_url().map_err(|_| ShowError::Url)?;
        let code = QrCode::with_error_correction_level(url.as_bytes(), EcLevel::M)?;
        let document = code.render::<svg::Color<'_>>().min_dimensions(PICTURE, PICTURE).build();
        // Without the declaration of a document of its own, so that it can be a part of a page.
        let picture = document
            .find("<svg")
            .and_then(|start| document.get(start..))
            .unwrap_or(&document);
        Ok(Shown {
            secret: totp.secret().to_base32().into(),
            url: url.into(),
            picture: picture.into(),
        })
    }

    fn generator(&self, account: &str) -> Result<Totp, TotpError> {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(DRIFT)
            .with_step_duration(STEP)
            .with_secret(Secret::new_stack(*self.0))
            .with_issuer(Some(ISSUER))
            .with_account_name(account)
            .build()
    }
}

/// Whether a text has the shape of a code.
#[must_use]
pub fn is_code(text: &str) -> bool {
    read_code(text).is_some()
}

/// The digits of a code, with blanks wherever people put them.
fn read_code(text: &str) -> Option<String> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let digits: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    (all_digits && digits.len() == usize::from(DIGITS)).then_some(digits)
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret")
    }
}

#[cfg(test)]
mod tests;
