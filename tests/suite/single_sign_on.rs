//! Single sign-on of organizations: their own OpenID providers, and what they demand of their members.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

mod at_once;
mod bypassing;
mod claims;
mod discovering;
mod former_members;
mod isolation;
mod linking;
mod mails;
mod meanwhile;
mod networks;
mod oneself;
mod provisioning;
mod replacing;
mod required;
mod session_age;
mod sessions;
mod settings;
mod trusted_issuers;
mod unlinking;
mod voiding;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::{Options, PUBLIC_URL},
    client::{Account, Answer, Client, PASSWORD, text},
    dns_server::DnsServer,
    identity_provider::{Browser, IdentityProvider, Person, Pkce, Returned},
};

use crate::{
    domains,
    identities::IDENTITIES,
    mfa::{LOGIN, REFRESH, Stage, expect_session},
    oidc::{APP, CONFIRM, EXCHANGE, WORK, with_verifier},
    world::new_id,
};

const ORGANIZATIONS: &str = "/api/v1/organizations";
const MY_ORGANIZATIONS: &str = "/api/v1/me/organizations";

/// The domain of an organization with a connection.
pub(crate) const DOMAIN: &str = "corp.example";

/// A stage beside a DNS server, where an organization has a connection to a provider and a domain that is proven.
pub(crate) struct House {
    pub(crate) stage: Stage,
    pub(crate) dns: DnsServer,
    pub(crate) provider: IdentityProvider,
    pub(crate) office: Office,
}

/// An organization with its founder, whose address is of none of its domains.
pub(crate) struct Office {
    pub(crate) owner: Account,
    pub(crate) id: String,
}

impl Office {
    pub(crate) fn path(&self, below: &str) -> String {
        format!("{ORGANIZATIONS}/{}{below}", self.id)
    }

    pub(crate) fn sso(&self) -> String {
        self.path("/sso")
    }

    pub(crate) fn client(&self) -> &Client {
        &self.owner.client
    }

    /// Says how members sign in.
    pub(crate) async fn replace(&self, settings: &Value) -> Answer {
        self.client().put(&self.sso(), settings).await
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same with options.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let house = Self::unconnected(change).await;
        domains::proven(house.office.client(), &house.office.id, &house.dns, DOMAIN).await;
        house.choose(json!({})).await;
        house
    }

    /// One whose organization has neither a domain nor a connection yet.
    pub(crate) async fn unconnected(change: impl FnOnce(&mut Options)) -> Self {
        let dns = DnsServer::start().await;
        let provider = IdentityProvider::start().await;
        let mut options = Options {
            dns_servers: vec![dns.address()],
            redirect_uris: vec![APP.to_owned()],
            ..Options::default()
        };
        change(&mut options);
        let stage = Stage::with(options).await;
        provider.follow(&stage.app.clock);
        let office = founded(&stage, "Acme").await;
        provider.register(&office.id);
        Self {
            stage,
            dns,
            provider,
            office,
        }
    }

    /// Another organization with a founder of its own, which has proven a domain and is connected to a provider.
    pub(crate) async fn office_of(&self, domain: &str, provider: &IdentityProvider) -> Office {
        let office = founded(&self.stage, "Globex").await;
        provider.follow(&self.stage.app.clock);
        provider.register(&office.id);
        domains::proven(office.client(), &office.id, &self.dns, domain).await;
        let connected = office.replace(&settings(provider, json!({}))).await;
        connected.expect(StatusCode::OK);
        office
    }

    /// Keeps the connection, and has the founder choose this besides.
    pub(crate) async fn choose(&self, besides: Value) {
        let chosen = self.office.replace(&settings(&self.provider, besides)).await;
        chosen.expect(StatusCode::OK);
    }

