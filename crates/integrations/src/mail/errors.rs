//! What may go wrong with a mail.
//!
//! A mail server's answer often repeats the recipient's address, and lettre's errors repeat the answer. So no error of
//! another crate is passed on or kept as a source: of an answer there is its code, of everything else its kind.

use lettre::transport::smtp;

/// Refusals for good that are about this client and how it is set up, and not about the mail (RFC 5321, section 4.2; RFC 4954,
/// section 6): whoever corrects a password wants the mails of the meantime sent.
const NOT_ABOUT_THE_MAIL: [u16; 8] = [500, 502, 503, 504, 530, 534, 535, 538];

/// Why mails cannot be sent with the settings that were given. None repeats a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// The URL is none that [`check_smtp_url`](super::check_smtp_url) takes.
    #[error("the mail server's URL must look like smtp://user:password@host:587 or smtps://user:password@host:465")]
    Url,
    /// The sender is none that [`check_from`](super::check_from) takes.
    #[error("the sender of mails must look like \"Name <name@example.com>\" or name@example.com")]
    From,
    /// The operating system has no certificates to check the server's by.
    #[error("TLS to the mail server cannot be set up: are the system's CA certificates installed?")]
    Tls,
}

/// Why a letter could not be written: a mistake in its template.
#[derive(Debug, thiserror::Error)]
#[error("the mail template {template} cannot be written: {problem}")]
pub struct RenderError {
    pub(super) template: String,
    pub(super) problem: String,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is neither a mail server nor an outbox.
    #[error("no mail server is configured")]
    NotConfigured,
    /// It did not work this time; a later try may.
    #[error("{0}")]
    Temporary(Trouble),
    /// It will not work however often it is tried.
    #[error("{0}")]
    Refused(Refusal),
}

/// What kept a mail from being sent this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The server asked to try again later, with this code.
    #[error("the mail server answered {0}")]
    Answer(u16),
    /// The server took too long.
    #[error("the mail server took too long")]
    Timeout,
    /// The server could not be reached, or hung up.
    #[error("the connection to the mail server failed")]
    Connection,
    /// Encryption could not be agreed on, or the server's certificate is not trusted.
    #[error("TLS with the mail server failed")]
    Tls,
    /// The server sent what is no SMTP.
    #[error("the mail server's answer was not understood")]
    Protocol,
    /// The server does not offer what is needed: STARTTLS, a way to sign in, or addresses in any script.
    #[error("the mail server lacks STARTTLS, a known way to sign in, or another extension that is needed")]
    Extension,
}

/// Why a mail will never be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The server refused it for good, with this code.
    #[error("the mail server answered {0}")]
    Answer(u16),
    /// The recipient's address is none that mail can be sent to.
    #[error("the recipient's address cannot be written to")]
    Address,
    /// The mail cannot be put into the form that servers take.
    #[error("the mail cannot be built")]
    Message,
}

impl From<smtp::Error> for SendError {
    fn from(error: smtp::Error) -> Self {
        if let Some(code) = error.status().map(u16::from) {
            return if error.is_permanent() && !NOT_ABOUT_THE_MAIL.contains(&code) {
                Self::Refused(Refusal::Answer(code))
            } else {
                Self::Temporary(Trouble::Answer(code))
            };
        }
        Self::Temporary(if error.is_timeout() {
            Trouble::Timeout
        } else if error.is_tls() {
            Trouble::Tls
        } else if error.is_response() {
            Trouble::Protocol
        } else if error.is_client() {
            Trouble::Extension
        } else {
            Trouble::Connection
        })
    }
}
