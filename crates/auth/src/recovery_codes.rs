//! Recovery codes: written down for the day on which the other factors are lost, each good once.
//!
//! A code has 80 random bits, so that a plain hash of it can be stored: nobody tries them all. It is written in Crockford's
//! base 32, which has no letters that are mistaken for one another, in four groups.

use std::fmt;

use secrecy::SecretString;
use tenantry_domain::{environment::Environment, ids::UserId};
use zeroize::Zeroizing;

use crate::opaque_tokens::TokenHash;

/// Letters of a code, each of five bits.
const LETTERS: usize = 16;

/// Letters of a group.
const GROUP: usize = 4;

/// The longest text that is looked at: people put blanks and hyphens wherever they like.
const MAX_TEXT: usize = 64;

/// The letters by their values (Crockford's base 32, in lower case).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A recovery code as its owner holds it. It is never printed.
pub struct RecoveryCode(Zeroizing<[u8; LETTERS]>);

impl RecoveryCode {
    /// A new code of 80 random bits.
    #[must_use]
    pub fn generate(environment: &Environment) -> Self {
        let random: Zeroizing<[u8; LETTERS]> = Zeroizing::new(environment.random());
        let mut letters = Zeroizing::new([0; LETTERS]);
        for (letter, byte) in letters.iter_mut().zip(random.iter()) {
            // Five bits of each byte: 32 divides 256, so that every letter is as likely as another.
            *letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or_default();
        }
        Self(letters)
    }

    /// The code that somebody typed, in whatever case, with blanks and hyphens wherever they like; `None` when the text cannot
    /// be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let mut letters = Zeroizing::new([0; LETTERS]);
        let mut typed = text.chars().filter(|letter| *letter != '-' && !letter.is_whitespace());
        for letter in letters.iter_mut() {
            *letter = read(typed.next()?)?;
        }
        typed.next().is_none().then_some(Self(letters))
    }

    /// The text for its owner: `xxxx-xxxx-xxxx-xxxx`.
    #[must_use]
    pub fn secret(&self) -> SecretString {
        let mut text = String::with_capacity(LETTERS + LETTERS / GROUP);
        for (position, letter) in self.0.iter().enumerate() {
            if position > 0 && position % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*letter));
        }
        SecretString::from(text)
    }

    /// What is stored of it, for its owner: nobody looks for the codes of all at once.
    #[must_use]
    pub fn hash(&self, owner: UserId) -> TokenHash {
        let both = Zeroizing::new([owner.as_uuid().as_bytes().as_slice(), self.0.as_slice()].concat());
        TokenHash::of(&both)
    }
}

/// A letter as it is meant: `o` is a zero, `i` and `l` are a one.
fn read(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let letter = u8::try_from(letter).ok()?;
    ALPHABET.contains(&letter).then_some(letter)
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode")
    }
}

#[cfg(test)]
mod tests;
