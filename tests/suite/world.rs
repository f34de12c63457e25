//! Two tenants of the same shape, people in every role, and what each of them puts into a request of their own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod domains;
mod email_changes;
mod identities;
mod passkeys;
mod people;
mod secrets;

use std::collections::HashMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry::system::SystemSource;
use tenantry_domain::{ids::ProjectId, links::LinkPurpose};
use tenantry_tests::{
    app::TestApp,
    client::{Account, Client, PASSWORD, text},
    database::TestDatabase,
};

pub(crate) use self::{
    identities::{CODE_VERIFIER, PROVIDER, browser_cookie, options, sign_in_code},
    people::grant,
};
use self::{
    people::{colleague, former_member, new_member},
    secrets::trusted_device,
};
use crate::operations::{Input, Meaning, Operation};

/// The key with which everybody in B who may create projects has created one, and its owner an organization.
pub(crate) const KEY_OF_B: &str = "a-key-of-b";

/// The password of whoever has changed it.
const NEW_PASSWORD: &str = "vermilion otters juggle";

/// The operations that are about an address of nobody's yet.
const WANTS_NEW_ADDRESS: [&str; 3] = ["register", "inviteMember", "requestEmailChange"];

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
    /// The id of a member who never calls.
    pub(crate) colleague: String,
    /// An invitation that nobody takes up.
    pub(crate) invitation: String,
    /// The domains that it says are its own: the first one is proven.
    pub(crate) domains: [String; 2],
    /// What the proven one is called.
    pub(crate) domain_name: String,
    owner_url: String,
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
    /// Makes both tenants through the API, and by SQL what it has no way to make yet: members.
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

    async fn session(&self, client: &Client) -> Value {
        self.sign_in_by(client).await.1
    }

    /// The password that signs them in at the moment, and the session that it has opened.
    async fn sign_in_by(&self, client: &Client) -> (&'static str, Value) {
        for password in [PASSWORD, NEW_PASSWORD] {
            let login = json!({ "email": self.email, "password": password });
            let answer = client.anonymous().post("/api/v1/auth/login", &login).await;
            if answer.status != StatusCode::UNAUTHORIZED {
                answer.expect(StatusCode::OK);
                return (password, answer.data());
            }
        }
        panic!("{} cannot sign in", self.email);
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

    /// A workspace that `creator` has just created.
    pub(crate) async fn new_workspace(&self, creator: &Client) -> String {
        let answer = creator
            .post(&self.path("/workspaces"), &json!({ "name": new_text() }))
            .await;
        answer.expect(StatusCode::CREATED);
        text(&answer.data()["id"])
    }

    /// A member who has just joined, and never calls.
    async fn new_colleague(&self) -> String {
        let (id, rows) = colleague(&self.organization, "Colleague");
        self.sql(&rows).await;
        id
    }

    /// Somebody new who is here what `caller` is, for an operation after which they call no more; `None` for others. Bad
    /// credentials stay what they are.
    pub(crate) async fn stand_in(&self, operation: &Operation, caller: &Caller, client: &Client) -> Option<Caller> {
        if !operation.ends_caller() {
            return None;
        }
        let account = client.register(&new_text(), None).await;
        let role = Some(caller.name).filter(|name| *name != "guest");
        if self.people().iter().any(|(name, _)| *name == caller.name) {
            self.sql(&new_member(&self.organization, &new_id(), &account.user_id, role))
                .await;
        }
        let has_no_good_credentials = ["anonymous", "broken token"].contains(&caller.name);
        Some(Caller {
            name: caller.name,
            person: Person::of(&account),
            client: if has_no_good_credentials {
                caller.client.clone()
            } else {
                account.client
            },
        })
    }

    /// An invitation that `creator` has just sent.
    async fn new_invitation(&self, creator: &Client) -> String {
        invite(creator, &self.organization, &email_changes::new_address(), &new_text()).await
    }

    /// Undoes what an operation of somebody's did to all of the tenant, and to how they sign in, so that the next one finds it as
    /// it was.
    pub(crate) async fn mend(&self, operation: &Operation, caller: &Caller, client: &Client) {
        if operation.name == "deleteOrganization" {
            let owner = self.owner.sign_in("owner", client).await.client;
            let answer = owner.post(&self.path("/restore"), &json!({})).await;
            answer.expect(StatusCode::OK);
        }
        if ["addDomain", "removeDomain"].contains(&operation.name.as_str()) {
            self.take_new_domains().await;
        }
        self.take_second_factors(operation, &caller.person).await;
    }

    /// What `caller` puts into a request about this tenant in good faith, without the inputs in `except`. With a `creator`,
    /// a workspace or a project that could be used up by the request is a new one of theirs.
    pub(crate) async fn inputs(
        &self,
        operation: &Operation,
        caller: &Caller,
        creator: Option<&Client>,
        except: &[&Input],
    ) -> HashMap<Input, String> {
        if ["getEmailChange", "cancelEmailChange"].contains(&operation.name.as_str()) {
            self.begin_email_change(&caller.person).await;
        }
        let mut values = HashMap::new();
        let wanted = operation.inputs.iter().filter(|input| !except.contains(input));
        let answered = if operation.has(Meaning::Answered) {
            self.answered(caller, operation).await
        } else {
            Value::Null
        };
        for input in wanted {
            let value = match input.meaning {
                Meaning::Organization | Meaning::MemberOf => self.organization.clone(),
                Meaning::Workspace => match creator {
                    Some(creator) if operation.writes_workspace() => self.new_workspace(creator).await,
                    _ => self.workspaces[1].clone(),
                },
                Meaning::Project => match creator {
                    Some(creator) if operation.method != Method::GET => self.new_project(creator, "organization").await,
                    _ => self.project.clone(),
                },
                Meaning::Member => match creator {
                    Some(_) if operation.method != Method::GET => self.new_colleague().await,
                    _ => self.colleague.clone(),
                },
                Meaning::Invitation => match creator {
                    Some(creator) if operation.method != Method::GET => self.new_invitation(creator).await,
                    _ => self.invitation.clone(),
                },
                // One that is proven is asked for no record.
                Meaning::Domain => match creator {
                    Some(_) if operation.method == Method::DELETE => self.new_domain().await,
                    _ => self.domains[0].clone(),
                },
                Meaning::DomainName => domains::new_domain_name(),
                Meaning::Role => "viewer".to_owned(),
                Meaning::Session => {
                    caller.person.session(&caller.client).await;
                    newest_session(&caller.client).await.unwrap_or_else(new_id)
                }
                Meaning::TrustedDevice => {
                    let id = new_id();
                    self.sql(&trusted_device(&caller.person.id, &id)).await;
                    id
                }
                Meaning::Passkey => self.new_passkey(&caller.person).await,
                Meaning::Identity => self.new_identity(&caller.person).await,
                Meaning::Provider => PROVIDER.to_owned(),
                Meaning::RedirectUri => identities::REDIRECT_URI.to_owned(),
                Meaning::FlowState => identities::flow_state(),
                Meaning::SignInCode => self.vouched_for(&caller.person, &operation.name).await,
                Meaning::CodeVerifier => CODE_VERIFIER.to_owned(),
                Meaning::Answered => answered[&input.name].to_string(),
                // By the password.
                Meaning::Code if operation.name == "reauthenticate" => continue,
                Meaning::Code => self.code(&caller.person, &operation.name).await,
                Meaning::SecondStep => self.second_step(&caller.person).await,
                Meaning::IdempotencyKey | Meaning::Name | Meaning::Voucher => new_text(),
                Meaning::Address if WANTS_NEW_ADDRESS.contains(&operation.name.as_str()) => {
                    email_changes::new_address()
                }
                Meaning::Address => caller.person.email.clone(),
                Meaning::Password if operation.name == "register" => PASSWORD.to_owned(),
                Meaning::Password => caller.person.sign_in_by(&caller.client).await.0.to_owned(),
                Meaning::NewPassword => NEW_PASSWORD.to_owned(),
                Meaning::LinkSecret => self.link(&caller.person, &operation.name).await,
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

    let design = json!({ "name": name("Design"), "description": name("draws"), "icon": name("pencil") });
    let workspace = owner
        .client
        .with_header("idempotency-key", key)
        .post(&format!("/api/v1/organizations/{organization}/workspaces"), &design)
        .await;
    workspace.expect(StatusCode::CREATED);
    let workspace = text(&workspace.data()["id"]);
    let mut rows = String::new();
    for (account, role) in [
        (&admin, Some("admin")),
        (both, Some("admin")),
        (&member, Some("member")),
        (&viewer, Some("viewer")),
        (&guest, None),
    ] {
        rows.push_str(&new_member(&organization, &new_id(), &account.user_id, role));
    }
    let (colleague, joins) = colleague(&organization, &name("Colleague"));
    rows.push_str(&joins);
    // Of no use to anybody: an app that proved nothing, and a code that was used.
    rows.push_str(&format!(
        "insert into second_factors (user_id, totp_secret, created_at, updated_at) values ('{user}', sha256('s'), now(), now());
         insert into recovery_codes (user_id, code_hash, used_at, created_at) values ('{user}', sha256('{user}'), now(), now());",
        user = owner.user_id
    ));
    for account in [&owner, both] {
        rows.push_str(&trusted_device(&account.user_id, &new_id()));
        rows.push_str(&trusted_device(&account.user_id, &new_id()));
        rows.push_str(&identities::identity(&account.user_id, &new_id(), &new_text()));
        rows.push_str(&identities::identity(&account.user_id, &new_id(), &new_text()));
    }
    rows.push_str(&email_changes::email_change(
        &owner.user_id,
        &email_changes::new_address(),
    ));
    rows.push_str(&secrets::user_link(
        &Person::of(&owner),
        LinkPurpose::ConfirmIdentity,
        &new_id(),
    ));
    rows.push_str(&former_member(&organization));
    rows.push_str("update organizations set max_seats = 1000;");
    database.owner(rows).await;
    let invitation = invite(
        &owner.client,
        &organization,
        &format!("{word}-one@invited.example"),
        key,
    )
    .await;
    invite(
        &owner.client,
        &organization,
        &format!("{word}-two@invited.example"),
        &new_text(),
    )
    .await;

    let domain_name = format!("{}-proven.example", word.to_lowercase());
    let pending_name = format!("{}-pending.example", word.to_lowercase());
    let domains = [
        domains::claim(&owner.client, &organization, &domain_name).await,
        domains::claim(&owner.client, &organization, &pending_name).await,
    ];
    database.owner(domains::proven(&domains[0])).await;

    let sso = format!("/api/v1/organizations/{organization}/sso");
    owner
        .client
        .put(&sso, &json!({ "mfa": "everyone" }))
        .await
        .expect(StatusCode::OK);

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
        colleague,
        invitation,
        domains,
        domain_name,
        owner_url: database.owner_url().to_owned(),
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

/// Invites an address, and gives the id of the invitation.
async fn invite(sender: &Client, organization: &str, email: &str, key: &str) -> String {
    let path = format!("/api/v1/organizations/{organization}/members/invite");
    let answer = sender
        .with_header("idempotency-key", key)
        .post(&path, &json!({ "email": email, "role": "viewer" }))
        .await;
    answer.expect(StatusCode::CREATED);
    text(&answer.data()["id"])
}
