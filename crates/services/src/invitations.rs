//! Invitations: how people come into an organization.
//!
//! Who invites may do so, and has all that they give, when they invite and when the invitation is taken up. Seats are counted in
//! the organization's turn, so the last one is given once.

use tenantry_auth::mailed_links;
use tenantry_domain::{
    authorization::Membership,
    emails::Email,
    environment::Timestamp,
    events::{Event, EventType},
    ids::InvitationId,
    invitations::{Invitation, InvitationCreate, InvitationPreview, MAX_OPEN},
    jobs::OrganizationJob,
    lists::{InvitationField, ListQuery, Page},
    members::{Member, RoleRef},
    organizations::OrganizationStatus,
    permissions::perm,
    trace::TraceId,
    users::User,
};
use tenantry_persistence::{
    invitations::{Invited, Offer, Seats},
    system::{SystemReason, SystemTx},
    tenant::TenantTx,
    user::{JoiningTx, UserTx},
};

use crate::{
    Services,
    callers::{Access, Principal},
    error::{Conflict, Error, Quota, Result},
    idempotency::{Created, IdempotencyKey, once},
    limits::{Limit, LimitKey},
    preconditions::Precondition,
};

impl Services {
    /// The invitations of the organization.
    ///
    /// # Errors
    /// When the caller may not see them, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn list_invitations(
        &self,
        access: &Access<perm::MemberInvite>,
        query: &ListQuery<InvitationField>,
    ) -> Result<Page<Invitation>> {
        Ok(access
            .read_list(self.database(), query)
            .await?
            .invitations(query)
            .await?)
    }

    /// One invitation.
    ///
    /// # Errors
    /// When the caller may not see it, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn invitation(&self, access: &Access<perm::MemberInvite>, id: InvitationId) -> Result<Invitation> {
        Ok(access.read(self.database()).await?.invitation(id).await?.into_inner())
    }

    /// Whether the caller may invite at all: what is asked before a body is read.
    ///
    /// # Errors
    /// When not.
    pub fn may_invite(&self, access: &Access<perm::MemberInvite>) -> Result<()> {
        Ok(access.demand_in_organization()?)
    }

    /// Invites somebody by mail. An earlier invitation of the same address is taken back.
    ///
    /// # Errors
    /// When the caller may not, or lacks something that the role allows there; there is no such role or workspace, they are a
    /// member already, no seat is free, too many were mailed, the key is in use, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn invite(
        &self,
        access: &Access<perm::MemberInvite>,
        new: InvitationCreate,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<Invitation>> {
        let tx = access.begin_in_turn(self.database()).await?;
        tx.demand_in_organization()?;
        let created = once(tx, key, async |tx| {
            let invitation = self.invited_by(tx, new).await?;
            let event = Event::created(EventType::InvitationCreated, &invitation);
            Ok((invitation, event))
        })
        .await?;
        self.ring_for_jobs();
        Ok(created)
    }

    /// Mails an invitation again, as the caller's, and makes it good for as long as a new one.
    ///
    /// # Errors
    /// When the caller may not, or lacks something that the role allows there; too many were mailed, the key is in use, or the
    /// database is away.
    #[tracing::instrument(skip_all)]
    pub async fn resend_invitation(
        &self,
        access: &Access<perm::MemberInvite>,
        id: InvitationId,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<Invitation>> {
        let tx = access.begin_in_turn(self.database()).await?;
        tx.demand_in_organization()?;
        let created = once(tx, key, async |tx| {
            let invitation = tx.invitation(id).await?;
            let role = RoleRef::Id(invitation.role.id);
            tx.role_to_invite_to(&role, invitation.workspace_id).await?;
            self.charge_invitation(tx, &invitation.email)?;
            let renewed = tx.renew_invitation(&invitation).await?;
            tx.enqueue(&OrganizationJob::MailInvitation { invitation: id }).await?;
            let event = Event::changed(EventType::InvitationResent, &*invitation, &renewed);
            Ok((renewed, event))
        })
        .await?;
        self.ring_for_jobs();
        Ok(created)
    }

    /// Takes back an invitation.
    ///
    /// # Errors
    /// When the caller may not, the invitation is another version, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn cancel_invitation(
        &self,
        access: &Access<perm::MemberInvite>,
        id: InvitationId,
        precondition: &Precondition,
    ) -> Result<()> {
        let tx = access.begin_in_turn(self.database()).await?;
        let invitation = tx.invitation(id).await?;
        precondition.check(invitation.version)?;
        tx.delete_invitation(&invitation).await?;
        tx.commit(Event::deleted(EventType::InvitationCancelled, &*invitation))
            .await?;
        Ok(())
    }

    /// What whoever holds the link of an invitation is asked to join.
    ///
    /// # Errors
    /// [`Error::LinkGone`]; and when the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn preview_invitation(&self, secret: &str) -> Result<InvitationPreview> {
        let id = mailed_links::read_invitation(self.keyring(), secret).ok_or(Error::LinkGone)?;
        let invited = self.invited(id).await?.ok_or(Error::LinkGone)?;
        let preview = invited.preview();
        demand_in_time(preview.expires_at, self.environment().now())?;
        Ok(preview.clone())
    }

    /// Makes the caller a member, by the secret of a link that was mailed to their address.
    ///
    /// # Errors
    /// [`Error::LinkGone`], also where its sender may not give that any more; [`Error::NotInvited`]; when the caller is a member
    /// already, no seat is free, the organization is suspended, the key is in use, or the database is away.
    #[tracing::instrument(skip_all)]
    pub async fn accept_invitation(
        &self,
        principal: &Principal,
        secret: &str,
        key: Option<&IdempotencyKey>,
        trace: TraceId,
    ) -> Result<Created<Member>> {
        let invited = match mailed_links::read_invitation(self.keyring(), secret) {
            Some(id) => self.invited(id).await?,
            None => None,
        };
        let Some(invited) = invited else {
            // Used up, by the same request perhaps.
            let key = key.ok_or(Error::LinkGone)?;
            let tx = UserTx::begin_as(self.database(), principal, trace).await?;
            return once(tx, Some(key), async |_| Err(Error::LinkGone)).await;
        };
        // Whoever it is not for holds up nobody: they do not get as far as the organization's turn.
        let preview = invited.preview();
        demand_in_time(preview.expires_at, self.environment().now())?;
        demand_invited(&self.oneself(principal, trace).await?, &preview.email)?;
        let tx = JoiningTx::begin_as(self.database(), principal, &invited, trace).await?;
        let created = once(tx, key, async |tx| {
            let offer = tx.offer().await?.ok_or(Error::LinkGone)?;
            let invitation = &offer.invitation;
            demand_in_time(invitation.expires_at, tx.as_user().now())?;
            demand_invited(&tx.as_user().oneself().await?, &invitation.email)?;
            demand_good(&offer)?;
            if tx.is_member().await? {
                return Err(Error::Conflict(Conflict::AlreadyMember));
            }
            demand_seat(offer.seats)?;
            let member = tx.join(invitation).await?;
            tx.append(Event::deleted(EventType::InvitationAccepted, invitation))
                .await?;
            let event = Event::created(EventType::MemberJoined, &member);
            Ok((member, event))
        })
        .await?;
        self.caller_caches().forget();
        Ok(created)
    }

    async fn invited(&self, id: InvitationId) -> Result<Option<Invited>> {
        let tx = SystemTx::begin(self.database(), SystemReason::Invitation).await?;
        Ok(tx.invitation(id).await?)
    }

    async fn invited_by(&self, tx: &TenantTx<perm::MemberInvite>, new: InvitationCreate) -> Result<Invitation> {
        if let Some(workspace) = new.workspace {
            tx.workspace_for::<perm::WorkspaceView>(workspace).await?;
        }
        let role = tx
            .role_to_invite_to(&new.role, new.workspace)
            .await?
            .ok_or(Error::UnknownRole)?;
        if tx.has_member_with(&new.email).await? {
            return Err(Error::Conflict(Conflict::AlreadyMember));
        }
        demand_seat(tx.seats().await?)?;
        tx.replace_invitation(&new.email, |earlier| {
            Event::deleted(EventType::InvitationCancelled, earlier)
        })
        .await?;
        let open = tx.invitation_count().await?;
        if open >= MAX_OPEN {
            return Err(Error::QuotaExceeded(Quota {
                metric: "invitations",
                limit: MAX_OPEN,
                used: open,
            }));
        }
        self.charge_invitation(tx, &new.email)?;
        let invitation = tx.create_invitation(new.email, role, new.workspace).await?;
        let job = OrganizationJob::MailInvitation {
            invitation: invitation.id,
        };
        tx.enqueue(&job).await?;
        Ok(invitation)
    }

    /// Charges the mail of an invitation: who sends it, for which organization, and to whom. Last of all, so that what is refused
    /// for another reason, or was answered before, counts for nothing.
    fn charge_invitation(&self, tx: &TenantTx<perm::MemberInvite>, email: &Email) -> Result<()> {
        self.charge_all(&[
            (Limit::UserInvitations, LimitKey::user(tx.user())),
            (
                Limit::OrganizationInvitations,
                LimitKey::organization(tx.membership().organization),
            ),
            (Limit::InvitationMail, LimitKey::account(email.canonical())),
        ])
    }
}

