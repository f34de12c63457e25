//! Closed sets of words: enums that are stored, sent and received by a fixed spelling.

/// Declares an enum whose every variant has one spelling, in the database, in JSON and in a query.
#[macro_export]
macro_rules! keywords {
    ($(#[$doc:meta])* pub enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name {$(
            $(#[$variant_doc])*
            #[serde(rename = $word)]
            $variant,
        )*}

        impl $name {
            /// Every spelling.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// Its spelling.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {$(Self::$variant => $word,)*}
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::keywords::UnknownWord;

            fn from_str(word: &str) -> Result<Self, $crate::keywords::UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::keywords::UnknownWord { known: Self::WORDS }),
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// The text is none of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of: {}", known.join(", "))]
pub struct UnknownWord {
    /// The words.
    pub known: &'static [&'static str],
}
