//! What most tests begin with: an application, an organization with its owner and default workspace, and people who join.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    app::{Options, TestApp},
    client::{Account, Client, text},
    database::TestDatabase,
};

/// An organization with its owner, in an application of its own.
pub struct Scene {
    /// The application.
    pub app: TestApp,
    /// Who registered and founded the organization.
    pub owner: Account,
    /// The organization's id.
    pub organization: String,
    /// The id of its default workspace.
    pub workspace: String,
    /// The database.
    pub database: TestDatabase,
}

/// Where a role is granted.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// In the organization.
    Organization,
    /// In a workspace.
    Workspace(&'a str),
    /// On a project.
    Project(&'a str),
}

impl Scene {
    /// A scene of an application as it is shipped, but for its limits.
    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// The same with options.
    pub async fn with(options: Options) -> Self {
        let database = TestDatabase::new().await;
        let app = TestApp::with(&database, options).await;
        let owner = app.client().register("Olga Owner", Some("Acme")).await;
        let organization = owner.organization().await;
        let workspace = owner.default_workspace(&organization).await;
        Self {
            app,
            owner,
            organization,
            workspace,
            database,
        }
    }

    /// The owner's client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.owner.client
    }

    /// A path below the organization's.
    #[must_use]
    pub fn path(&self, below: &str) -> String {
        format!("/api/v1/organizations/{}{below}", self.organization)
    }

    /// The path of the default workspace's projects.
    #[must_use]
    pub fn projects(&self) -> String {
        self.path(&format!("/workspaces/{}/projects", self.workspace))
    }

    /// The path of a project.
    #[must_use]
    pub fn project(&self, project: &Value) -> String {
        self.path(&format!("/projects/{}", project["id"].as_str().expect("an id")))
    }

    /// Creates a project in the default workspace, as the owner.
    pub async fn create_project(&self, body: &Value) -> Value {
        self.owner
            .create_project(&self.organization, &self.workspace, body)
            .await
    }

    /// Someone new, who holds a built-in role in the organization.
    pub async fn joined(&self, role: &str) -> Account {
        let account = self.app.client().register(&format!("The {role}"), None).await;
        self.join(&account, &[(role, Place::Organization)]).await;
        account
    }

    /// Makes an account a member that holds these built-in roles, and gives the member's id.
    pub async fn join(&self, account: &Account, roles: &[(&str, Place<'_>)]) -> String {
        let (organization, user, member) = (&self.organization, &account.user_id, Uuid::now_v7());
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
                 select '{organization}', '{}', '{member}', id, {workspace}, {project}, now(), now() from roles
                 where organization_id = '{organization}' and key = '{role}';",
                Uuid::now_v7()
            );
        }
        self.database.owner(statements).await;
        member.to_string()
    }

    /// Adds a workspace to the organization, as the owner, and gives its id.
    pub async fn add_workspace(&self, slug: &str) -> String {
        let body = serde_json::json!({ "name": slug, "slug": slug });
        let created = self.client().post(&self.path("/workspaces"), &body).await;
        created.expect(reqwest::StatusCode::CREATED);
        text(&created.data()["id"])
    }
}
