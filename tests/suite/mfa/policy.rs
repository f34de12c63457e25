//! A second factor that an organization demands: of whom, from when on, and what they can still do who used none.

mod meanwhile;
mod refusals;
mod replacing;
mod sessions;
mod whom;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::{
    app::Options,
    client::{Account, Answer, Client, PASSWORD, text},
    scene::{Place, Scene},
};

use super::{LOGIN, Person, REFRESH, Stage, expect_session, post_nothing, time};
use crate::world::new_id;

const ORGANIZATIONS: &str = "/api/v1/organizations";
const MY_ORGANIZATIONS: &str = "/api/v1/me/organizations";

/// How long there is to set a second factor up, as it is shipped.
const GRACE: TimeDelta = TimeDelta::days(7);

/// Every built-in role, and a member who holds none.
const ROLES: [&str; 5] = ["owner", "admin", "member", "viewer", "guest"];

/// Those of whom a factor is demanded where nothing was chosen.
const MIGHTY: [&str; 2] = ["owner", "admin"];

/// An organization on a stage, whose founder has a second factor and has used it.
struct Site {
    stage: Stage,
    founder: Person,
    organization: String,
    founded: DateTime<Utc>,
}

/// Somebody who is a member, and has no second factor.
struct Joined {
    account: Account,
    /// The path of the membership.
    path: String,
}

impl Joined {
    fn client(&self) -> &Client {
        &self.account.client
    }
}

impl Site {
    /// One that was founded just now, with the grace that is shipped.
    async fn new() -> Self {
        Self::with_grace(7).await
    }

    /// One that grants no grace.
    async fn demanding() -> Self {
        Self::with_grace(0).await
    }

    async fn with_grace(mfa_grace_days: u16) -> Self {
        let options = Options {
            mfa_grace_days,
            ..Options::default()
        };
        Self::on(Stage::with(options).await).await
    }

    async fn on(stage: Stage) -> Self {
        let founder = stage.person("Olga Owner").await;
        let organization = found(founder.client(), "Acme").await;
        let founded = time(&organization["createdAt"]);
        assert_eq!(founded, stage.now());
        Self {
            stage,
            founder,
            organization: text(&organization["id"]),
            founded,
        }
    }

    /// The same as a scene, for those who wait in it.
    async fn into_scene(self) -> Scene {
        let workspace = self.founder.account.default_workspace(&self.organization).await;
        Scene {
            app: self.stage.app,
            owner: self.founder.account,
            organization: self.organization,
            workspace,
            database: self.stage.database,
        }
    }

    /// The founder's client.
    fn client(&self) -> &Client {
        self.founder.client()
    }

    fn path(&self, below: &str) -> String {
        format!("{ORGANIZATIONS}/{}{below}", self.organization)
    }

    fn sso(&self) -> String {
        self.path("/sso")
    }

    /// Makes somebody a member that holds these roles, and gives the path of the membership.
    async fn join(&self, account: &Account, roles: &[(&str, Place<'_>)]) -> String {
        let (organization, user, member) = (&self.organization, &account.user_id, new_id());
        let mut statements = format!(
            "insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
             values ('{organization}', '{member}', '{user}', now(), now(), now());"
        );
        for (role, place) in roles {
            let (workspace, project) = match place {
                Place::Organization => ("null".to_owned(), "null".to_owned()),
                Place::Workspace(id) => (format!("'{id}'"), "null".to_owned()),
                Place::Project(id) => ("null".to_owned(), format!("'{id}'")),
            };
            statements += &format!(
                "insert into grants (organization_id, id, member_id, role_id, workspace_id, project_id, created_at,
                                     updated_at)
                 select '{organization}', gen_random_uuid(), '{member}', id, {workspace}, {project}, now(), now()
                 from roles where organization_id = '{organization}' and key = '{role}' and built_in;"
            );
        }
        self.stage.database.owner(statements).await;
        self.path(&format!("/members/{member}"))
    }

    /// Somebody new with a built-in role in the organization; a guest has none.
    async fn joined(&self, role: &str) -> Joined {
        let account = self.stage.newcomer(&format!("The {role}")).await;
        let path = self.join(&account, &[(role, Place::Organization)]).await;
        Joined { account, path }
    }

    /// Somebody new in each of the roles.
    async fn everybody(&self) -> Vec<(&'static str, Joined)> {
        let mut everybody = Vec::new();
        for role in ROLES {
            everybody.push((role, self.joined(role).await));
        }
        everybody
    }

    /// Has the founder choose of whom a factor is demanded.
    async fn choose(&self, policy: &str) {
        let chosen = self.client().put(&self.sso(), &json!({ "mfa": policy })).await;
        chosen.expect(StatusCode::OK);
    }

    /// What every member is told, whatever they hold.
    async fn context(&self, client: &Client) -> Answer {
        client.get(&self.path("/context")).await
    }

    /// From when on a factor is demanded of a member whom nothing keeps out yet.
    async fn required_from(&self, client: &Client) -> Value {
        let context = self.context(client).await;
        let data = context.expect(StatusCode::OK).data();
        assert!(data.as_object().unwrap().contains_key("mfaRequiredFrom"), "{data}");
        data["mfaRequiredFrom"].clone()
    }

    async fn restore(&self, client: &Client) -> Answer {
        post_nothing(client, &self.path("/restore")).await
    }

    /// Lets the time come.
    fn until(&self, moment: DateTime<Utc>) {
        self.stage.app.clock.advance(moment - self.stage.now());
    }

    /// How often the policy was changed.
    async fn changes(&self) -> i64 {
        let changes = "events where type = 'sign_on_policy.changed'";
        self.stage.database.count(changes).await
    }
}

async fn found(client: &Client, name: &str) -> Value {
    let answer = client.post(ORGANIZATIONS, &json!({ "name": name })).await;
    answer.expect(StatusCode::CREATED).data()
}

/// Another session of who is asked for their password alone.
async fn by_password(stage: &Stage, account: &Account) -> Client {
    let session = expect_session(&stage.login(account).await);
    stage.anybody().with_token(&text(&session["accessToken"]))
}

/// A session of who shows the token of a device.
async fn on_device(stage: &Stage, account: &Account, token: &str) -> Client {
    let body = json!({ "email": account.email, "password": PASSWORD, "trustedDeviceToken": token });
    let session = expect_session(&stage.anybody().post(LOGIN, &body).await);
    stage.anybody().with_token(&text(&session["accessToken"]))
}

/// The client of a session with its next access token, and its next refresh token.
async fn refreshed(stage: &Stage, refresh_token: &str) -> (Client, String) {
    let renewed = stage
        .anybody()
        .post(REFRESH, &json!({ "refreshToken": refresh_token }))
        .await;
    let session = expect_session(&renewed);
    let client = stage.anybody().with_token(&text(&session["accessToken"]));
    (client, text(&session["refreshToken"]))
}

/// Panics where an answer does not say that a second factor is demanded.
#[track_caller]
fn expect_demanded(answer: &Answer) {
    answer.expect_error(StatusCode::FORBIDDEN, "MFA_REQUIRED");
    assert_eq!(answer.json()["error"]["details"], Value::Null);
}

#[track_caller]
fn expect_unknown(answer: &Answer) {
    answer.expect_error(StatusCode::NOT_FOUND, "NOT_FOUND");
}

#[track_caller]
fn expect_forbidden(answer: &Answer, permission: &str) {
    answer.expect_error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(
        answer.json()["error"]["details"],
        json!({ "requiredPermission": permission })
    );
}