    /// Demands of the members to sign in through the connection.
    pub(crate) async fn demand(&self) {
        self.choose(json!({ "ssoRequired": true })).await;
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.stage.app)
    }

    /// Walks all the way to an organization's provider and back, in a browser of its own.
    pub(crate) async fn walk_to(&self, office: &Office, provider: &IdentityProvider, person: &Person) -> Returned {
        provider.signs_in(person);
        self.browser().walk(&office.id, &[("redirectUri", APP)]).await
    }

    /// A code for somebody whom the organization's provider vouches for.
    pub(crate) async fn code(&self, person: &Person) -> String {
        let returned = self.walk_to(&self.office, &self.provider, person).await;
        assert_eq!(returned.parameter("error"), None, "{:?}", self.provider.complaints());
        returned.code()
    }

    pub(crate) async fn exchange(&self, code: &str) -> Answer {
        self.stage.anybody().post(EXCHANGE, &json!({ "code": code })).await
    }

    /// Signs somebody in through the connection, as far as it goes.
    pub(crate) async fn enter(&self, person: &Person) -> Answer {
        let code = self.code(person).await;
        self.exchange(&code).await
    }

    /// The same through the connection of another organization.
    pub(crate) async fn enter_at(&self, office: &Office, provider: &IdentityProvider, person: &Person) -> Answer {
        let code = self.walk_to(office, provider, person).await.code();
        self.exchange(&code).await
    }

    /// Signs somebody in through the connection, whose account and membership are made where they have none.
    pub(crate) async fn come_in(&self, person: &Person) -> Account {
        self.account_of(&self.enter(person).await)
    }

    /// Whoever an answer signs in.
    #[track_caller]
    pub(crate) fn account_of(&self, answer: &Answer) -> Account {
        let session = expect_session(answer);
        Account {
            client: self.stage.anybody().with_token(&text(&session["accessToken"])),
            user_id: text(&session["user"]["id"]),
            email: text(&session["user"]["email"]),
            refresh_token: text(&session["refreshToken"]),
        }
    }

    /// Somebody with a password and a proven address of a domain, who is no member.
    pub(crate) async fn somebody_of(&self, domain: &str) -> Account {
        let email = format!("{}@{domain}", new_id());
        let body = json!({ "email": email, "password": PASSWORD, "name": "Ann Lee" });
        let registered = self.stage.anybody().post("/api/v1/auth/register", &body).await;
        let session = registered.expect(StatusCode::CREATED).data();
        // The mail that asks for the proof goes out first, so that no test counts it by chance.
        self.stage.app.mails().await;
        let prove = format!("update users set email_verified_at = now() where email_canonical = '{email}'");
        self.stage.database.superuser(prove).await;
        Account {
            client: self.stage.anybody().with_token(&text(&session["accessToken"])),
            user_id: text(&session["user"]["id"]),
            email,
            refresh_token: text(&session["refreshToken"]),
        }
    }

    /// Makes an account a member with a built-in role, and gives the path of the membership.
    pub(crate) async fn join(&self, account: &Account, role: &str) -> String {
        let (organization, member) = (&self.office.id, new_id());
        let rows = format!(
            "insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
             values ('{organization}', '{member}', '{user}', now(), now(), now());
             insert into grants (organization_id, id, member_id, role_id, created_at, updated_at)
             select organization_id, gen_random_uuid(), '{member}', id, now(), now() from roles
             where organization_id = '{organization}' and key = '{role}' and built_in;",
            user = account.user_id
        );
        self.stage.database.owner(rows).await;
        self.office.path(&format!("/members/{member}"))
    }

    /// A member with a password and an address of the organization's domain.
    pub(crate) async fn employee(&self, role: &str) -> Account {
        let account = self.somebody_of(DOMAIN).await;
        self.join(&account, role).await;
        account
    }

    /// Has somebody with an account confirm by mail that the provider knows them, and signs them in.
    pub(crate) async fn link(&self, account: &Account, person: &Person) -> Account {
        let refused = self.enter(person).await;
        crate::oidc::expect_conflict(&refused, "identity_not_linked");
        let token = self.confirmation(&account.email).await;
        let confirmed = self.stage.anybody().post(CONFIRM, &json!({ "token": token })).await;
        confirmed.expect(StatusCode::OK);
        let linked = self.come_in(person).await;
        assert_eq!(linked.user_id, account.user_id);
        linked
    }

    /// The secret of the newest mail by which an address is asked to confirm.
    pub(crate) async fn confirmation(&self, email: &str) -> String {
        let start = format!("{PUBLIC_URL}/confirm-identity?token=");
        let mails = self.stage.app.mails().await;
        let mut links = mails
            .iter()
            .filter(|mail| mail.to == email)
            .flat_map(|mail| mail.text.lines())
            .filter_map(|line| line.strip_prefix(&start));
        links.next().expect("a link").to_owned()
    }

    /// Links somebody at a provider of the configuration to an account.
    pub(crate) async fn link_at_work(&self, work: &IdentityProvider, account: &Account, person: &Person) {
        work.signs_in(person);
        let pkce = Pkce::new();
        let query = [("redirectUri", APP), ("codeChallenge", pkce.challenge.as_str())];
        let code = self.browser().walk(WORK, &query).await.code();
        let path = format!("{IDENTITIES}/{WORK}");
        let linked = account.client.post(&path, &with_verifier(&code, &pkce)).await;
        linked.expect(StatusCode::CREATED);
    }

    /// Signs somebody in through a provider of the configuration, as far as it goes.
    pub(crate) async fn enter_at_work(&self, work: &IdentityProvider, person: &Person) -> Answer {
        work.signs_in(person);
        let returned = self.browser().walk(WORK, &[("redirectUri", APP)]).await;
        self.exchange(&returned.code()).await
    }

    /// How many users, members, identities and sessions there are.
    pub(crate) async fn stored(&self) -> [i64; 4] {
        let mut counts = [0; 4];
        for (count, table) in counts.iter_mut().zip(["users", "members", "identities", "sessions"]) {
            *count = self.stage.database.count(table).await;
        }
        counts
    }

    /// How many events of a type there are in the organization's log about what somebody did.
    pub(crate) async fn events_of(&self, kind: &str, account: &Account) -> i64 {
        let events = format!(
            "events where type = '{kind}' and organization_id = '{}' and actor_user_id = '{}'",
            self.office.id, account.user_id
        );
        self.stage.database.count(&events).await
    }

    /// Gives the organization another status, as an operator does.
    pub(crate) async fn set_status(&self, status: &str) {
        let change = format!(
            "update organizations set status = '{status}' where id = '{}'",
            self.office.id
        );
        self.stage.database.owner(change).await;
        // No answer from before is remembered.
        self.stage.app.clock.advance(chrono::TimeDelta::seconds(30));
    }
}

