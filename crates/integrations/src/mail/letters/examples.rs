//! What a preview shows: each letter with made-up content.

use super::{FactorChange, IdentityChange, Letter};

impl Letter {
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
            "email_change_approval" => Some(Self::EmailChangeApproval {
                link: format!("{base_url}/confirm-email-change?token=example"),
                email: "ann@example.org".to_owned(),
                hours: 24,
            }),
            "email_change_proof" => Some(Self::EmailChangeProof {
                link: format!("{base_url}/confirm-email-change?token=example"),
                email: "ann@example.org".to_owned(),
                hours: 24,
            }),
            "email_changed" => Some(Self::EmailChanged {
                email: "ann@example.org".to_owned(),
                at: "2026-01-31 09:30 UTC".to_owned(),
            }),
            "new_device" => Some(Self::NewDevice {
                device: "Firefox on Linux".to_owned(),
                ip: "203.0.113.7".to_owned(),
                at: "2026-01-31 09:30 UTC".to_owned(),
            }),
            _ => None,
        }
    }
}
