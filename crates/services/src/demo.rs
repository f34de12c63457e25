//! Demo data: two organizations with people of every role, workspaces and projects, made by the use cases themselves.
//!
//! Loading is safe to repeat: what is there already is left as it is.

use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::{
    events::{Event, EventType},
    lists::{Direction, ListQuery, ResourceField, Window},
    organizations::{Organization, OrganizationCreate},
    permissions::perm,
    projects::{ProjectCreate, ProjectStatus, Visibility},
    roles::BuiltInRole,
    sessions::Device,
    text::{Description, Name},
    trace::TraceId,
};
use tenantry_persistence::{tenant::OrganizationRef, user::FoundingTx};

use crate::{
    Services,
    callers::Principal,
    error::{Conflict, Error, Result},
    organizations::found,
    projects::ProjectFilter,
    sessions::{Credentials, SignIn},
    users::NewAccount,
};

/// The password of every demo account. It is no secret: demo data is for trying things out.
pub const PASSWORD: &str = "tenantry demo passphrase";

/// A demo account, and what it is.
#[derive(Debug, Clone)]
pub struct Account {
    /// The address that it signs in with.
    pub email: String,
    /// Its role.
    pub role: BuiltInRole,
    /// The name of its organization.
    pub organization: &'static str,
}

struct DemoOrganization {
    name: &'static str,
    domain: &'static str,
    people: [(&'static str, BuiltInRole); 5],
    workspace: &'static str,
    projects: [(&'static str, &'static str, Visibility); 4],
}

/// The seats of each.
const SEATS: u16 = 100;

const ORGANIZATIONS: [DemoOrganization; 2] = [
    DemoOrganization {
        name: "Acme",
        domain: "acme.example",
        people: [
            ("Olivia Owner", BuiltInRole::Owner),
            ("Adam Admin", BuiltInRole::Admin),
            ("Mia Member", BuiltInRole::Member),
            ("Max Member", BuiltInRole::Member),
            ("Vera Viewer", BuiltInRole::Viewer),
        ],
        workspace: "Research",
        projects: [
            ("Rocket skates", "Faster than the bird.", Visibility::Organization),
            ("Giant magnet", "Attracts attention.", Visibility::Organization),
            ("Portable hole", "Handle with care.", Visibility::Organization),
            ("Next big thing", "Nobody else may know yet.", Visibility::Private),
        ],
    },
    DemoOrganization {
        name: "Globex",
        domain: "globex.example",
        people: [
            ("Oscar Owner", BuiltInRole::Owner),
            ("Anna Admin", BuiltInRole::Admin),
            ("Milo Member", BuiltInRole::Member),
            ("Maya Member", BuiltInRole::Member),
            ("Viktor Viewer", BuiltInRole::Viewer),
        ],
        workspace: "Operations",
        projects: [
            ("Weather machine", "Sunshine by subscription.", Visibility::Organization),
            ("East coast", "Acquisition.", Visibility::Organization),
            ("Hammock district", "Third floor.", Visibility::Organization),
            ("Volcano lair", "Ask the owner.", Visibility::Private),
        ],
    },
];

impl Services {
    /// Loads the demo data and tells who can sign in.
    ///
    /// # Errors
    /// When an address of a demo account belongs to an account with another password, or the database is away.
    pub async fn load_demo(&self, trace: TraceId) -> Result<Vec<Account>> {
        let mut accounts = Vec::new();
        for organization in &ORGANIZATIONS {
            self.load_organization(organization, trace).await?;
            accounts.extend(organization.people.iter().map(|(name, role)| Account {
                email: organization.address(name),
                role: *role,
                organization: organization.name,
            }));
        }
        Ok(accounts)
    }

    async fn load_organization(&self, demo: &DemoOrganization, trace: TraceId) -> Result<()> {
        let mut people = Vec::new();
        for (name, role) in demo.people {
            people.push((self.account(demo, name, trace).await?, role));
        }
        let Some((owner, _)) = people.first() else {
            return Ok(());
        };
        let mine = ListQuery {
            order: vec![(ResourceField::CreatedAt, Direction::Ascending)],
            window: Window::After(None),
            page_size: 1,
            search: None,
        };
        let organizations = self.list_organizations(owner, &mine, trace).await?;
        let organization = match organizations.items.into_iter().next() {
            Some(organization) => organization,
            None => self.found_demo(demo, &people, trace).await?,
        };
        let context = self.enter(owner, &OrganizationRef::Id(organization.id)).await?;
        let seen = self.admit::<perm::ProjectView>(&context, trace)?;
        let projects = self.list_projects(&seen, &mine, &ProjectFilter::default()).await?;
        if !projects.items.is_empty() {
            return Ok(());
        }
        let both = ListQuery { page_size: 2, ..mine };
        let workspaces = self.list_workspaces(&self.admit(&context, trace)?, &both).await?.items;
        let access = self.admit::<perm::ProjectCreate>(&context, trace)?;
        for ((name, description, visibility), workspace) in demo.projects.into_iter().zip(workspaces.iter().cycle()) {
            let new = ProjectCreate {
                name: Name::from_stored(name.to_owned()),
                slug: None,
                description: Some(Description::from_stored(description.to_owned())),
                visibility,
                status: ProjectStatus::Active,
                settings: serde_json::Map::new(),
            };
            self.create_project(&access, workspace.id, new, None).await?;
        }
        Ok(())
    }

    async fn found_demo(
        &self,
        demo: &DemoOrganization,
        people: &[(Principal, BuiltInRole)],
        trace: TraceId,
    ) -> Result<Organization> {
        let Some(((owner, _), others)) = people.split_first() else {
            return Err(Error::NotFound);
        };
        // More than its people take, for whoever is invited.
        let tx = FoundingTx::begin_as(self.database(), owner, trace)
            .await?
            .with_seats(SEATS);
        let new = OrganizationCreate {
            name: Name::from_stored(demo.name.to_owned()),
            slug: None,
            region: Organization::DEFAULT_REGION.to_owned(),
        };
        let (organization, roles, _) = found(&tx, new).await?;
        tx.demand_no_factor(&organization).await?;
        for (person, role) in others {
            if let Some((_, id)) = roles.iter().find(|(known, _)| known == role) {
                tx.create_member(person.user(), *id).await?;
            }
        }
        tx.create_workspace(&Name::from_stored(demo.workspace.to_owned()), false)
            .await?;
        tx.commit(Event::created(EventType::OrganizationCreated, &organization))
            .await?;
        Ok(organization)
    }

    /// The account of a demo person, made where there is none.
    async fn account(&self, demo: &DemoOrganization, name: &str, trace: TraceId) -> Result<Principal> {
        let (email, password) = (demo.address(name), SecretString::from(PASSWORD));
        let new = NewAccount {
            email: email.parse().map_err(Error::internal)?,
            password: Some(password.clone()),
            name: Name::from_stored(name.to_owned()),
            organization: None,
            verified: true,
        };
        let credentials = Credentials {
            email,
            password,
            trusted_devices: Vec::new(),
        };
        let signed_in = match self.sign_in(credentials, &Device::default(), trace).await {
            Ok(SignIn::Done(signed_in)) => *signed_in,
            // Somebody made the account their own.
            Ok(SignIn::Begun { .. }) => return Err(Error::Unauthenticated),
            Err(Error::Unauthenticated) => match self.register(new, &Device::default(), trace).await {
                Err(Error::Conflict(Conflict::EmailTaken)) => return Err(Error::Unauthenticated),
                registered => registered?,
            },
            Err(error) => return Err(error),
        };
        self.authenticate(signed_in.access_token.expose_secret(), Device::default, trace)
            .await
    }
}

impl DemoOrganization {
    /// The address of a person: the first name at the organization's domain.
    fn address(&self, name: &str) -> String {
        let first = name.split(' ').next().unwrap_or(name).to_lowercase();
        format!("{first}@{}", self.domain)
    }
}
