//! Mails: what is written in them, and how they leave.
//!
//! A [`Letter`] is written in a [`Language`] and becomes a [`Mail`], which a [`Mailer`] hands to the mail server, to
//! the [`Outbox`] of a developer, or to both. To add a mail: a variant of [`Letter`], and its templates in every
//! language.
//!
//! What a mail holds is as good as a password for a while, since its links are: neither it nor its recipient is shown
//! by `Debug` or by an error.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::environment::Timestamp;
use uuid::Uuid;

mod errors;
mod language;
mod letters;
mod message;
mod outbox;
mod server;
mod smtp;
mod templates;

pub use errors::{InvalidSettings, Refusal, RenderError, SendError, Trouble};
pub use language::Language;
pub use letters::Letter;
pub use message::check_from;
pub use outbox::{Kept, Outbox};
pub use server::check_smtp_url;

/// A mail that is ready to be sent.
#[derive(Clone)]
pub struct Mail {
    /// What tells it from every other mail. A second try of the same mail keeps it.
    pub id: Uuid,
    /// Who gets it.
    pub to: Recipient,
    /// Its subject, one line.
    pub subject: String,
    /// Its body for those who read plain text.
    pub text: String,
    /// Its body for everyone else.
    pub html: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Who gets a mail.
#[derive(Clone)]
pub struct Recipient {
    /// The person's name, in any script.
    pub name: String,
    /// The person's e-mail address.
    pub address: String,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient(redacted)")
    }
}

/// How to reach the mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Its URL, as [`check_smtp_url`] takes it.
    pub url: SecretString,
    /// Who mails are from: `Tenantry <no-reply@example.com>`, or the address alone.
    pub from: String,
}

/// Sends mails; cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Ways>);

/// Where mails go.
struct Ways {
    smtp: Option<smtp::Smtp>,
    outbox: Option<Arc<Outbox>>,
}

impl Mailer {
    /// A mailer that hands mails to the server of `smtp`, and keeps them in `outbox` after that.
    ///
    /// # Errors
    /// When `smtp` does not say how to reach a server, or when no certificate is there to trust one by.
    pub fn new(smtp: Option<&SmtpSettings>, outbox: Option<Arc<Outbox>>) -> Result<Self, InvalidSettings> {
        let smtp = smtp
            .map(|settings| {
                let from = message::parse_from(&settings.from).ok_or(InvalidSettings::From)?;
                let server = server::Server::new(settings.url.expose_secret())?;
                Ok(smtp::Smtp::new(server, from))
            })
            .transpose()?;
        Ok(Self(Arc::new(Ways { smtp, outbox })))
    }

    /// A mailer that can send nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(Arc::new(Ways {
            smtp: None,
            outbox: None,
        }))
    }

    /// Where mails are kept for a developer to read.
    #[must_use]
    pub fn outbox(&self) -> Option<&Arc<Outbox>> {
        self.0.outbox.as_ref()
    }

    /// Sends `mail`, dated `now`.
    ///
    /// A mail that failed may be sent again as it is: a receiver can tell by its `Message-ID` that it is the same one.
    ///
    /// # Errors
    /// When there is no way to send it, when it did not work this time, or when it never will.
    pub async fn send(&self, mail: &Mail, now: Timestamp) -> Result<(), SendError> {
        if self.0.smtp.is_none() && self.0.outbox.is_none() {
            return Err(SendError::NotConfigured);
        }
        if let Some(smtp) = &self.0.smtp {
            smtp.send(mail, now).await?;
            tracing::debug!(mail.id = %mail.id, "the mail server took a mail");
        }
        if let Some(outbox) = &self.0.outbox {
            outbox.keep(mail, now);
        }
        Ok(())
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer")
            .field("smtp", &self.0.smtp.is_some())
            .field("outbox", &self.0.outbox.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests;