fn demand_in_time(expires_at: Timestamp, now: Timestamp) -> Result<()> {
    if now < expires_at { Ok(()) } else { Err(Error::LinkGone) }
}

/// That somebody has the invited address, proven.
fn demand_invited(user: &User, email: &Email) -> Result<()> {
    if user.email_verified_at.is_some() && user.email == *email {
        Ok(())
    } else {
        Err(Error::NotInvited)
    }
}

/// That an invitation is to an organization that can be worked in, of somebody who may still give what it gives.
fn demand_good(offer: &Offer) -> Result<()> {
    match offer.status {
        OrganizationStatus::Active => {}
        OrganizationStatus::Suspended => return Err(Error::Suspended),
        OrganizationStatus::Deleted => return Err(Error::LinkGone),
    }
    let lacks = |sender: &Membership| sender.lacks_to_invite(offer.permissions, offer.invitation.workspace_id);
    let may_give = offer.sender.as_ref().is_some_and(|sender| lacks(sender).is_none());
    if may_give { Ok(()) } else { Err(Error::LinkGone) }
}

/// That one more person may become a member.
pub(crate) fn demand_seat(seats: Seats) -> Result<()> {
    if seats.is_one_free() {
        return Ok(());
    }
    Err(Error::QuotaExceeded(Quota {
        metric: "seats",
        limit: seats.limit.into(),
        used: seats.used.into(),
    }))
}
