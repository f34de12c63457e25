//! How this crate asks for the text records of a name: by a client that is handed in, which bounds the time and the size of every
//! answer, and whose answers are fresh.

use std::{error::Error, pin::Pin};

/// The texts of a name to come.
pub type TextAnswer<'c> = Pin<Box<dyn Future<Output = Result<Vec<String>, TextError>> + Send + 'c>>;

/// There is no answer that could be used: nobody is there, it takes too long, or whoever is asked fails.
#[derive(Debug, thiserror::Error)]
#[error("no usable answer of the DNS")]
pub struct TextError(#[source] pub Box<dyn Error + Send + Sync>);

/// Asks the DNS for text records (RFC 1035, section 3.3.14).
pub trait TextRecords: Send + Sync {
    /// The text records of a domain name, each with its strings joined: none where there is no such name, or where it has none.
    fn text_records(&self, name: &str) -> TextAnswer<'_>;
}
