//! What mails go out by.

use secrecy::SecretString;
use tenantry_integrations::mail;

use super::{Purpose, http::PUBLIC_URL, reader::Reader, setting::Setting};

const SMTP_URL: Setting = Setting::secret_url(
    "TENANTRY_SMTP_URL",
    "a mail server, smtp://user:password@host:587 (STARTTLS is demanded unless `?tls=opportunistic` or `?tls=none` says \
     otherwise) or smtps://user:password@host:465",
);

const MAIL_FROM: Setting = Setting::plain(
    "TENANTRY_MAIL_FROM",
    "whom mails are from, such as `Tenantry <no-reply@example.com>`",
);

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&SMTP_URL, &MAIL_FROM];

/// What mails go out by.
#[derive(Debug, Clone)]
pub struct Mail {
    /// `TENANTRY_SMTP_URL` with `TENANTRY_MAIL_FROM`; `None` where no mail server is configured.
    pub smtp: Option<Smtp>,
}

/// A mail server, and whom mails are from.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// `TENANTRY_SMTP_URL`.
    pub url: SecretString,
    /// `TENANTRY_MAIL_FROM`.
    pub from: String,
}

impl Mail {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let url = reader.secret(&SMTP_URL, mail::check_smtp_url);
        let from = reader.optional(&MAIL_FROM, |text| mail::check_from(text).then(|| text.to_owned()));
        if matches!(url, Some(Some(_))) {
            reader.require(&MAIL_FROM);
            if matches!(reader.purpose(), Purpose::Serve | Purpose::Worker) {
                // Links would lead to where only this machine gets.
                reader.require(&PUBLIC_URL);
            }
        }
        let smtp = match (url?, from?) {
            (Some(url), Some(from)) => Some(Smtp { url, from }),
            _ => None,
        };
        Some(Self { smtp })
    }
}
