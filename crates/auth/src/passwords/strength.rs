//! Which passwords are accepted: long enough, and not one that an attacker tries first.
//!
//! No rules on digits or symbols (NIST SP 800-63B, section 3.1.1.2 advises against them): length, and an estimate of the
//! guesses that a knowing attacker needs, by zxcvbn, which knows lists of leaked passwords, names, keyboard walks,
//! sequences, repetitions and the usual substitutions of letters. A passphrase of a few words passes by orders of
//! magnitude.

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

/// The fewest characters (Unicode scalar values) of a password.
pub const MIN_LENGTH: usize = 12;

/// The most characters (Unicode scalar values) of a password.
pub const MAX_LENGTH: usize = 128;

/// The highest score of a password that is refused: fewer than a million guesses.
const REFUSED: Score = Score::One;

/// How much of either end is judged. The cost of an estimate grows with more than the square of the length.
const WINDOW: usize = 32;

/// The characters that zxcvbn reads as letters, too. It tries every combination of readings, so text that is made of
/// them takes a second instead of a millisecond.
const SUBSTITUTES: &str = "4@8({[<369!1|70$5+7%2";

/// How many different [`SUBSTITUTES`] a window may hold; beyond, it is cut to [`MIN_LENGTH`].
const MAX_SUBSTITUTES: usize = 8;

/// How many words of an e-mail address are held against the password, and how long they are at least.
const EMAIL_WORDS: usize = 8;
const EMAIL_WORD_LENGTH: usize = 3;

/// From how many characters on the part of an address before its `@` may not be in the password.
const MIN_LOCAL_PART: usize = 3;

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// Fewer than [`MIN_LENGTH`] characters.
    #[error("must have at least 12 characters")]
    TooShort,
    /// More than [`MAX_LENGTH`] characters.
    #[error("must have at most 128 characters")]
    TooLong,
    /// One of those that are tried first, or nearly so.
    #[error("is too common or too easy to guess; a few unrelated words make a good password")]
    Common,
}

impl Weakness {
    /// The stable name of the failure, for clients.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort | Self::TooLong => "length",
            Self::Common => "common",
        }
    }
}

/// Whether a password has a length that is taken: [`MIN_LENGTH`] to [`MAX_LENGTH`] characters.
///
/// # Errors
/// [`Weakness::TooShort`], [`Weakness::TooLong`].
fn check_length(password: &SecretString) -> Result<(), Weakness> {
    let length = password.expose_secret().chars().take(MAX_LENGTH + 1).count();
    if length < MIN_LENGTH {
        return Err(Weakness::TooShort);
    }
    if length > MAX_LENGTH {
        return Err(Weakness::TooLong);
    }
    Ok(())
}

/// Whether `password` may be chosen by the owner of `email`, whose part before the `@` must not be in it, nor the rest of the
/// address be most of it.
///
/// Takes well under a millisecond for what people type and some milliseconds for what is made to take long.
///
/// # Errors
/// What is wrong with it.
pub fn check(password: &SecretString, email: &str) -> Result<(), Weakness> {
    check_length(password)?;
    let password = password.expose_secret();
    if contains_local_part(password, email) {
        return Err(Weakness::Common);
    }
    let email_words = email_words(email);
    let characters = Zeroizing::new(password.chars().collect::<Vec<char>>());
    let core = without_repetition(&characters);
    let head = window(core.iter().copied());
    let tail = Zeroizing::new(window(core.iter().rev().copied()).chars().rev().collect::<String>());
    // A strong end makes a strong whole.
    if guessable(&head, &email_words) && guessable(&tail, &email_words) {
        return Err(Weakness::Common);
    }
    Ok(())
}

/// Whether the part of an address before its `@` is in the password. One that is too short to tell anything is not looked for.
fn contains_local_part(password: &str, email: &str) -> bool {
    let local = email.rsplit_once('@').map_or("", |(local, _)| local).to_lowercase();
    local.chars().count() >= MIN_LOCAL_PART && Zeroizing::new(password.to_lowercase()).contains(&local)
}

fn guessable(text: &str, email_words: &[&str]) -> bool {
    zxcvbn(text, email_words).score() <= REFUSED
}

/// What is said twice or more, once: repeating it adds next to nothing, however long the whole becomes.
fn without_repetition(characters: &[char]) -> &[char] {
    let repeats = |period: &usize| {
        characters
            .iter()
            .zip(characters.iter().skip(*period))
            .all(|(one, next)| one == next)
    };
    let period = (1..=characters.len() / 2).find(repeats);
    period.and_then(|period| characters.get(..period)).unwrap_or(characters)
}

/// The first characters, as many as are judged in bounded time.
fn window(characters: impl Iterator<Item = char>) -> Zeroizing<String> {
    let text = Zeroizing::new(characters.take(WINDOW).collect::<String>());
    if SUBSTITUTES
        .chars()
        .filter(|substitute| text.contains(*substitute))
        .count()
        <= MAX_SUBSTITUTES
    {
        return text;
    }
    Zeroizing::new(text.chars().take(MIN_LENGTH).collect())
}

/// The address and the words in it, which their owner's enemies know.
fn email_words(email: &str) -> Vec<&str> {
    let words = email
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() >= EMAIL_WORD_LENGTH);
    std::iter::once(email).chain(words).take(EMAIL_WORDS).collect()
}

#[cfg(test)]
mod tests;
