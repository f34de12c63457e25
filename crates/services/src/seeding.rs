//! Seeding at size: very many organizations of ordinary size, and one very large one, for looking at what lists, plans
//! and searches do then.
//!
//! Everything is decided by its number, ids among it, so seeding again finds what is there and goes on where it was
//! interrupted: an organization is founded in one transaction, with all that is in it, or not at all. Rows are written by
//! the runtime role under row-level security. An organization has one event, that of its founding; what it is founded
//! with has none, as is so with every organization's default workspace.

mod dice;
mod names;
mod plans;

use std::sync::Arc;

use secrecy::SecretString;
use tenantry_domain::{
    events::{Event, EventType},
    ids::{OrganizationId, UserId},
    organizations::{Organization, OrganizationCreate},
    trace::TraceId,
};
use tenantry_persistence::{
    Error as StoreError,
    user::{FoundingTx, UserTx},
    users::NewUser,
};
use tokio::task::{JoinError, JoinSet};

use self::plans::{Contents, LARGE_ROLES, Person, Plan, account, plans};
use crate::{
    Services,
    demo::{Account, PASSWORD},
    error::{Conflict, Error, Result},
    organizations::found,
};

/// How much is seeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many organizations of ordinary size.
    pub organizations: usize,
    /// How many workspaces each of them has.
    pub workspaces: usize,
    /// How many projects each of them has.
    pub projects: usize,
    /// How many workspaces the large one has.
    pub large_workspaces: usize,
    /// How many projects the large one has.
    pub large_projects: usize,
    /// How many people there are to be members of them all.
    pub people: usize,
}

impl Size {
    /// 1,000 organizations with 10,000 workspaces and 100,000 projects in all, and one more of 100,000 projects.
    pub const LARGE: Self = Self {
        organizations: 1000,
        workspaces: 10,
        projects: 100,
        large_workspaces: 100,
        large_projects: 100_000,
        people: 1000,
    };

    /// All projects of all organizations.
    #[must_use]
    pub fn all_projects(&self) -> usize {
        self.organizations * self.projects + self.large_projects
    }

    /// The ids of all its organizations.
    pub fn organization_ids(&self) -> impl Iterator<Item = OrganizationId> {
        // The first thing that the environment of an organization makes is its id.
        plans(*self).map(|plan| OrganizationId::new(&plan.environment()))
    }
}

/// What was done.
#[derive(Debug, Clone)]
pub struct Seeded {
    /// How many organizations were founded just now.
    pub founded: usize,
    /// How many were there before.
    pub found: usize,
    /// Who can sign in to the large one.
    pub accounts: Vec<Account>,
}

/// How many organizations are founded at once: as many connections are needed.
pub const AT_ONCE: usize = 4;

/// How many projects are sent in one statement.
const BATCH: usize = 1000;

/// Told of how many projects were written, or found, since it was told last.
pub type Progress = Arc<dyn Fn(usize) + Send + Sync>;

impl Services {
    /// Seeds what is not there yet, and tells who can sign in. It needs [`AT_ONCE`] connections.
    ///
    /// # Errors
    /// When an address is somebody else's, or the database is away. What was founded by then stays.
    #[tracing::instrument(skip_all)]
    pub async fn seed(&self, size: Size, trace: TraceId, progress: Progress) -> Result<Seeded> {
        let people: Arc<[UserId]> = self.seed_people(size, trace).await?.into();
        let mut seeded = Seeded {
            founded: 0,
            found: 0,
            accounts: LARGE_ROLES.map(account).to_vec(),
        };
        let mut running = JoinSet::new();
        for plan in plans(size) {
            if running.len() == AT_ONCE {
                seeded.count(running.join_next().await)?;
            }
            let (services, people, progress) = (self.clone(), Arc::clone(&people), Arc::clone(&progress));
            running.spawn(async move { services.seed_organization(plan, &people, trace, &progress).await });
        }
        while let Some(ended) = running.join_next().await {
            seeded.count(Some(ended))?;
        }
        Ok(seeded)
    }

    /// The people, made where they are not there yet: first those who can sign in to the large organization.
    async fn seed_people(&self, size: Size, trace: TraceId) -> Result<Vec<UserId>> {
        // One hash for all of them: the password is no secret.
        let password = SecretString::from(PASSWORD);
        let password_hash = self.settings().passwords.hash(password).await?;
        let mut people = Vec::with_capacity(size.people);
        for person in plans::people(size) {
            let Person {
                email,
                name,
                environment,
            } = person?;
            let database = self.database().with_environment(environment.clone());
            let tx = UserTx::begin(&database, UserId::new(&environment), trace).await?;
            let id = tx.user();
            match tx.oneself().await {
                Ok(_) => {}
                Err(StoreError::SessionEnded) => {
                    let new = NewUser {
                        email,
                        name,
                        avatar_url: None,
                        locale: None,
                    };
                    let user = tx.register(new).await?.ok_or(Error::Conflict(Conflict::EmailTaken))?;
                    tx.set_password_hash(password_hash.clone()).await?;
                    tx.commit(Event::created(EventType::UserRegistered, &user)).await?;
                }
                Err(error) => return Err(error.into()),
            }
            people.push(id);
        }
        Ok(people)
    }

    /// Founds an organization with all that is in it; `false` where it is there already.
    async fn seed_organization(
        &self,
        plan: Plan,
        people: &[UserId],
        trace: TraceId,
        progress: &Progress,
    ) -> Result<bool> {
        let mut contents = Contents::new(plan, people);
        let Some(((owner, _), others)) = contents.members.split_first() else {
            return Err(Error::NotFound);
        };
        let database = self.database().with_environment(plan.environment());
        let tx = FoundingTx::begin(&database, *owner, trace).await?;
        if tx.is_founded().await? {
            progress(plan.projects);
            return Ok(false);
        }
        let new = OrganizationCreate {
            name: plan.name(),
            slug: None,
            region: Organization::DEFAULT_REGION.to_owned(),
        };
        let (organization, roles, default) = found(&tx, new).await?;
        tx.demand_no_factor(&organization).await?;
        for (person, role) in others {
            if let Some((_, id)) = roles.iter().find(|(known, _)| known == role) {
                tx.create_member(*person, *id).await?;
            }
        }
        let workspaces = contents.workspaces();
        let ids = tx.seed_workspaces(&workspaces).await?;
        let workspaces: Vec<_> = [default].into_iter().chain(ids).collect();
        let mut left = plan.projects;
        while left > 0 {
            let batch = left.min(BATCH);
            tx.seed_projects(&contents.projects(&workspaces, batch)).await?;
            left -= batch;
            if plan.large {
                progress(batch);
            }
        }
        tx.commit(Event::created(EventType::OrganizationCreated, &organization))
            .await?;
        if !plan.large {
            progress(plan.projects);
        }
        Ok(true)
    }
}

impl Seeded {
    fn count(&mut self, ended: Option<std::result::Result<Result<bool>, JoinError>>) -> Result<()> {
        match ended.transpose().map_err(Error::internal)?.transpose()? {
            Some(true) => self.founded += 1,
            Some(false) => self.found += 1,
            None => {}
        }
        Ok(())
    }
}
