//! Every operation × everybody who may call, against a golden file: status, error code and the permission that was asked
//! for.
//!
//! People send what the operation means for them: project operations are about a project that somebody else created and
//! all may see, member operations about somebody else, session operations about a session of one's own. What follows from creating a project is in
//! [`refusals`](crate::refusals).
//!
//! A new operation gets its block by `UPDATE_GOLDEN=1 cargo test --workspace --test suite -- permission_matrix`; look at it
//! before you keep it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

use std::{collections::BTreeMap, env, fmt::Write as _, fs, path::Path};

use chrono::TimeDelta;
use tenantry_domain::{permissions::Permission, roles::BuiltInRole};
use tenantry_tests::{
    app::TestApp,
    client::{Answer, Client},
    database::TestDatabase,
    identity_provider::IdentityProvider,
};

use crate::{
    operations::{self, Meaning, Operation, Place},
    world::{self, Caller, World},
};

/// How long an access token lives, and then some.
const LONGER_THAN_A_TOKEN: TimeDelta = TimeDelta::minutes(61);

const INTRODUCTION: &str = "\
# Who gets what from every operation: status, error code, and the permission that a refusal asks for.
# stranger: a user of another tenant; guest: a member without any role. Projects and members are others, sessions one's own.
# To adopt a change: UPDATE_GOLDEN=1 cargo test --workspace --test suite -- permission_matrix
";

/// What somebody got.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    status: u16,
    code: Option<String>,
    permission: Option<String>,
}

impl Cell {
    fn of(answer: &Answer) -> Self {
        let body: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let text = |pointer: &str| {
            body.pointer(pointer)
                .and_then(|value| value.as_str())
                .map(str::to_owned)
        };
        Self {
            status: answer.status.as_u16(),
            code: text("/error/code"),
            permission: text("/error/details/requiredPermission"),
        }
    }
}

