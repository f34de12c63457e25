//! Domain events: what a write did, kept in the transaction that did it.
//!
//! To add one: a variant in [`EventType`], and its use where a service commits. Types are `resource.verb` in the past
//! tense and are never renamed: subscribers and audit logs know them.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    domains::Domain, identities::Identity, invitations::Invitation, keywords, members::Member,
    organizations::Organization, passkeys::Passkey, projects::Project, sign_on::SignOnPolicy, users::User,
    workspaces::Workspace,
};

keywords! {
    /// What happened.
    pub enum EventType {
        /// An organization was founded.
        OrganizationCreated = "organization.created",
        /// An organization's own fields changed.
        OrganizationUpdated = "organization.updated",
        /// An organization was deleted, which can be undone for a while.
        OrganizationDeleted = "organization.deleted",
        /// A deleted organization was restored.
        OrganizationRestored = "organization.restored",
        /// How an organization's members sign in was changed.
        SignOnPolicyChanged = "sign_on_policy.changed",
        /// An owner signed in past the provider that their organization demands.
        SignOnBypassed = "sign_on.bypassed",
        /// An organization said that a domain is its own.
        DomainAdded = "domain.added",
        /// An organization proved that.
        DomainVerified = "domain.verified",
        /// A domain is an organization's no longer.
        DomainRemoved = "domain.removed",
        /// Somebody was asked to join. With the membership of whoever sent an invitation it goes without a word of its own, and
        /// with its workspace.
        InvitationCreated = "invitation.created",
        /// An invitation was mailed again, and is good for longer.
        InvitationResent = "invitation.resent",
        /// An invitation was taken back, or another took its place.
        InvitationCancelled = "invitation.cancelled",
        /// Somebody took up their invitation.
        InvitationAccepted = "invitation.accepted",
        /// Somebody became a member.
        MemberJoined = "member.joined",
        /// How a member is shown was changed.
        MemberUpdated = "member.updated",
        /// A member was given another role in the whole organization.
        MemberRoleChanged = "member.role_changed",
        /// A member was removed by another.
        MemberRemoved = "member.removed",
        /// A member left.
        MemberLeft = "member.left",
        /// A workspace was created.
        WorkspaceCreated = "workspace.created",
        /// A workspace changed.
        WorkspaceUpdated = "workspace.updated",
        /// A workspace was deleted.
        WorkspaceDeleted = "workspace.deleted",
        /// A project was created.
        ProjectCreated = "project.created",
        /// A project changed.
        ProjectUpdated = "project.updated",
        /// A project was put aside.
        ProjectArchived = "project.archived",
        /// An archived project was taken up again.
        ProjectUnarchived = "project.unarchived",
        /// A project was deleted.
        ProjectDeleted = "project.deleted",
        /// A person registered.
        UserRegistered = "user.registered",
        /// A person changed what is known of them.
        UserUpdated = "user.updated",
        /// A person chose another password, which ended their other sessions.
        UserPasswordChanged = "user.password_changed",
        /// A person chose another password by a link that was mailed to them, which ended their sessions.
        UserPasswordReset = "user.password_reset",
        /// Somebody asked for a link to choose another password by.
        UserPasswordResetRequested = "user.password_reset_requested",
        /// A person proved that their address is theirs.
        UserEmailVerified = "user.email_verified",
        /// A person asked for another address in place of theirs.
        UserEmailChangeRequested = "user.email_change_requested",
        /// One of the two addresses of such a change was confirmed.
        UserEmailChangeConfirmed = "user.email_change_confirmed",
        /// A person does not want the other address any more.
        UserEmailChangeCancelled = "user.email_change_cancelled",
        /// A person has another address.
        UserEmailChanged = "user.email_changed",
        /// Somebody asked for a link to prove an address by.
        UserVerificationRequested = "user.verification_requested",
        /// A person began to set an authenticator app up.
        UserMfaBegun = "user.mfa_begun",
        /// A person's second factor is asked for from now on.
        UserMfaEnabled = "user.mfa_enabled",
        /// A person's second factors were taken away.
        UserMfaDisabled = "user.mfa_disabled",
        /// Somebody showed a person's password, and was asked for a second factor.
        UserMfaDemanded = "user.mfa_demanded",
        /// Somebody showed a code of a second factor that was not right.
        UserMfaFailed = "user.mfa_failed",
        /// Somebody did so too often, and no code is looked at for a while.
        UserMfaLocked = "user.mfa_locked",
        /// An operator took a person's second factors away, which ended their sessions.
        UserMfaReset = "user.mfa_reset",
        /// A person was given other recovery codes.
        UserRecoveryCodesReplaced = "user.recovery_codes_replaced",
        /// A recovery code of a person was used.
        UserRecoveryCodeUsed = "user.recovery_code_used",
        /// A person used a second factor on a device, and is not asked for it there for a while.
        UserTrustedDeviceAdded = "user.trusted_device_added",
        /// A device of a person is trusted no longer.
        UserTrustedDeviceRemoved = "user.trusted_device_removed",
        /// None of a person's devices is trusted any longer.
        UserTrustedDevicesRemoved = "user.trusted_devices_removed",
        /// A person registered a passkey.
        UserPasskeyAdded = "user.passkey_added",
        /// A person calls a passkey something else.
        UserPasskeyRenamed = "user.passkey_renamed",
        /// A passkey of a person was taken away.
        UserPasskeyRemoved = "user.passkey_removed",
        /// Somebody showed an answer of a person's passkey that was not right.
        UserPasskeyFailed = "user.passkey_failed",
        /// A passkey counted no further than it had before: there may be a copy of it.
        UserPasskeySuspected = "user.passkey_suspected",
        /// A person signs in through a provider from now on.
        IdentityLinked = "identity.linked",
        /// Somebody signed in through a provider, and a person was asked by a mail whether that was them.
        IdentityConfirmationRequested = "identity.confirmation_requested",
        /// A person signs in through a provider no longer.
        IdentityUnlinked = "identity.unlinked",
        /// An operator ended all of a person's sessions.
        UserSessionsRevoked = "user.sessions_revoked",
        /// A person deleted their account.
        UserDeleted = "user.deleted",
        /// A person signed in.
        SessionCreated = "session.created",
        /// A person proved once more who they are.
        SessionReauthenticated = "session.reauthenticated",
        /// A session's tokens were renewed.
        SessionRefreshed = "session.refreshed",
        /// A session was ended.
        SessionRevoked = "session.revoked",
        /// All of a person's other sessions were ended.
        SessionsRevoked = "session.others_revoked",
    }
}

