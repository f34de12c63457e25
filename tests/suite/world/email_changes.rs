//! Changes of an e-mail address, made beside the API: what is under way once a mail was followed, or before any was.

use super::{Person, Tenant, new_id, new_text};

/// An address that nobody has, for somebody who wants another.
pub(super) fn new_address() -> String {
    format!("{}@example.com", new_text())
}

impl Tenant {
    /// Has somebody change their address, to one that is still to be proven. What they had under way is replaced.
    pub(super) async fn begin_email_change(&self, person: &Person) {
        self.sql(&email_change(&person.id, &new_address())).await;
    }
}

/// Has somebody change their address to this one, which is still to be proven, and then is theirs.
pub(super) fn email_change(user: &str, email: &str) -> String {
    format!(
        "insert into email_changes (user_id, id, email, email_canonical, awaits_current, awaits_new, expires_at,
                                    created_at, updated_at)
         values ('{user}', '{id}', '{email}', '{email}', false, true, now() + interval '10 years', now(), now())
         on conflict (user_id) do update set id = excluded.id, email = excluded.email,
             email_canonical = excluded.email_canonical, awaits_current = false, awaits_new = true,
             expires_at = excluded.expires_at;",
        id = new_id(),
    )
}