/// What everybody got, by operation and in the order of asking.
type Matrix = Vec<(Operation, Vec<(&'static str, Cell)>)>;

async fn matrix() -> Matrix {
    let database = TestDatabase::new().await;
    let provider = IdentityProvider::start().await;
    let app = TestApp::with(&database, world::options(&provider)).await;
    let world = World::make(&app, &database).await;
    let client = app.client();
    let creator = world.both.sign_in("both", &client).await.client;
    let owner = world.a.owner.sign_in("owner", &client).await;
    let mut callers = vec![
        Caller {
            name: "anonymous",
            client: client.clone(),
            ..owner.clone()
        },
        Caller {
            name: "broken token",
            client: client.with_token(&broken(owner.client.token().unwrap())),
            ..owner.clone()
        },
        world.b.owner.sign_in("stranger", &client).await,
    ];
    for (name, person) in world.a.people() {
        callers.push(person.sign_in(name, &client).await);
    }

    let operations = operations::all();
    let mut matrix: Matrix = operations
        .iter()
        .map(|operation| (operation.clone(), Vec::new()))
        .collect();
    for (operation, cells) in &mut matrix {
        for caller in &callers {
            let stand_in = world.a.stand_in(operation, caller, &client).await;
            let caller = stand_in.as_ref().unwrap_or(caller);
            cells.push((caller.name, ask(&world, operation, caller, &creator).await));
            world.a.mend(operation, caller, &client).await;
        }
    }
    // What would be used up is made while tokens are still good.
    let expired = Caller {
        name: "expired token",
        ..owner
    };
    let mut requests = Vec::new();
    for operation in &operations {
        let stand_in = world.a.stand_in(operation, &expired, &client).await;
        let expired = stand_in.as_ref().unwrap_or(&expired);
        let values = world.a.inputs(operation, expired, Some(&creator), &[]).await;
        requests.push(operation.request(&expired.client, &values));
        world.a.take_second_factors(operation, &expired.person).await;
    }
    app.clock.advance(LONGER_THAN_A_TOKEN);
    for (request, (_, cells)) in requests.into_iter().zip(&mut matrix) {
        let answer = expired.client.send(request).await;
        if cells[0].1.status == 401 {
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(
                challenge.contains("invalid_token") && challenge.contains("expired"),
                "{challenge}"
            );
        }
        cells.insert(2, (expired.name, Cell::of(&answer)));
    }
    matrix
}

async fn ask(world: &World, operation: &Operation, caller: &Caller, creator: &Client) -> Cell {
    let values = world.a.inputs(operation, caller, Some(creator), &[]).await;
    let answer = caller.client.send(operation.request(&caller.client, &values)).await;
    Cell::of(&answer)
}

/// A token whose signature is another's.
fn broken(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature: String = signature.chars().rev().collect();
    format!("{signed}.{signature}")
}

fn text(matrix: &Matrix) -> String {
    let mut text = INTRODUCTION.to_owned();
    for (operation, cells) in matrix {
        let permission = match &operation.permission {
            None => String::new(),
            Some(None) => " (being a member is enough)".to_owned(),
            Some(Some(permission)) => format!(" ({permission})"),
        };
        writeln!(
            text,
            "\n{}: {} {}{permission}",
            operation.name, operation.method, operation.path
        )
        .unwrap();
        for (
            caller,
            Cell {
                status,
                code,
                permission,
            },
        ) in cells
        {
            let rest = [code, permission].into_iter().flatten();
            let rest: String = rest.map(|word| format!(" {word}")).collect();
            writeln!(text, "  {caller:13} {status}{rest}").unwrap();
        }
    }
    text
}

#[tokio::test]
async fn everybody_gets_what_the_golden_file_says() {
    let matrix = Box::pin(matrix()).await;
    let found = text(&matrix);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("suite/permission_matrix.golden");
    #[expect(clippy::disallowed_methods, reason = "whoever adopts a change says so to the test")]
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let adopted = fs::read_to_string(&path).unwrap_or_default();
    let moved = moved(&adopted, &found);
    assert!(
        moved.is_empty() && adopted == found,
        "{} is no longer what everybody gets (- as adopted, + as it is):\n{moved}\nif that is meant: \
         UPDATE_GOLDEN=1 cargo test --workspace --test suite -- permission_matrix\n",
        path.display(),
    );

    for (operation, cells) in &matrix {
        follows_the_document(operation, &cells.iter().cloned().collect());
    }
}

/// The lines that differ, each under the operation that it belongs to.
fn moved(adopted: &str, found: &str) -> String {
    let blocks = |text: &str| -> BTreeMap<String, Vec<String>> {
        let blocks = text
            .split("\n\n")
            .map(|block| block.trim_end().lines().map(str::to_owned));
        blocks
            .filter_map(|mut lines| Some((lines.next()?, lines.collect())))
            .collect()
    };
    let (adopted, found) = (blocks(adopted), blocks(found));
    let mut moved = String::new();
    let names: std::collections::BTreeSet<&String> = adopted.keys().chain(found.keys()).collect();
    for name in names {
        let none = Vec::new();
        let before = adopted.get(name).unwrap_or(&none);
        let after = found.get(name).unwrap_or(&none);
        if before != after || adopted.contains_key(name) != found.contains_key(name) {
            writeln!(moved, "{name}").unwrap();
            for line in before.iter().filter(|line| !after.contains(line)) {
                writeln!(moved, "- {line}").unwrap();
            }
            for line in after.iter().filter(|line| !before.contains(line)) {
                writeln!(moved, "+ {line}").unwrap();
            }
        }
    }
    moved
}

/// What is known of an operation's answers without having looked at them, from its `x-permission` and the built-in roles.
fn follows_the_document(operation: &Operation, cells: &BTreeMap<&str, Cell>) {
    let name = &operation.name;
    let in_organization = operation.has(Meaning::Organization);
    assert_eq!(operation.permission.is_some(), in_organization, "{name}: x-permission");
    assert!(operation.secured || !in_organization, "{name} asks for no credentials");
    for caller in ["anonymous", "broken token", "expired token"] {
        // A sign-in that has begun is not completed an hour later, nor is a challenge answered or a code exchanged.
        let begun = [Meaning::SecondStep, Meaning::Answered, Meaning::SignInCode];
        let begun = begun.into_iter().any(|meaning| operation.has(meaning));
        let too_late = caller == "expired token" && begun;
        let refused = operation.secured || too_late;
        assert_eq!(cells[caller].status == 401, refused, "{name} as {caller}");
    }
    if !in_organization {
        assert!(cells.values().all(|cell| cell.status != 403), "{name}");
        return;
    }
    assert_eq!(cells["stranger"].status, 404, "{name}");

    let permission: Option<Permission> = operation.permission.clone().flatten().map(|name| name.parse().unwrap());
    // To those who may not view it, what the path names is not there.
    let view = [
        (Meaning::Project, Permission::ProjectView),
        (Meaning::Workspace, Permission::WorkspaceView),
        (Meaning::Member, Permission::MemberView),
    ];
    let in_path = |meaning| {
        let mut inputs = operation.inputs.iter();
        inputs.any(|input| input.place == Place::Path && input.meaning == meaning)
    };
    let view = view.into_iter().find(|(meaning, _)| in_path(*meaning));
    for role in BuiltInRole::ALL {
        let cell = &cells[role.key()];
        if permission.is_none_or(|permission| role.permissions().has(permission)) {
            assert!((200..300).contains(&cell.status), "{name} as {role}: {cell:?}");
        } else if view.is_some_and(|(_, view)| !role.permissions().has(view)) {
            assert_eq!(cell.status, 404, "{name} as {role}");
        } else {
            assert_eq!(cell.status, 403, "{name} as {role}");
        }
    }
    for (caller, cell) in cells.iter().filter(|(_, cell)| cell.status == 403) {
        assert_eq!(cell.code.as_deref(), Some("FORBIDDEN"), "{name} as {caller}");
        assert_eq!(
            cell.permission.as_deref(),
            permission.map(Permission::name),
            "{name} as {caller}"
        );
    }
    // Whoever holds nothing is refused, unless a member may know of it or they may not even know of it.
    let guest = &cells["guest"];
    let of_the_organization = permission.is_none();
    let expected = match (of_the_organization, view.is_some()) {
        (true, _) => 200,
        (false, true) => 404,
        (false, false) => 403,
    };
    assert_eq!(guest.status, expected, "{name} as guest");
}

#[test]
fn what_moved_is_shown_under_its_operation() {
    let before = "# title\n\na: GET /a\n  owner 200\n\nb: GET /b\n  owner 200\n";
    let after = "# title\n\na: GET /a\n  owner 403 FORBIDDEN\n\nc: GET /c\n  owner 200\n";
    assert_eq!(
        moved(before, after),
        "a: GET /a\n-   owner 200\n+   owner 403 FORBIDDEN\nb: GET /b\n-   owner 200\nc: GET /c\n+   owner 200\n"
    );
    assert_eq!(moved(before, before), "");
}
