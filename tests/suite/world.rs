//! Two tenants of the same shape, people in every role, and what each of them puts into a request of their own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

use std::collections::HashMap;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry::system::SystemSource;
use tenantry_domain::ids::ProjectId;
use tenantry_tests::{
    app::TestApp,
    client::{Account, Client, PASSWORD, text},
    database::TestDatabase,
};

use crate::operations::{Input, Meaning, Operation};

/// The key with which everybody in B who may create projects has created one, and its owner an organization.
pub(crate) const KEY_OF_B: &str = "a-key-of-b";

/// Two tenants, and a person who is an admin in both.
pub(crate) struct World {
    pub(crate) a: Tenant,
    pub(crate) b: Tenant,
    pub(crate) both: Person,
}

/// A tenant with people, workspaces and projects.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) organization: String,
    pub(crate) slug: String,
    /// Another organization of the same owner, and of nobody else.
    pub(crate) second_organization: String,
    /// The default one first.
    pub(crate) workspaces: [String; 2],
    /// A project for all, created by the owner.
    pub(crate) project: String,
    /// A private one, created by the owner.
    pub(crate) private_project: String,
    pub(crate) owner: Person,
    pub(crate) admin: Person,
    pub(crate) member: Person,
    pub(crate) viewer: Person,
    /// A member who holds no role at all.
    pub(crate) guest: Person,
}

/// Somebody with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: &'static str,
    pub(crate) person: Person,
    pub(crate) client: Client,
}

impl World {
    /// Makes both tenants through the API, and by SQL what it has no way to make yet: members and workspaces.
    pub(crate) async fn make(app: &TestApp, database: &TestDatabase) -> Self {
        let client = app.client();
        let both = client.register("Alpha Both", None).await;
        let a = tenant(&client, database, "Alpha", &both).await;
        let b = tenant(&client, database, "Bravo", &both).await;
        Self {
            a,
            b,
            both: Person::of(&both),
        }
    }
}

impl Person {
    fn of(account: &Account) -> Self {
        Self {
            id: account.user_id.clone(),
            email: account.email.clone(),
        }
    }

    /// Signs in, once more if need be.
    pub(crate) async fn sign_in(&self, name: &'static str, client: &Client) -> Caller {
        let session = self.session(client).await;
        Caller {
            name,
            person: self.clone(),
            client: client.with_token(&text(&session["accessToken"])),
        }
    }

    async fn session(&self, client: &Client) -> serde_json::Value {
        let login = json!({ "email": self.email, "password": PASSWORD });
        let answer = client.anonymous().post("/api/v1/auth/login", &login).await;
        answer.expect(StatusCode::OK);
        answer.data()
    }
}

impl Tenant {
    /// Its people, by what they are called in tests.
    pub(crate) fn people(&self) -> [(&'static str, &Person); 5] {
        [
            ("guest", &self.guest),
            ("viewer", &self.viewer),
            ("member", &self.member),
            ("admin", &self.admin),
            ("owner", &self.owner),
        ]
    }

    /// The path of something in it.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("/api/v1/organizations/{}{below}", self.organization)
    }

    /// A project that `creator` has just created.
    pub(crate) async fn new_project(&self, creator: &Client, visibility: &str) -> String {
        let path = self.path(&format!("/workspaces/{}/projects", self.workspaces[0]));
        let body = json!({ "name": new_text(), "visibility": visibility });
        let answer = creator.post(&path, &body).await;
        answer.expect(StatusCode::CREATED);
        text(&answer.data()["id"])
    }

    /// What `caller` puts into a request about this tenant in good faith, without the inputs in `except`. With a `creator`,
    /// a project that could be used up by the request is a new one of theirs.
    pub(crate) async fn inputs(
        &self,
        operation: &Operation,
        caller: &Caller,
        creator: Option<&Client>,
        except: &[&Input],
    ) -> HashMap<Input, String> {
        let mut values = HashMap::new();
        let wanted = operation.inputs.iter().filter(|input| !except.contains(input));
        for input in wanted {
            let value = match input.meaning {
                Meaning::Organization => self.organization.clone(),
                Meaning::Workspace => self.workspaces[1].clone(),
                Meaning::Project => match creator {
                    Some(creator) if operation.method != Method::GET => self.new_project(creator, "organization").await,
                    _ => self.project.clone(),
                },
                Meaning::Session => {
                    caller.person.session(&caller.client).await;
                    newest_session(&caller.client).await.unwrap_or_else(new_id)
                }
                Meaning::IdempotencyKey | Meaning::Name => new_text(),
                Meaning::Address if operation.name == "register" => format!("{}@example.com", new_text()),
                Meaning::Address => caller.person.email.clone(),
                Meaning::Password => PASSWORD.to_owned(),
                Meaning::RefreshToken => text(&caller.person.session(&caller.client).await["refreshToken"]),
                Meaning::Cursor | Meaning::Search | Meaning::Detail => continue,
            };
            values.insert(input.clone(), value);
        }
        values
    }
}

