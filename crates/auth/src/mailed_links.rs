//! The secrets of links that are mailed: whoever shows one reads the mails of the address that it was sent to.
//!
//! A secret is the link's id and a signature of it by the installation's keys ([`signatures`](crate::signatures)), made for
//! the link's purpose. It is made anew for each try of its mail and is the same each time, so nothing of it is stored: who
//! reads the database finds ids, which open nothing. Whether a link was used or has expired is kept by its id.
//!
//! A key that leaves the keyring takes the links that it signed with it.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use tenantry_domain::{
    ids::{InvitationId, LinkId},
    links::LinkPurpose,
};
use uuid::Uuid;

use crate::{keys::Keyring, signatures::SIGNATURE_BYTES};

/// What a secret begins with, so that people and scanners recognise a leaked one.
pub const PREFIX: &str = "tnl_";

/// Bytes of an id.
const ID_BYTES: usize = 16;

/// How long each is: the prefix and the base64url of both parts, without padding.
pub const TEXT_BYTES: usize = PREFIX.len() + ((ID_BYTES + SIGNATURE_BYTES) * 4).div_ceil(3);

/// A link whose secret was shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ShownLink(LinkId);

impl ShownLink {
    /// The link.
    #[must_use]
    pub const fn id(&self) -> LinkId {
        self.0
    }
}

impl fmt::Debug for ShownLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownLink")
    }
}

/// What is signed with the keys for a purpose.
const fn signed_for(purpose: LinkPurpose) -> &'static str {
    match purpose {
        LinkPurpose::VerifyEmail => "mailed link: verify e-mail",
        LinkPurpose::ResetPassword => "mailed link: reset password",
        LinkPurpose::ConfirmIdentity => "mailed link: confirm identity",
        LinkPurpose::ApproveEmailChange => "mailed link: approve e-mail change",
        LinkPurpose::ProveNewEmail => "mailed link: prove new e-mail",
    }
}

/// What is signed with the keys for an invitation.
const SIGNED_FOR_INVITATION: &str = "mailed link: invitation";

/// The secret of a link.
#[must_use]
pub fn secret(keyring: &Keyring, purpose: LinkPurpose, link: LinkId) -> SecretString {
    seal(keyring, signed_for(purpose), link.as_uuid())
}

/// The link of a secret that was made for `purpose`. `None` for any other text.
#[must_use]
pub fn read(keyring: &Keyring, purpose: LinkPurpose, text: &str) -> Option<ShownLink> {
    open(keyring, signed_for(purpose), text).map(|id| ShownLink(id.into()))
}

/// The secret of the link of an invitation.
#[must_use]
pub fn invitation_secret(keyring: &Keyring, invitation: InvitationId) -> SecretString {
    seal(keyring, SIGNED_FOR_INVITATION, invitation.as_uuid())
}

/// The invitation of a secret that was made for one. `None` for any other text.
#[must_use]
pub fn read_invitation(keyring: &Keyring, text: &str) -> Option<InvitationId> {
    open(keyring, SIGNED_FOR_INVITATION, text).map(Into::into)
}

fn seal(keyring: &Keyring, signed_for: &'static str, id: Uuid) -> SecretString {
    let id = id.into_bytes();
    let signature = keyring.sign(signed_for, &id);
    let both = [&id[..], signature.as_bytes()].concat();
    SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(both)))
}

fn open(keyring: &Keyring, signed_for: &'static str, text: &str) -> Option<Uuid> {
    if text.len() != TEXT_BYTES {
        return None;
    }
    let both = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (id, signature) = both.split_first_chunk::<ID_BYTES>()?;
    keyring.verify(signed_for, id, signature).then(|| Uuid::from_bytes(*id))
}

#[cfg(test)]
mod tests;
