//! Rate limits: how often somebody may try something within a window of time.
//!
//! To add one: a variant of [`Limit`] and its rule; the compiler asks for the rest. Charge it before the work that it
//! guards, with the [`LimitKey`] of whoever is held to account.
//!
//! A window begins with the first charge and ends a fixed time later, whatever comes in between: what is refused does not
//! prolong it. Across the border of two windows up to twice the count can pass. The counters are this node's own: behind
//! a balancer, a stranger has the count at each node.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use chrono::TimeDelta;
use moka::{ops::compute::Op, policy::EvictionPolicy, sync::Cache};
use tenantry_domain::{
    environment::Timestamp,
    ids::{OrganizationId, UserId},
};

/// How many counters are kept at most; beyond, the one that was not used for the longest time is forgotten.
pub const MAX_COUNTERS: u64 = 65_536;

/// The longest window there is. A counter that was not written for so long is in no window.
const LONGEST_WINDOW: Duration = Duration::from_secs(60 * 60);

/// The longest e-mail address there is, in bytes (RFC 5321, section 4.5.3.1.3). Longer texts share a counter.
const MAX_ACCOUNT_BYTES: usize = 254;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Making accounts.
    Register,
    /// Signing in, from one address.
    SignIn,
    /// Signing in to one account, from wherever. Charged before the password is looked at, given back on success.
    SignInAccount,
    /// Showing one's present password while signed in. Charged before it is looked at, given back when it is right.
    PresentPassword,
    /// Asking for a mail to one address that proves it, whether or not anybody has it.
    VerificationMail,
    /// Asking for a mail to one address that lets its owner choose another password, whether or not it has one.
    PasswordResetMail,
    /// Asking by a mail to one address whether somebody who signs in through a provider has it.
    IdentityMail,
    /// Asking for mails about another address for an account: counted for the account, and for that address.
    EmailChangeMail,
    /// Telling somebody by mail of sign-ins from devices that are new.
    NewDeviceMail,
    /// Asking for mails, from one address of the network.
    Mail,
    /// Looking at invitations and taking them up, from one address of the network.
    Invitation,
    /// Inviting one address, whoever does.
    InvitationMail,
    /// Inviting people into one organization.
    OrganizationInvitations,
    /// Asking whatever an organization names: the DNS about its domains, and a provider that it says is its own.
    OrganizationLookups,
    /// Inviting people, into whatever organizations.
    UserInvitations,
    /// Exchanging refresh tokens, logging out, listing and revoking sessions.
    Session,
}

/// What a limit is counted for, by the names of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitScope {
    /// The whole installation.
    Global,
    /// An organization.
    Organization,
    /// A user or an account.
    User,
    /// An API key.
    ApiKey,
    /// A network address.
    Ip,
    /// One operation.
    Endpoint,
    /// Anything, over a few seconds.
    Burst,
}

impl LimitScope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::Global,
        Self::Organization,
        Self::User,
        Self::ApiKey,
        Self::Ip,
        Self::Endpoint,
        Self::Burst,
    ];

    /// The name that clients are told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Organization => "organization",
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::Ip => "ip",
            Self::Endpoint => "endpoint",
            Self::Burst => "burst",
        }
    }
}

