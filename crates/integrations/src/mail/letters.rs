//! What is written to people.
//!
//! To add a letter: a variant, the arms that the compiler asks for, its name in [`Letter::NAMES`], and its templates in
//! `templates/{language}/{name}.txt` and `.html`, which are listed in the module of templates. A test writes every
//! letter in every language.

use std::{collections::BTreeMap, fmt};

use minijinja::Value;
use tenantry_domain::{
    jobs::{FactorChange, IdentityChange},
    passkeys::DOUBT,
};
use uuid::Uuid;

use super::{Language, Mail, Recipient, RenderError, message::one_line, templates};

/// The most characters of a name that a letter shows.
const MAX_NAME: usize = 100;

/// The most characters of each name in an invitation: its subject holds two of them, and a header cuts what is too long.
const MAX_INVITATION_NAME: usize = 80;

/// The most characters of an address that a letter shows.
const MAX_ADDRESS: usize = 254;

/// What is written.
#[derive(Clone)]
pub enum Letter {
    /// Asks a person to prove that the address is theirs.
    VerifyEmail {
        /// Where to do so; it holds a secret.
        link: String,
        /// For how many hours the link works.
        hours: u32,
    },
    /// Lets a person choose a new password.
    ResetPassword {
        /// Where to do so; it holds a secret.
        link: String,
        /// For how many minutes the link works.
        minutes: u32,
    },
    /// Tells a person that their password is another one now.
    PasswordChanged {
        /// When it was changed, as a person reads it.
        at: String,
    },
    /// Asks a person to become a member of an organization.
    Invitation {
        /// Where to accept it; it holds a secret.
        link: String,
        /// What the organization is called.
        organization: String,
        /// What the workspace is called that it is for alone; `None` where it is for the whole organization.
        workspace: Option<String>,
        /// What the member is called who invites.
        inviter: String,
        /// What the role is called that they are given.
        role: String,
        /// For how many days the link works.
        days: u32,
    },
    /// Tells a person what happened to their two-step sign-in.
    SecondFactor {
        /// What happened.
        change: FactorChange,
        /// When it happened, as a person reads it.
        at: String,
    },
    /// Asks a person whether it was them who signed in through a provider.
    IdentityConfirmation {
        /// Where to say so; it holds a secret.
        link: String,
        /// What people call the provider.
        provider: String,
        /// Their address there; empty where the provider tells none.
        account: String,
        /// For how many minutes the link works.
        minutes: u32,
    },
    /// Tells a person that they sign in through a provider from now on, or no longer.
    Identity {
        /// Which of both.
        change: IdentityChange,
        /// What people call the provider.
        provider: String,
        /// Their address there; empty where the provider tells none.
        account: String,
        /// When it happened, as a person reads it.
        at: String,
    },
}

impl Letter {
    /// The name of every letter.
    pub const NAMES: [&str; 7] = [
        "verify_email",
        "reset_password",
        "password_changed",
        "invitation",
        "second_factor",
        "identity_confirmation",
        "identity",
    ];

