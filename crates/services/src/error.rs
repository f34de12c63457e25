//! Why a use case did not do what was asked; what that is in HTTP is decided above.

use tenantry_auth::passwords::{PasswordError, Weakness};
use tenantry_cache::limits::Charge;
use tenantry_domain::{ids::OrganizationId, permissions::Permission, users::memberships::MemberOrganization};

/// A result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials are missing, wrong or out of date.
    #[error("the credentials are not valid")]
    Unauthenticated,
    /// The access token of a trusted issuer's is of nobody who has an account, and none is made of them.
    #[error("no account: {0:?}")]
    NoAccount(NoAccount),
    /// The access token has expired.
    #[error("the access token has expired")]
    Expired,
    /// There is no such thing, or the caller may not know of it.
    #[error("not found")]
    NotFound,
    /// The caller lacks a permission.
    #[error("{0} is required")]
    Forbidden(Permission),
    /// People do not make accounts by themselves here.
    #[error("registration is closed")]
    RegistrationClosed,
    /// The organization is suspended.
    #[error("the organization is suspended")]
    Suspended,
    /// The password is too weak.
    #[error("the password is too weak")]
    WeakPassword(#[from] Weakness),
    /// The password that was shown as the present one is not.
    #[error("is not the present password")]
    IncorrectPassword,
    /// The code of a second factor is not right, or was used.
    #[error("is not a code that is good now")]
    IncorrectCode,
    /// A code of the authenticator app is needed.
    #[error("is required where there is an authenticator app")]
    CodeRequired,
    /// What a passkey answered proves nothing, or was used.
    #[error("is no good answer to options that were given lately")]
    IncorrectPasskey,
    /// A page of another site may have made the request.
    #[error("the token against cross-site requests is missing or wrong")]
    CrossSite,
    /// The organization demands a second factor, and none was used for the session.
    #[error("a second factor is demanded")]
    MfaRequired,
    /// The caller proved too long ago who they are.
    #[error("the sign-in is too old")]
    ReauthenticationRequired,
    /// This organization demands of them to sign in through its provider.
    #[error("signing in through the organization's provider is demanded")]
    SsoRequired(OrganizationId),
    /// The organization demands a sign-in of the last so many seconds.
    #[error("a sign-in of the last {0} s is demanded")]
    SessionTooOld(u32),
    /// Nobody who speaks OpenID Connect answers as this issuer.
    #[error("must be an OpenID provider that answers")]
    UnreachableIssuer,
    /// These organizations would be left without an owner.
    #[error("{} organizations would be left without an owner", .0.len())]
    LastOwner(Vec<MemberOrganization>),
    /// What a resource keeps for clients would become too large, in the field of this name.
    #[error("{0} would become too large")]
    SettingsTooLarge(&'static str),
    /// The organization has no such role.
    #[error("is not a role of this organization")]
    UnknownRole,
    /// The invitation is for another address, or the caller has not proven that it is theirs.
    #[error("the invitation is for somebody else")]
    NotInvited,
    /// The organization has no more of this.
    #[error("there are no more {} left", .0.metric)]
    QuotaExceeded(Quota),
    /// Something was done too often.
    #[error("too often")]
    RateLimited(Charge),
    /// A link that was mailed is not good, or not any more.
    #[error("the link is not good any more")]
    LinkGone,
    /// Something that exists is in the way.
    #[error("conflict: {}", .0.as_str())]
    Conflict(Conflict),
    /// The resource is not the version that the caller demanded.
    #[error("the resource has changed")]
    PreconditionFailed,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The first request with this idempotency key is still running.
    #[error("the first request with this idempotency key is still running")]
    IdempotencyInProgress,
    /// Too busy, or a dependency is away: trying again in a moment may succeed.
    #[error("unavailable for the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A defect of ours.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why no account is made of somebody whom a trusted issuer vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAccount {
    /// The token names no address, which an account needs.
    EmailMissing,
    /// Somebody has the address, or people do not make accounts by themselves here.
    Unlinked,
}

/// What an organization has of something, and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// What it is of.
    pub metric: &'static str,
    /// How much it may have.
    pub limit: u64,
    /// How much it has.
    pub used: u64,
}

tenantry_domain::keywords! {
    /// What is in the way.
    pub enum Conflict {
        /// Another has this slug.
        SlugTaken = "slug_taken",
        /// Another has this address.
        EmailTaken = "email_taken",
        /// It is the caller's address already.
        EmailUnchanged = "email_unchanged",
        /// An organization always has an owner, and this is its last.
        LastOwner = "last_owner",
        /// They are a member already.
        AlreadyMember = "already_member",
        /// A second factor is set up already.
        MfaEnabled = "mfa_enabled",
        /// Nobody began to set a second factor up.
        MfaNotBegun = "mfa_not_begun",
        /// Somebody has this passkey.
        PasskeyTaken = "passkey_taken",
        /// There are as many passkeys as a person may have.
        TooManyPasskeys = "too_many_passkeys",
        /// Somebody has this identity.
        IdentityTaken = "identity_taken",
        /// The identity is linked to no account, and none is made of it.
        IdentityNotLinked = "identity_not_linked",
        /// There are as many identities as a person may have.
        TooManyIdentities = "too_many_identities",
        /// The provider tells no address, which an account needs.
        EmailMissing = "email_missing",
        /// The organization has this domain already, or another has proven it.
        DomainTaken = "domain_taken",
        /// The DNS does not have the record that proves the domain.
        DomainNotProven = "domain_not_proven",
        /// The DNS does not answer.
        DnsUnavailable = "dns_unavailable",
        /// The address is of no domain that the organization has proven.
        EmailNotInDomain = "email_not_in_domain",
        /// Their organization demands of them to sign in through its provider, by the address that they have.
        SsoRequired = "sso_required",
        /// There would be no way left to sign in.
        LastSignInMethod = "last_sign_in_method",
        /// There is still something in it.
        NotEmpty = "not_empty",
        /// One workspace is always the default: this one, until another becomes it.
        DefaultWorkspace = "default_workspace",
        /// What the caller may do was changed while they did it: trying again is decided over what they may now.
        RightsChanged = "rights_changed",
    }
}

impl Error {
    /// A defect of ours.
    pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }
}

/// An error of an update that may meet the slug of another.
pub(crate) fn slug_taken(error: tenantry_persistence::Error) -> Error {
    match error {
        tenantry_persistence::Error::Taken(constraint) if constraint.ends_with("_slug_key") => {
            Error::Conflict(Conflict::SlugTaken)
        }
        error => error.into(),
    }
}

impl From<tenantry_persistence::Error> for Error {
    fn from(error: tenantry_persistence::Error) -> Self {
        use tenantry_persistence::Error as E;
        match error {
            E::NotFound => Self::NotFound,
            E::Forbidden(permission) => Self::Forbidden(permission),
            E::Suspended => Self::Suspended,
            E::SessionEnded => Self::Unauthenticated,
            E::FactorDemanded => Self::MfaRequired,
            E::SignInTooOld => Self::ReauthenticationRequired,
            E::ConnectionDemanded(organization) => Self::SsoRequired(organization),
            E::SessionTooOld(seconds) => Self::SessionTooOld(seconds),
            E::RightsChanged => Self::Conflict(Conflict::RightsChanged),
            E::Contention(_) | E::Unavailable(_) => Self::Unavailable(Box::new(error)),
            E::Taken(_) | E::Pooled(_) | E::Corrupt(_) | E::Database(_) => Self::Internal(Box::new(error)),
        }
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Unavailable(Box::new(error)),
            _ => Self::Internal(Box::new(error)),
        }
    }
}