/// The rule of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What it is counted for.
    pub scope: LimitScope,
    /// How many charges a window admits.
    pub count: u32,
    /// How long a window is; an hour at most.
    pub window: TimeDelta,
    /// Why it is there.
    pub why: &'static str,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 16] = [
        Self::Register,
        Self::SignIn,
        Self::SignInAccount,
        Self::PresentPassword,
        Self::VerificationMail,
        Self::PasswordResetMail,
        Self::IdentityMail,
        Self::EmailChangeMail,
        Self::NewDeviceMail,
        Self::Mail,
        Self::Invitation,
        Self::InvitationMail,
        Self::OrganizationInvitations,
        Self::OrganizationLookups,
        Self::UserInvitations,
        Self::Session,
    ];

    /// Its rule.
    #[must_use]
    pub const fn rule(self) -> Rule {
        match self {
            Self::Register => Rule {
                scope: LimitScope::Ip,
                count: 10,
                window: TimeDelta::hours(1),
                why: "registering tells whether an address has an account, and every account costs storage",
            },
            Self::SignIn => Rule {
                scope: LimitScope::Ip,
                count: 100,
                window: TimeDelta::minutes(15),
                why: "one machine that tries leaked passwords on many accounts",
            },
            Self::SignInAccount => Rule {
                scope: LimitScope::User,
                count: 20,
                window: TimeDelta::minutes(15),
                why: "many machines that guess the password of one account",
            },
            Self::PresentPassword => Rule {
                scope: LimitScope::User,
                count: 20,
                window: TimeDelta::minutes(15),
                why: "whoever took a token guesses the password; wrong sign-ins of strangers leave this to its owner",
            },
            Self::VerificationMail
            | Self::PasswordResetMail
            | Self::IdentityMail
            | Self::EmailChangeMail
            | Self::NewDeviceMail
            | Self::InvitationMail => Rule {
                scope: LimitScope::User,
                count: 5,
                window: TimeDelta::hours(1),
                why: "somebody who fills the mailbox of another",
            },
            Self::Mail => Rule {
                scope: LimitScope::Ip,
                count: 30,
                window: TimeDelta::hours(1),
                why: "somebody who has mails sent to everybody",
            },
            Self::Invitation => Rule {
                scope: LimitScope::Ip,
                count: 100,
                window: TimeDelta::minutes(15),
                why: "a client in a loop; guessing links, which are signed, leads nowhere",
            },
            Self::OrganizationInvitations => Rule {
                scope: LimitScope::Organization,
                count: 100,
                window: TimeDelta::hours(1),
                why: "an organization that has mails sent to everybody",
            },
            Self::OrganizationLookups => Rule {
                scope: LimitScope::Organization,
                count: 60,
                window: TimeDelta::hours(1),
                why: "an organization that has others asked in our name",
            },
            Self::UserInvitations => Rule {
                scope: LimitScope::User,
                count: 200,
                window: TimeDelta::hours(1),
                why: "somebody who founds organizations to have mails sent",
            },
            Self::Session => Rule {
                scope: LimitScope::Ip,
                count: 300,
                window: TimeDelta::minutes(15),
                why: "a client in a loop; many people behind one address keep their sessions alive",
            },
        }
    }
}

/// Whether limits are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimits {
    /// They are.
    On,
    /// Nothing is counted or refused: for benchmarks.
    Off,
}

/// Who is held to account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitKey(Key);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    UnknownAddress,
    Account(Box<str>),
    User(UserId),
    Organization(OrganizationId),
}

impl LimitKey {
    /// A network address. Of IPv6 the first 64 bits count, since that is the least that one customer is given
    /// (RFC 6177); IPv4 written as IPv6 is IPv4. Whoever's address is unknown shares one counter with all such.
    #[must_use]
    pub fn address(address: Option<IpAddr>) -> Self {
        let Some(address) = address else {
            return Self(Key::UnknownAddress);
        };
        Self(Key::Address(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
            v4 => v4,
        }))
    }

    /// A person who is signed in.
    #[must_use]
    pub const fn user(user: UserId) -> Self {
        Self(Key::User(user))
    }

    /// An organization.
    #[must_use]
    pub const fn organization(organization: OrganizationId) -> Self {
        Self(Key::Organization(organization))
    }

    /// An account by its e-mail address, whose case does not matter, whether or not it exists.
    #[must_use]
    pub fn account(email: &str) -> Self {
        let end = email.floor_char_boundary(MAX_ACCOUNT_BYTES);
        Self(Key::Account(
            email.get(..end).unwrap_or(email).to_lowercase().into_boxed_str(),
        ))
    }
}

/// What became of a charge, and what a client is told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Whether it was admitted.
    pub allowed: bool,
    /// What was counted.
    pub scope: LimitScope,
    /// How many charges a window admits.
    pub limit: u32,
    /// How many more this window admits.
    pub remaining: u32,
    /// Until the window ends, in whole seconds, rounded up.
    pub reset: Duration,
}

