//! How many round trips to the database a request costs: counted by its statements, since each is sent and waited for by
//! itself, BEGIN (with the settings that travel in it) and COMMIT among them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failing test should stop where it fails; the table is for whoever asks for it with --nocapture"
)]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{
    client::{Client, text},
    scene::Scene,
    statements,
};

/// The most round trips of a project read by id, its tenant in a warm cache.
const READ_BY_ID: usize = 3;

/// The statements of one request.
async fn statements_of(client: &Client, number: u32, method: Method, path: &str, body: Option<&Value>) -> Vec<String> {
    let trace = format!("{number:032x}");
    let request = client
        .request(method, path)
        .header("traceparent", statements::traceparent(&trace));
    let answer = client.send(match body {
        Some(body) => request.json(body),
        None => request,
    });
    let answer = answer.await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    assert_eq!(answer.header("x-trace-id"), Some(trace.as_str()));
    statements::of_trace(&trace)
}

#[tokio::test]
async fn a_project_read_by_id_costs_three_at_most() {
    let scene = Scene::new().await;
    // While the clock stands, what was looked up stays fresh.
    scene.app.clock.stop();
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let (owner, path) = (scene.client(), scene.project(&project));
    owner.get(&path).await.expect(StatusCode::OK);

    let read = statements_of(owner, 0xa001, Method::GET, &path, None).await;
    assert!(read.len() <= READ_BY_ID, "{read:#?}");
    // What is counted is there to be counted: the transaction, and what is asked in it.
    assert!(
        read.iter()
            .any(|statement| statement.to_uppercase().starts_with("BEGIN")),
        "{read:#?}"
    );
    assert!(read.iter().any(|statement| statement.contains("projects")), "{read:#?}");

    let mut table = String::from("statements of each operation, with a warm cache:\n");
    let workspace = format!("/workspaces/{}", scene.workspace);
    let created = json!({ "name": "Other" });
    let changed = json!({ "name": "Changed" });
    let operations = [
        ("getProject", Method::GET, path.clone(), None),
        ("listProjects", Method::GET, scene.path("/projects"), None),
        (
            "listProjects by cursor",
            Method::GET,
            scene.path("/projects?cursor="),
            None,
        ),
        ("createProject", Method::POST, scene.projects(), Some(&created)),
        ("updateProject", Method::PATCH, path.clone(), Some(&changed)),
        ("replaceProject", Method::PUT, path.clone(), Some(&created)),
        ("deleteProject", Method::DELETE, path, None),
        ("getWorkspace", Method::GET, scene.path(&workspace), None),
        ("listWorkspaces", Method::GET, scene.path("/workspaces"), None),
        ("listMembers", Method::GET, scene.path("/members"), None),
        ("getOrganization", Method::GET, scene.path(""), None),
        ("getContext", Method::GET, scene.path("/context"), None),
        (
            "listOrganizations",
            Method::GET,
            "/api/v1/organizations".to_owned(),
            None,
        ),
        (
            "createOrganization",
            Method::POST,
            "/api/v1/organizations".to_owned(),
            Some(&created),
        ),
        ("getMe", Method::GET, "/api/v1/me".to_owned(), None),
        ("updateMe", Method::PATCH, "/api/v1/me".to_owned(), Some(&changed)),
        ("listSessions", Method::GET, "/api/v1/auth/sessions".to_owned(), None),
        ("listPermissions", Method::GET, "/api/v1/permissions".to_owned(), None),
    ];
    for (number, (name, method, path, body)) in (0xb001..).zip(operations) {
        let statements = statements_of(owner, number, method, &path, body).await;
        table += &format!("{:>4}  {name}\n", statements.len());
    }
    let login = json!({ "email": scene.owner.email, "password": tenantry_tests::client::PASSWORD });
    let anyone = owner.anonymous();
    let statements = statements_of(&anyone, 0xc001, Method::POST, "/api/v1/auth/login", Some(&login)).await;
    table += &format!("{:>4}  login\n", statements.len());
    let token = json!({ "refreshToken": text(&json!(scene.owner.refresh_token)) });
    let statements = statements_of(&anyone, 0xc002, Method::POST, "/api/v1/auth/refresh", Some(&token)).await;
    table += &format!("{:>4}  refresh\n", statements.len());
    eprint!("{table}");
}
