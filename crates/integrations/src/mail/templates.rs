//! The templates of letters, which are part of the program.
//!
//! A letter has two in each language. The first line of the plain one is `Subject: …`, an empty line follows. In the
//! other one every value is escaped, by the ending of its name.

use std::{collections::BTreeMap, sync::LazyLock};

use minijinja::{Environment, Error, UndefinedBehavior, Value};

use super::{Language, RenderError};

/// What a template may name.
pub(super) type Values = BTreeMap<&'static str, Value>;

/// What the first line of a plain template begins with.
const SUBJECT: &str = "Subject: ";

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

const SOURCES: [(&str, &str); 45] = templates![
    "layout.html",
    "en/verify_email.txt",
    "en/verify_email.html",
    "en/reset_password.txt",
    "en/reset_password.html",
    "en/password_changed.txt",
    "en/password_changed.html",
    "en/invitation.txt",
    "en/invitation.html",
    "en/second_factor.txt",
    "en/second_factor.html",
    "en/identity_confirmation.txt",
    "en/identity_confirmation.html",
    "en/identity.txt",
    "en/identity.html",
    "en/email_change_approval.txt",
    "en/email_change_approval.html",
    "en/email_change_proof.txt",
    "en/email_change_proof.html",
    "en/email_changed.txt",
    "en/email_changed.html",
    "en/new_device.txt",
    "en/new_device.html",
    "de/verify_email.txt",
    "de/verify_email.html",
    "de/reset_password.txt",
    "de/reset_password.html",
    "de/password_changed.txt",
    "de/password_changed.html",
    "de/invitation.txt",
    "de/invitation.html",
    "de/second_factor.txt",
    "de/second_factor.html",
    "de/identity_confirmation.txt",
    "de/identity_confirmation.html",
    "de/identity.txt",
    "de/identity.html",
    "de/email_change_approval.txt",
    "de/email_change_approval.html",
    "de/email_change_proof.txt",
    "de/email_change_proof.html",
    "de/email_changed.txt",
    "de/email_changed.html",
    "de/new_device.txt",
    "de/new_device.html",
];

static TEMPLATES: LazyLock<Result<Environment<'static>, Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    // A value that is missing is a mistake to be told of, not a gap in somebody's mail.
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.add_filter("address", address);
    for (name, source) in SOURCES {
        templates.add_template(name, source)?;
    }
    Ok(templates)
});

/// An address as HTML shows and follows it. The engine would escape its slashes, too, which browsers read as the same, and
/// people and programs that look for it in the source do not.
fn address(text: &str) -> Value {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            other => escaped.push(other),
        }
    }
    Value::from_safe_string(escaped)
}

/// The subject and the plain text of a letter.
pub(super) fn text(letter: &str, language: Language, values: &Values) -> Result<(String, String), RenderError> {
    let template = format!("{}/{letter}.txt", language.tag());
    let written = render(&template, values)?;
    let split = written
        .split_once('\n')
        .and_then(|(subject, rest)| Some((subject.strip_prefix(SUBJECT)?.trim(), rest.trim_start())))
        .filter(|(subject, text)| !subject.is_empty() && !text.is_empty());
    match split {
        Some((subject, text)) => Ok((subject.to_owned(), format!("{}\n", text.trim_end()))),
        None => Err(RenderError {
            template,
            problem: format!("its first line is not \"{SUBJECT}…\", or nothing follows"),
        }),
    }
}

/// The HTML of a letter.
pub(super) fn html(letter: &str, language: Language, values: &Values) -> Result<String, RenderError> {
    render(&format!("{}/{letter}.html", language.tag()), values)
}

fn render(template: &str, values: &Values) -> Result<String, RenderError> {
    let failed = |error: &Error| RenderError {
        template: template.to_owned(),
        // The kind and the place only: a detail could repeat a value.
        problem: format!(
            "{} (in {}, line {})",
            error.kind(),
            error.name().unwrap_or(template),
            error.line().unwrap_or_default()
        ),
    };
    let templates = TEMPLATES.as_ref().map_err(failed)?;
    templates
        .get_template(template)
        .and_then(|found| found.render(values))
        .map_err(|error| failed(&error))
}