impl Charge {
    /// One that was refused by a limit of `count` that is counted elsewhere, and may be tried again after `left`.
    #[must_use]
    pub fn refused(scope: LimitScope, count: u32, left: TimeDelta) -> Self {
        Self {
            allowed: false,
            scope,
            limit: count,
            remaining: 0,
            reset: whole_seconds(left),
        }
    }

    /// The one that a client is told of when several limits applied: a refusal before an admission, then the one with
    /// the least left, then the one that lasts longest.
    #[must_use]
    pub fn tightest(charges: impl IntoIterator<Item = Self>) -> Option<Self> {
        charges
            .into_iter()
            .min_by_key(|charge| (charge.allowed, charge.remaining, std::cmp::Reverse(charge.reset)))
    }
}

/// Counts charges; one for a process.
#[derive(Debug)]
pub struct RateLimiter {
    switch: RateLimits,
    windows: Cache<(Limit, LimitKey), Window>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    start: Timestamp,
    used: u32,
}

impl RateLimiter {
    /// A limiter without any charges.
    #[must_use]
    pub fn new(switch: RateLimits) -> Self {
        // The least recently used goes first: the default policy would rather drop a newcomer, who then is never counted.
        let windows = Cache::builder()
            .max_capacity(MAX_COUNTERS)
            .eviction_policy(EvictionPolicy::lru())
            .time_to_live(LONGEST_WINDOW)
            .build();
        Self { switch, windows }
    }

    /// Charges `limit` to `key` at `now`, and says whether that is within it. `None` when limits are off.
    ///
    /// Charges of the same key are counted one after the other, whatever thread they come from.
    #[must_use]
    pub fn charge(&self, limit: Limit, key: &LimitKey, now: Timestamp) -> Option<Charge> {
        if self.switch == RateLimits::Off {
            return None;
        }
        let rule = limit.rule();
        let mut outcome = (
            false,
            Window {
                start: now,
                used: rule.count,
            },
        );
        self.windows.entry((limit, key.clone())).and_compute_with(|stored| {
            let window = Window::at(stored.map(moka::Entry::into_value), rule, now);
            let allowed = window.used < rule.count;
            let window = Window {
                used: window.used + u32::from(allowed),
                ..window
            };
            outcome = (allowed, window);
            if allowed { Op::Put(window) } else { Op::Nop }
        });
        let (allowed, window) = outcome;
        Some(Charge {
            allowed,
            scope: rule.scope,
            limit: rule.count,
            remaining: rule.count.saturating_sub(window.used),
            reset: whole_seconds(window.start + rule.window - now),
        })
    }

    /// Takes one charge of the present window back, for limits that count failures alone.
    pub fn refund(&self, limit: Limit, key: &LimitKey, now: Timestamp) {
        if self.switch == RateLimits::Off {
            return;
        }
        self.windows.entry((limit, key.clone())).and_compute_with(|stored| {
            let window = Window::at(stored.map(moka::Entry::into_value), limit.rule(), now);
            match window.used.checked_sub(1) {
                Some(used) => Op::Put(Window { used, ..window }),
                None => Op::Nop,
            }
        });
    }
}

impl Window {
    /// The window at `now`: the stored one while it lasts, else a new one.
    fn at(stored: Option<Self>, rule: Rule, now: Timestamp) -> Self {
        match stored {
            // After a clock was set back, a window that began in the future would outlast its time.
            Some(window) if now < window.start => Self { start: now, ..window },
            Some(window) if now.signed_duration_since(window.start) < rule.window => window,
            _ => Self { start: now, used: 0 },
        }
    }
}

fn whole_seconds(left: TimeDelta) -> Duration {
    let millis = u64::try_from(left.num_milliseconds()).unwrap_or_default();
    Duration::from_secs(millis.div_ceil(1000))
}

#[cfg(test)]
mod tests;