/// The newest other session of whoever calls; `None` for those who may not ask.
async fn newest_session(client: &Client) -> Option<String> {
    let list = client.get("/api/v1/auth/sessions").await;
    if !list.status.is_success() {
        return None;
    }
    let sessions = list.data();
    let other = sessions
        .as_array()?
        .iter()
        .find(|session| session["current"] == false)?;
    Some(text(&other["id"]))
}

/// An id of nothing.
pub(crate) fn new_id() -> String {
    ProjectId::new(&SystemSource::environment()).to_string()
}

/// A text that is nowhere else.
pub(crate) fn new_text() -> String {
    let random: [u8; 16] = SystemSource::environment().random();
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn tenant(client: &Client, database: &TestDatabase, word: &str, both: &Account) -> Tenant {
    let name = |what: &str| format!("{word} {what}");
    let key = if word == "Bravo" { KEY_OF_B } else { "a-key-of-a" };
    let owner = client.register(&name("Owner"), Some(&name("Organization"))).await;
    let admin = client.register(&name("Admin"), None).await;
    let member = client.register(&name("Member"), None).await;
    let viewer = client.register(&name("Viewer"), None).await;
    let guest = client.register(&name("Guest"), None).await;

    let organization = owner.organization().await;
    let found = owner.client.get(&format!("/api/v1/organizations/{organization}")).await;
    let second = owner
        .client
        .with_header("idempotency-key", key)
        .post("/api/v1/organizations", &json!({ "name": name("Second") }))
        .await;
    second.expect(StatusCode::CREATED);

    let workspace = new_id();
    let mut rows = format!(
        "insert into workspaces (organization_id, id, name, slug, description, created_at, updated_at)
         values ('{organization}', '{workspace}', '{word} Design', '{slug}-design', '{word} draws', now(), now());",
        slug = word.to_lowercase()
    );
    for (account, role) in [
        (&admin, Some("admin")),
        (both, Some("admin")),
        (&member, Some("member")),
        (&viewer, Some("viewer")),
        (&guest, None),
    ] {
        rows.push_str(&new_member(&organization, &account.user_id, role));
    }
    database.owner(rows).await;

    let mut tenant = Tenant {
        workspaces: [owner.default_workspace(&organization).await, workspace],
        slug: text(&found.data()["slug"]),
        second_organization: text(&second.data()["id"]),
        organization,
        project: String::new(),
        private_project: String::new(),
        owner: Person::of(&owner),
        admin: Person::of(&admin),
        member: Person::of(&member),
        viewer: Person::of(&viewer),
        guest: Person::of(&guest),
    };
    let create = async |creator: &Client, what: &str, visibility: &str, workspace: &str, key: &str| {
        let path = tenant.path(&format!("/workspaces/{workspace}/projects"));
        let body = json!({
            "name": name(what), "description": name("tells of it"), "visibility": visibility,
            "settings": { "secret": name(&format!("{what} settings")) },
        });
        let answer = creator.with_header("idempotency-key", key).post(&path, &body).await;
        answer.expect(StatusCode::CREATED);
        text(&answer.data()["id"])
    };
    let [first, second] = &tenant.workspaces;
    let project = create(&owner.client, "Plan", "organization", first, key).await;
    let private_project = create(&owner.client, "Secret", "private", first, &new_text()).await;
    for creator in [&admin, &member, both] {
        create(&creator.client, "Draft", "organization", second, key).await;
    }
    tenant.project = project;
    tenant.private_project = private_project;
    tenant
}

/// Makes somebody a member, with a built-in role in the whole organization or with none.
fn new_member(organization: &str, user: &str, role: Option<&str>) -> String {
    let role = role.unwrap_or("none");
    format!(
        "with member as (
             insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
             values ('{organization}', gen_random_uuid(), '{user}', now(), now(), now())
             returning organization_id, id
         )
         insert into grants (organization_id, id, member_id, role_id, created_at, updated_at)
         select m.organization_id, gen_random_uuid(), m.id, r.id, now(), now()
         from member m join roles r on r.organization_id = m.organization_id
         where r.key = '{role}' and r.built_in;"
    )
}

/// Gives somebody in `tenant` a built-in role on one workspace or one project of it.
pub(crate) async fn grant(database: &TestDatabase, tenant: &Tenant, person: &Person, role: &str, on: (&str, &str)) {
    let (column, id) = on;
    database
        .owner(format!(
            "insert into grants (organization_id, id, member_id, role_id, {column}, created_at, updated_at)
             select m.organization_id, gen_random_uuid(), m.id, r.id, '{id}', now(), now()
             from members m join roles r on r.organization_id = m.organization_id
             where m.organization_id = '{organization}' and m.user_id = '{user}' and r.key = '{role}' and r.built_in",
            organization = tenant.organization,
            user = person.id,
        ))
        .await;
}
