//! Rules that turn JSON into the values that bodies are made of.

use std::{ops::RangeInclusive, str::FromStr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde_json::{Map, Value};
use tenantry_domain::{
    domains::DomainNameError,
    emails::{Email, EmailError},
    keywords::UnknownWord,
    roles::UnknownRole,
    settings,
    slugs::SlugError,
    text::TextError,
    workspaces::ColorError,
};
use tenantry_services::identities::{MAX_ISSUER, is_issuer};

use crate::fields::Failure;

/// The most characters of an URL.
const MAX_URL: usize = 2048;

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<SlugError> for Failure {
    fn from(error: SlugError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<EmailError> for Failure {
    fn from(error: EmailError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<DomainNameError> for Failure {
    fn from(error: DomainNameError) -> Self {
        Self::new("format", error.to_string())
    }
}

impl From<ColorError> for Failure {
    fn from(error: ColorError) -> Self {
        Self::new("pattern", error.to_string())
    }
}

impl From<UnknownRole> for Failure {
    fn from(error: UnknownRole) -> Self {
        Self::new("enum", error.to_string())
    }
}

impl From<UnknownWord> for Failure {
    fn from(error: UnknownWord) -> Self {
        Self::new("enum", error.to_string())
    }
}

pub(crate) fn string(value: Value) -> Result<String, Failure> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(Failure::not_a("a string")),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a rule takes what it is given")]
pub(crate) fn boolean(value: Value) -> Result<bool, Failure> {
    match value {
        Value::Bool(value) => Ok(value),
        _ => Err(Failure::not_a("true or false")),
    }
}

/// A text of the domain, such as a name, a slug or a keyword.
pub(crate) fn text<T>(value: Value) -> Result<T, Failure>
where
    T: FromStr,
    Failure: From<T::Err>,
{
    Ok(string(value)?.parse()?)
}

pub(crate) fn email(value: Value) -> Result<Email, Failure> {
    text(value)
}

/// Bytes, at least one and at most so many, as base64url without padding (RFC 4648, section 5).
pub(crate) fn bytes(most: usize) -> impl Fn(Value) -> Result<Vec<u8>, Failure> {
    move |value| {
        let text = string(value)?;
        if text.is_empty() || text.len() > (most * 4).div_ceil(3) {
            return Err(Failure::new("length", format!("must be 1 to {most} bytes")));
        }
        let bytes = URL_SAFE_NO_PAD.decode(text);
        bytes.map_err(|_| Failure::new("format", "must be base64url without padding"))
    }
}

/// A secret: whether it is a good one is decided elsewhere.
pub(crate) fn secret(value: Value) -> Result<SecretString, Failure> {
    string(value).map(SecretString::from)
}

/// A password that someone chooses.
pub(crate) fn new_password(value: Value) -> Result<SecretString, Failure> {
    let password = secret(value)?;
    match tenantry_services::users::weakness(&password) {
        Some(weakness) => Err(Failure::new(weakness.code(), weakness.to_string())),
        None => Ok(password),
    }
}

pub(crate) fn id<T: FromStr>(value: Value) -> Result<T, Failure> {
    string(value)?
        .parse()
        .map_err(|_| Failure::new("format", "must be an id (a UUID)"))
}

/// A whole number of this range.
pub(crate) fn whole_number(range: RangeInclusive<u32>) -> impl Fn(Value) -> Result<u32, Failure> {
    move |value| {
        let Value::Number(number) = value else {
            return Err(Failure::not_a("a number"));
        };
        let number = number.as_u64().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            Failure::new("range", format!("must be a whole number from {least} to {most}"))
        })
    }
}

/// What a client of an OpenID provider is called there, or shows there: printable ASCII (RFC 6749, appendix A).
pub(crate) fn client_credential(most: usize) -> impl Fn(Value) -> Result<String, Failure> {
    move |value| {
        let text = string(value)?;
        if text.is_empty() || text.len() > most {
            return Err(Failure::new("length", format!("must have 1 to {most} characters")));
        }
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(Failure::new("pattern", "must be printable ASCII"));
        }
        Ok(text)
    }
}

/// The issuer of an OpenID provider.
pub(crate) fn issuer(value: Value) -> Result<String, Failure> {
    let issuer = string(value)?;
    if issuer.len() > MAX_ISSUER {
        return Err(Failure::new("length", format!("must have {MAX_ISSUER} or fewer bytes")));
    }
    if !is_issuer(&issuer) {
        return Err(Failure::new(
            "format",
            "must be an https URL without query and fragment",
        ));
    }
    Ok(issuer)
}

/// A JSON object that is kept as it is.
pub(crate) fn object(value: Value) -> Result<Map<String, Value>, Failure> {
    if holds_nul(&value) {
        // PostgreSQL's jsonb cannot hold it.
        return Err(Failure::new("control_character", "must not contain NUL"));
    }
    match value {
        Value::Object(object) => {
            settings::check(&object).map_err(|error| Failure::new("length", error.to_string()))?;
            Ok(object)
        }
        _ => Err(Failure::not_a("an object")),
    }
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(object) => object
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// An `https` URL of a picture.
pub(crate) fn picture_url(value: Value) -> Result<String, Failure> {
    use validator::ValidateUrl as _;
    let url = string(value)?;
    if url.chars().count() > MAX_URL {
        return Err(Failure::new(
            "length",
            format!("must have {MAX_URL} or fewer characters"),
        ));
    }
    if !url.starts_with("https://") || url.contains(char::is_control) || !url.validate_url() {
        return Err(Failure::new("format", "must be an https URL"));
    }
    Ok(url)
}

/// A language tag (BCP 47) by its shape: subtags of letters and digits.
pub(crate) fn locale(value: Value) -> Result<String, Failure> {
    let tag = string(value)?;
    let subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let language = tag.split('-').next().unwrap_or_default();
    let shaped = (2..=8).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic());
    if tag.len() <= 35 && shaped && tag.split('-').all(subtag) {
        Ok(tag)
    } else {
        Err(Failure::new("format", "must be a language tag such as en or pt-BR"))
    }
}

/// A region: a short lower-case word.
pub(crate) fn region(value: Value) -> Result<String, Failure> {
    let region = string(value)?;
    let letter = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if (1..=63).contains(&region.len()) && region.bytes().all(letter) {
        Ok(region)
    } else {
        Err(Failure::new("pattern", "must be 1 to 63 of a-z, 0-9 and hyphens"))
    }
}