async fn founded(stage: &Stage, name: &str) -> Office {
    let owner = stage.newcomer("Olga Owner").await;
    let organization = owner.client.post(ORGANIZATIONS, &json!({ "name": name })).await;
    let id = text(&organization.expect(StatusCode::CREATED).data()["id"]);
    Office { owner, id }
}

/// Settings that connect an organization to a provider, and choose this besides.
pub(crate) fn settings(provider: &IdentityProvider, besides: Value) -> Value {
    let mut settings = json!({ "connection": {
        "issuer": provider.issuer(), "clientId": provider.client_id(), "clientSecret": provider.client_secret(),
    } });
    let Value::Object(besides) = besides else {
        panic!("no settings: {besides}");
    };
    settings.as_object_mut().unwrap().extend(besides);
    settings
}

/// Somebody whom the organization's provider knows.
pub(crate) fn ann() -> Person {
    Person::new("4711", "ann@corp.example")
}

/// Somebody else.
pub(crate) fn bob() -> Person {
    Person::new("4712", "bob@corp.example").with("name", "Bob")
}

/// Whom the provider knows by the address of an account.
pub(crate) fn same_address(account: &Account) -> Person {
    Person::new(&account.user_id, &account.email)
}

/// Signs in by the password that every test account has.
pub(crate) async fn by_password(house: &House, account: &Account) -> Answer {
    let body = json!({ "email": account.email, "password": PASSWORD });
    house.stage.anybody().post(LOGIN, &body).await
}

/// The same account by its next tokens.
pub(crate) async fn refreshed(house: &House, account: &Account) -> Account {
    let body = json!({ "refreshToken": account.refresh_token });
    let renewed = house.stage.anybody().post(REFRESH, &body).await;
    house.account_of(&renewed)
}

/// Panics where an answer does not say which organization demands its own way to sign in.
#[track_caller]
pub(crate) fn expect_demanded(answer: &Answer, office: &Office) {
    answer.expect_error(StatusCode::FORBIDDEN, "SSO_REQUIRED");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "organizationId": office.id }),
        "{}",
        answer.text
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[track_caller]
fn expect_unknown(answer: &Answer) {
    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}
