//! What is written to people.
//!
//! To add a letter: a variant, the arms that the compiler asks for, its name in [`Letter::NAMES`], its example, and its
//! templates in `templates/{language}/{name}.txt` and `.html`, which are listed in the module of templates. A test writes
//! every letter in every language.

mod examples;

use std::{collections::BTreeMap, fmt};

use minijinja::Value;
use tenantry_domain::{
    jobs::{FactorChange, IdentityChange},
    passkeys::DOUBT,
};
use uuid::Uuid;

use super::{
    Language, Mail, Recipient, RenderError,
    message::one_line,
    templates::{self, Values},
};

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
    /// Asks a person, at the present address of their account, to agree to another.
    EmailChangeApproval {
        /// Where to do so; it holds a secret.
        link: String,
        /// The address that is wanted.
        email: String,
        /// For how many hours the link works.
        hours: u32,
    },
    /// Asks a person to prove that the address that is wanted is theirs. It does not tell the present one.
    EmailChangeProof {
        /// Where to do so; it holds a secret.
        link: String,
        /// The address that is wanted, which is the reader's.
        email: String,
        /// For how many hours the link works.
        hours: u32,
    },
    /// Tells whoever reads the former address of an account that it has another one now.
    EmailChanged {
        /// The address that took its place.
        email: String,
        /// When it did, as a person reads it.
        at: String,
    },
    /// Tells a person that somebody signed in with something new, or from somewhere new.
    NewDevice {
        /// What it named itself; empty where it did not.
        device: String,
        /// Where the request came from; empty where that is not known.
        ip: String,
        /// When they did, as a person reads it.
        at: String,
    },
}

impl Letter {
    /// The name of every letter.
    pub const NAMES: [&str; 11] = [
        "verify_email",
        "reset_password",
        "password_changed",
        "invitation",
        "second_factor",
        "identity_confirmation",
        "identity",
        "email_change_approval",
        "email_change_proof",
        "email_changed",
        "new_device",
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
            Self::EmailChangeApproval { .. } => "email_change_approval",
            Self::EmailChangeProof { .. } => "email_change_proof",
            Self::EmailChanged { .. } => "email_changed",
            Self::NewDevice { .. } => "new_device",
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
        self.contents(&mut values);
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

    /// Puts what this letter alone tells into what its templates may name.
    fn contents(&self, values: &mut Values) {
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
                of_factor(change, values);
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
            Self::EmailChangeApproval { link, email, hours } | Self::EmailChangeProof { link, email, hours } => {
                values.insert("link", Value::from(link.as_str()));
                values.insert("hours", Value::from(*hours));
                values.insert("email", Value::from(one_line(email, MAX_ADDRESS)));
            }
            Self::EmailChanged { email, at } => {
                values.insert("at", Value::from(at.as_str()));
                values.insert("email", Value::from(one_line(email, MAX_ADDRESS)));
            }
            Self::NewDevice { device, ip, at } => {
                values.insert("at", Value::from(at.as_str()));
                // Whoever signed in chose what the device names itself, and that may be somebody else than the reader.
                values.insert("device", Value::from(shown(device, MAX_NAME)));
                values.insert("ip", Value::from(ip.as_str()));
            }
        }
    }
}

/// Puts what became of a second factor into what the templates may name.
fn of_factor(change: &FactorChange, values: &mut Values) {
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
        FactorChange::Enabled | FactorChange::Disabled | FactorChange::Reset | FactorChange::RecoveryCodesReplaced => {}
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