/// An event as the writer of a change states it; who did it, when, and in which trace is added by the transaction.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub event_type: EventType,
    /// The kind of resource that it happened to.
    pub resource_type: &'static str,
    /// The resource.
    pub resource_id: Uuid,
    /// The resource as it was; `None` where it was created.
    pub before: Option<Value>,
    /// The resource as it is; `None` where it was deleted.
    pub after: Option<Value>,
}

/// What events can be about.
pub trait Subject: Serialize {
    /// The kind of resource, as events name it.
    const TYPE: &'static str;
    /// Its id.
    fn subject_id(&self) -> Uuid;
}

impl Event {
    /// Something that did not exist before.
    #[must_use]
    pub fn created<S: Subject>(event_type: EventType, after: &S) -> Self {
        Self::about(event_type, after, None, Some(after))
    }

    /// Something that is not what it was.
    #[must_use]
    pub fn changed<S: Subject>(event_type: EventType, before: &S, after: &S) -> Self {
        Self::about(event_type, after, Some(before), Some(after))
    }

    /// Something that exists no longer.
    #[must_use]
    pub fn deleted<S: Subject>(event_type: EventType, before: &S) -> Self {
        Self::about(event_type, before, Some(before), None)
    }

    /// Something whose inside is nobody's business, such as a session or a password.
    #[must_use]
    pub fn bare(event_type: EventType, resource_type: &'static str, resource_id: impl Into<Uuid>) -> Self {
        Self {
            event_type,
            resource_type,
            resource_id: resource_id.into(),
            before: None,
            after: None,
        }
    }

    fn about<S: Subject>(event_type: EventType, subject: &S, before: Option<&S>, after: Option<&S>) -> Self {
        // A resource is a plain record: turning it into JSON has no way to fail, and an event without its inside
        // would still be an event.
        let snapshot = |resource: &S| serde_json::to_value(resource).unwrap_or_default();
        Self {
            event_type,
            resource_type: S::TYPE,
            resource_id: subject.subject_id(),
            before: before.map(snapshot),
            after: after.map(snapshot),
        }
    }
}

macro_rules! subjects {
    ($($resource:ty = $name:literal;)*) => {$(
        impl Subject for $resource {
            const TYPE: &'static str = $name;

            fn subject_id(&self) -> Uuid {
                self.id.as_uuid()
            }
        }
    )*};
}

subjects! {
    Domain = "domain";
    Identity = "identity";
    Invitation = "invitation";
    Member = "member";
    Organization = "organization";
    Passkey = "passkey";
    Project = "project";
    SignOnPolicy = "sign_on_policy";
    User = "user";
    Workspace = "workspace";
}