    /// Its name, which is also that of its templates.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::VerifyEmail { .. } => "verify_email",
            Self::ResetPassword { .. } => "reset_password",
            Self::PasswordChanged { .. } => "password_changed",
            Self::Invitation { .. } => "invitation",
            Self::SecondFactor { .. } => "second_factor",
            Self::IdentityConfirmation { .. } => "identity_confirmation",
            Self::Identity { .. } => "identity",
        }
    }

    /// The letter of that name with made-up content, for a preview. Its links lead to `base_url`.
    #[must_use]
    pub fn example(name: &str, base_url: &str) -> Option<Self> {
        let base_url = base_url.trim_end_matches('/');
        match name {
            "verify_email" => Some(Self::VerifyEmail {
                link: format!("{base_url}/verify-email?token=example"),
                hours: 24,
            }),
            "reset_password" => Some(Self::ResetPassword {
                link: format!("{base_url}/reset-password?token=example"),
                minutes: 30,
            }),
            "password_changed" => Some(Self::PasswordChanged {
                at: "2026-01-31 09:30 UTC".to_owned(),
            }),
            "invitation" => Some(Self::Invitation {
                link: format!("{base_url}/accept-invitation?token=example"),
                organization: "Acme".to_owned(),
                workspace: Some("Design".to_owned()),
                inviter: "Olivia".to_owned(),
                role: "Member".to_owned(),
                days: 7,
            }),
            "second_factor" => Some(Self::SecondFactor {
                change: FactorChange::RecoveryCodeUsed { left: 7 },
                at: "2026-01-31 09:30 UTC".to_owned(),
            }),
            "identity_confirmation" => Some(Self::IdentityConfirmation {
                link: format!("{base_url}/confirm-identity?token=example"),
                provider: "Google".to_owned(),
                account: "ann@example.com".to_owned(),
                minutes: 60,
            }),
            "identity" => Some(Self::Identity {
                change: IdentityChange::Linked,
                provider: "Google".to_owned(),
                account: "ann@example.com".to_owned(),
                at: "2026-01-31 09:30 UTC".to_owned(),
            }),
            _ => None,
        }
    }

    /// Writes it to `to` in `language`. `id` is the mail's own.
    ///
    /// # Errors
    /// When one of its templates has a mistake.
    pub fn write(&self, id: Uuid, to: Recipient, language: Language) -> Result<Mail, RenderError> {
        let mut values = BTreeMap::from([
            ("name", Value::from(shown(&to.name, MAX_NAME))),
            ("lang", Value::from(language.tag())),
        ]);
        match self {
            Self::VerifyEmail { link, hours } => {
                values.insert("link", Value::from(link.as_str()));
                values.insert("hours", Value::from(*hours));
            }
            Self::ResetPassword { link, minutes } => {
                values.insert("link", Value::from(link.as_str()));
                values.insert("minutes", Value::from(*minutes));
            }
            Self::PasswordChanged { at } => {
                values.insert("at", Value::from(at.as_str()));
            }
            Self::Invitation {
                link,
                organization,
                workspace,
                inviter,
                role,
                days,
            } => {
                values.insert("link", Value::from(link.as_str()));
                values.insert("days", Value::from(*days));
                // One whose name is not shown is still all that the invitation is for.
                values.insert("in_workspace", Value::from(workspace.is_some()));
                let workspace = workspace.as_deref().unwrap_or_default();
                for (key, name) in [
                    ("organization", organization.as_str()),
                    ("workspace", workspace),
                    ("inviter", inviter.as_str()),
                    ("role", role.as_str()),
                ] {
                    values.insert(key, Value::from(shown(name, MAX_INVITATION_NAME)));
                }
            }
            Self::SecondFactor { change, at } => {
                values.insert("at", Value::from(at.as_str()));
                values.insert("change", Value::from(word(change)));
                match change {
                    FactorChange::Locked { minutes } => {
                        values.insert("minutes", Value::from(*minutes));
                    }
                    FactorChange::RecoveryCodeUsed { left } => {
                        values.insert("left", Value::from(*left));
                    }
                    FactorChange::PasskeyAdded { name }
                    | FactorChange::PasskeyRemoved { name }
                    | FactorChange::PasskeySuspected { name } => {
                        // Whoever added it chose the name, and that may be somebody else than the reader.
                        values.insert("passkey", Value::from(shown(name.as_str(), MAX_NAME)));
                        values.insert("days", Value::from(DOUBT.num_days()));
                    }
                    FactorChange::Enabled
                    | FactorChange::Disabled
                    | FactorChange::Reset
                    | FactorChange::RecoveryCodesReplaced => {}
                }
            }
            Self::IdentityConfirmation {
                link,
                provider,
                account,
                minutes,
            } => {
                values.insert("link", Value::from(link.as_str()));
                values.insert("minutes", Value::from(*minutes));
                values.insert("provider", Value::from(one_line(provider, MAX_NAME)));
                values.insert("account", Value::from(one_line(account, MAX_ADDRESS)));
            }
            Self::Identity {
                change,
                provider,
                account,
                at,
            } => {
                let change = match change {
                    IdentityChange::Linked => "linked",
                    IdentityChange::Unlinked => "unlinked",
                };
                values.insert("change", Value::from(change));
                values.insert("at", Value::from(at.as_str()));
                values.insert("provider", Value::from(one_line(provider, MAX_NAME)));
                values.insert("account", Value::from(one_line(account, MAX_ADDRESS)));
            }
        }
        let (subject, text) = templates::text(self.name(), language, &values)?;
        values.insert("subject", Value::from(subject.as_str()));
        let html = templates::html(self.name(), language, &values)?;
        Ok(Mail {
            id,
            to,
            subject,
            text,
            html,
        })
    }
}

/// What a change is called in the templates.
const fn word(change: &FactorChange) -> &'static str {
    match change {
        FactorChange::Enabled => "enabled",
        FactorChange::Disabled => "disabled",
        FactorChange::Reset => "reset",
        FactorChange::Locked { .. } => "locked",
        FactorChange::RecoveryCodeUsed { .. } => "recovery_code_used",
        FactorChange::RecoveryCodesReplaced => "recovery_codes_replaced",
        FactorChange::PasskeyAdded { .. } => "passkey_added",
        FactorChange::PasskeyRemoved { .. } => "passkey_removed",
        FactorChange::PasskeySuspected { .. } => "passkey_suspected",
    }
}

/// A name as a letter shows it, at most `max` characters of it; empty where it is not to be shown.
fn shown(name: &str, max: usize) -> String {
    // A name of several lines could pass for a part of the letter that we wrote.
    let name = one_line(name, max);
    if carries_more(&name) { String::new() } else { name }
}

/// Whether a name carries what a name has no use for: an address to be followed, or marks that turn the text around it. It was
/// chosen by whoever typed the reader's address, who may be anybody, and our mail shall not carry their message.
fn carries_more(name: &str) -> bool {
    let lower = name.to_lowercase();
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    // `evil.example/offer`, which programs make a link of; a domain alone may be a name.
    let dots = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
    let leads_on = |word: &str| {
        let host = word.split_once(['/', ':', '?', '#']).map(|(host, _)| host);
        word.contains('@') || host.is_some_and(|host| host.contains(dots))
    };
    lower.contains("://") || lower.contains("www.") || name.contains(turns) || lower.split_whitespace().any(leads_on)
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests;
