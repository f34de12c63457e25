//! Text that people type, bounded and otherwise left alone.
//!
//! A name may be in any script and hold emoji, quotes or markup: it is data, and comes back exactly as it was sent. It is
//! neither trimmed nor normalised, so a name of blanks alone is a name. Refused are the control characters (Unicode
//! category Cc, NUL and line breaks among them), which no log line and no table cell survives. Length is counted in
//! characters (Unicode scalar values), as PostgreSQL's `char_length` counts it.
//!
//! To add one: a line in the `bounded_texts!` list below.

/// Declares text types that can only be made by passing a check: the error type, then the check itself.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $error:ty, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes what was checked when it was stored. A rule that has become stricter since must not make a row
            /// unreadable, so nothing is checked again.
            #[must_use]
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The text as it was sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text as it was sent.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                let check: fn(&str) -> Result<(), $error> = $check;
                check(&text).map(|()| Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                Self::try_from(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}
pub(crate) use checked_text;

macro_rules! bounded_texts {
    ($($(#[$doc:meta])* $name:ident: $min:literal..=$max:literal;)*) => {$(
        checked_text! {
            $(#[$doc])*
            $name, TextError, |text| check(text, Self::MIN, Self::MAX)
        }

        impl $name {
            /// The fewest characters it may have.
            pub const MIN: usize = $min;
            /// The most characters it may have.
            pub const MAX: usize = $max;
        }
    )*};
}

bounded_texts! {
    /// What a person, an organization or anything in it is called.
    Name: 1..=255;
    /// A paragraph about a thing. The empty one is allowed, and is not the same as none.
    Description: 0..=2000;
    /// What a thing is shown with: an emoji, or the name of a picture that clients know.
    Icon: 1..=255;
    /// What a list is searched for (`q=`): no longer than the longest name.
    SearchText: 1..=255;
}

/// Why a text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Fewer characters than it must have.
    #[error("must have {min} or more characters")]
    TooShort {
        /// The fewest allowed.
        min: usize,
    },
    /// More characters than it may have.
    #[error("must have {max} or fewer characters")]
    TooLong {
        /// The most allowed.
        max: usize,
    },
    /// NUL, a line break or another control character.
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl TextError {
    /// The error's name in the public contract.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } | Self::TooLong { .. } => "length",
            Self::ControlCharacter => "control_character",
        }
    }
}

fn check(text: &str, min: usize, max: usize) -> Result<(), TextError> {
    let length = text.chars().count();
    if length < min {
        Err(TextError::TooShort { min })
    } else if length > max {
        Err(TextError::TooLong { max })
    } else if text.contains(char::is_control) {
        Err(TextError::ControlCharacter)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
