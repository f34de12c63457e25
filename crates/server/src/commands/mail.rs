//! `tenantry mail`: what mails look like.

use anyhow::Context as _;
use tenantry_integrations::mail::{Language, Letter, Recipient};
use uuid::Uuid;

use crate::{
    cli::{MailPart, Preview},
    exit_code::ExitCode,
    output,
};

/// Whom a mail that is only looked at is for.
const READER: &str = "Ann Example";

/// Prints a mail with made-up contents.
///
/// # Errors
/// When there is no such mail or language, or standard output is closed.
pub fn preview(options: &Preview) -> anyhow::Result<ExitCode> {
    let letter = Letter::example(&options.name, "https://app.example.com").with_context(|| {
        format!(
            "there is no mail `{}`: there are {}",
            options.name,
            Letter::NAMES.join(", ")
        )
    })?;
    let language = Language::parse(&options.locale).with_context(|| {
        let known: Vec<_> = Language::ALL.iter().map(|language| language.tag()).collect();
        format!(
            "mails are not written in `{}`, but in {}",
            options.locale,
            known.join(", ")
        )
    })?;
    let to = Recipient {
        name: READER.to_owned(),
        address: "ann@example.com".to_owned(),
    };
    let mail = letter.write(Uuid::nil(), to, language)?;
    let shown = match options.part {
        MailPart::Text => format!("Subject: {}\n\n{}", mail.subject, mail.text),
        MailPart::Html => mail.html,
    };
    output::line(shown).context("cannot write to standard output")?;
    Ok(ExitCode::Success)
}
