//! The look-up functions about the providers of organizations, and whom they vouch for.

use serde_json::{Value, json};
use tenantry_tests::database::TestDatabase;

use super::{
    super::tenants::{ORGANIZATION_A, ORGANIZATION_B, Runtime, USER_A, USER_B, database, refusal},
    answer,
};

const ISSUER: &str = "https://login.a.example";

/// The first tenant's connection, and one that nobody has.
const CONNECTION: &str = "0192f8a0-0000-7000-8000-0000000000ea";
const OTHER_CONNECTION: &str = "0192f8a0-0000-7000-8000-0000000000eb";

/// The first tenant has a provider of its own, whose secret is sealed; both tenants' people have addresses of one domain, which
/// is the first one's.
async fn connected() -> TestDatabase {
    let database = database().await;
    database
        .owner(format!(
            "update sign_on_policies set connection_id = '{CONNECTION}', issuer = '{ISSUER}', client_id = 'tenantry',
                 client_secret = '\\x00ff', session_max_age = 3600
             where organization_id = '{ORGANIZATION_A}';
             update domains set name = 'example.org' where organization_id = '{ORGANIZATION_A}'"
        ))
        .await;
    database
}

/// What the runtime role is told that somebody has to sign in through, in the first organization.
async fn demanded(runtime: &mut Runtime, user: &str) -> Value {
    let call = format!("lookup.membership('{ORGANIZATION_A}', null)");
    let rows = answer(runtime, Some(user), &call).await;
    rows.first().unwrap().pointer("/sign_on/connection").unwrap().clone()
}

/// Vouches for somebody at `https://id.example`, through a connection or through what the operator configured.
fn identity(user: &str, subject: &str, connection: Option<&str>) -> String {
    let connection = connection.map_or_else(|| "null".to_owned(), |id| format!("'{id}'"));
    format!(
        "insert into identities (user_id, id, provider, issuer, subject, connection_id, created_at)
         values ('{user}', gen_random_uuid(), 'any', 'https://id.example', '{subject}', {connection}, now())"
    )
}

#[tokio::test]
async fn identities_of_connections_are_found_by_them_alone() {
    let database = database().await;
    // The issuer vouches for the first tenant's person under this subject, too.
    database
        .owner(identity(USER_B, &format!("{CONNECTION}/subject a"), Some(CONNECTION)))
        .await;
    let mut runtime = Runtime::connect(&database).await;
    for (subject, user) in [
        ("subject a".to_owned(), json!(USER_A)),
        (format!("{CONNECTION}/subject a"), json!(USER_B)),
        (format!("{OTHER_CONNECTION}/subject a"), Value::Null),
        (format!("{CONNECTION}/"), Value::Null),
        (CONNECTION.to_owned(), Value::Null),
    ] {
        let call = format!("lookup.user_by_identity('https://id.example', '{subject}') as user_id");
        assert_eq!(
            answer(&mut runtime, None, &call).await,
            [json!({ "user_id": user })],
            "{subject}"
        );
    }
}

/// What a connection vouches for says by its subject which one it is, and no subject is too long with that.
#[tokio::test]
async fn what_a_connection_vouches_for_has_it_before_the_subject() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    let longest = "s".repeat(512);
    for (subject, connection) in [
        (format!("{CONNECTION}/{longest}"), Some(CONNECTION)),
        (format!("{CONNECTION}/"), Some(CONNECTION)),
        (longest, None),
    ] {
        let sql = identity(USER_A, &subject, connection);
        let done = runtime.change(Some(USER_A), None, &sql).await;
        assert_eq!(done.unwrap(), 1, "{subject} {connection:?}");
    }
    for (subject, connection) in [
        ("subject".to_owned(), CONNECTION),
        (format!("{OTHER_CONNECTION}/subject"), CONNECTION),
        (format!("{}/subject", CONNECTION.to_uppercase()), CONNECTION),
        (format!("{CONNECTION}subject"), CONNECTION),
        (format!("a{CONNECTION}/subject"), CONNECTION),
    ] {
        let sql = identity(USER_A, &subject, Some(connection));
        let refused = refusal(runtime.change(Some(USER_A), None, &sql).await);
        assert!(refused.starts_with("23514"), "{subject}: {refused}");
    }
    for subject in [String::new(), "s".repeat(601)] {
        let sql = identity(USER_A, &subject, None);
        let refused = refusal(runtime.change(Some(USER_A), None, &sql).await);
        assert!(refused.starts_with("23514"), "{subject}: {refused}");
    }
}

#[tokio::test]
async fn one_identity_is_one_persons_wherever_it_is_of() {
    let database = database().await;
    let mut runtime = Runtime::connect(&database).await;
    for (subject, connection) in [
        ("one".to_owned(), None),
        (format!("{CONNECTION}/one"), Some(CONNECTION)),
        (format!("{OTHER_CONNECTION}/one"), Some(OTHER_CONNECTION)),
    ] {
        let first = runtime
            .change(Some(USER_A), None, &identity(USER_A, &subject, connection))
            .await;
        assert_eq!(first.unwrap(), 1, "{subject}");
        let again = runtime
            .change(Some(USER_B), None, &identity(USER_B, &subject, connection))
            .await;
        let refused = refusal(again);
        assert!(refused.starts_with("23505"), "{subject}: {refused}");
    }
}

/// What a policy says of its connection is all there, or nothing is.
#[tokio::test]
async fn connections_are_whole() {
    let database = connected().await;
    let mut runtime = Runtime::connect(&database).await;
    for halved in [
        "connection_id = null",
        "issuer = null",
        "client_id = null",
        "connection_id = null, issuer = null, client_id = null",
        "connection_id = null, issuer = null, client_id = null, client_secret = null, sso_required = true",
        "default_role = 'owner'",
        "session_max_age = 899",
        "session_max_age = 2592001",
    ] {
        let sql = format!("update sign_on_policies set {halved}");
        let refused = refusal(runtime.change(Some(USER_A), Some(ORGANIZATION_A), &sql).await);
        assert!(refused.starts_with("23514"), "{halved}: {refused}");
    }
    let gone = "update sign_on_policies
                set connection_id = null, issuer = null, client_id = null, client_secret = null, default_role = null";
    let done = runtime.change(Some(USER_A), Some(ORGANIZATION_A), gone).await;
    assert_eq!(done.unwrap(), 1);
}

#[tokio::test]
async fn sign_on_connection() {
    let database = connected().await;
    let mut runtime = Runtime::connect(&database).await;
    let call = format!("lookup.sign_on_connection('{ORGANIZATION_A}')");
    // Whoever is about to sign in is nobody yet.
    assert_eq!(
        answer(&mut runtime, None, &call).await,
        [json!({
            "organization_name": "Organization a",
            "connection_id": CONNECTION,
            "issuer": ISSUER,
            "client_id": "tenantry",
            "client_secret": "\\x00ff",
        })]
    );
    // What an organization is called is told of any: people have identities of connections that are gone.
    let name_alone = |letter: &str| {
        [json!({
            "organization_name": format!("Organization {letter}"),
            "connection_id": null,
            "issuer": null,
            "client_id": null,
            "client_secret": null,
        })]
    };
    let without = format!("lookup.sign_on_connection('{ORGANIZATION_B}')");
    assert_eq!(answer(&mut runtime, None, &without).await, name_alone("b"));
    for unknown in [format!("'{USER_A}'"), format!("'{CONNECTION}'"), "null".to_owned()] {
        let call = format!("lookup.sign_on_connection({unknown})");
        assert_eq!(answer(&mut runtime, None, &call).await, [] as [Value; 0], "{unknown}");
    }
    for gone in [
        "update organizations set status = 'suspended'",
        "update organizations set status = 'deleted', deleted_at = now()",
        "update organizations set status = 'active', deleted_at = null; delete from sign_on_policies",
    ] {
        database.owner(gone).await;
        assert_eq!(answer(&mut runtime, None, &call).await, name_alone("a"), "{gone}");
    }
}

#[tokio::test]
async fn sign_on_of_domain() {
    let database = connected().await;
    let mut runtime = Runtime::connect(&database).await;
    let call = "lookup.sign_on_of_domain('example.org')";
    let found = |role: Value, required: bool| {
        [json!({
            "organization_id": ORGANIZATION_A,
            "organization_name": "Organization a",
            "connection_id": CONNECTION,
            "default_role": role,
            "sso_required": required,
        })]
    };
    assert_eq!(answer(&mut runtime, None, call).await, found(json!("member"), false));
    database
        .owner("update sign_on_policies set sso_required = true where connection_id is not null")
        .await;
    assert_eq!(answer(&mut runtime, None, call).await, found(json!("member"), true));
    database.owner("update sign_on_policies set default_role = null").await;
    assert_eq!(answer(&mut runtime, None, call).await, found(Value::Null, true));
    // That of the other has no provider; a part of a name is none, nor is one in other letters.
    for unknown in [
        "'b.example'",
        "'org'",
        "'sub.example.org'",
        "'Example.org'",
        "'%'",
        "null",
    ] {
        let call = format!("lookup.sign_on_of_domain({unknown})");
        assert_eq!(answer(&mut runtime, None, &call).await, [] as [Value; 0], "{unknown}");
    }
    for gone in [
        "update domains set verified_at = null",
        "update domains set verified_at = now(); update organizations set status = 'suspended'",
        "update organizations set status = 'deleted', deleted_at = now()",
    ] {
        database.owner(gone).await;
        assert_eq!(answer(&mut runtime, None, call).await, [] as [Value; 0], "{gone}");
    }
}

#[tokio::test]
async fn of_all_who_claim_a_domain_one_has_it() {
    let database = connected().await;
    let claim = |verified_at: &str| {
        format!(
            "insert into domains (organization_id, id, name, token, verified_at, created_at, updated_at)
             values ('{ORGANIZATION_B}', gen_random_uuid(), 'example.org', repeat('t', 16), {verified_at}, now(), now())"
        )
    };
    let mut runtime = Runtime::connect(&database).await;
    let as_b = (Some(USER_B), Some(ORGANIZATION_B));
    let refused = refusal(runtime.change(as_b.0, as_b.1, &claim("now()")).await);
    assert!(refused.starts_with("23505"), "{refused}");
    assert_eq!(runtime.change(as_b.0, as_b.1, &claim("null")).await.unwrap(), 1);
    let twice = refusal(runtime.change(as_b.0, as_b.1, &claim("null")).await);
    assert!(twice.starts_with("23505"), "{twice}");
    // Said to be one's own it gives nothing away, and takes nothing.
    let found = answer(&mut runtime, None, "lookup.sign_on_of_domain('example.org')").await;
    assert_eq!(found[0]["organization_id"], ORGANIZATION_A);
}

#[tokio::test]
async fn my_single_sign_on() {
    let database = connected().await;
    let mut runtime = Runtime::connect(&database).await;
    let call = "lookup.my_single_sign_on()";
    let nothing = [] as [Value; 0];
    assert_eq!(
        answer(&mut runtime, Some(USER_A), call).await,
        nothing,
        "demanded of nobody"
    );
    assert_eq!(demanded(&mut runtime, USER_A).await, Value::Null);
    database
        .owner("update sign_on_policies set sso_required = true where connection_id is not null")
        .await;
    let told = |is_active: bool, is_owner: bool| {
        [json!({
            "organization_id": ORGANIZATION_A,
            "is_active": is_active,
            "connection_id": CONNECTION,
            "is_owner": is_owner,
        })]
    };
    let found = |is_owner: bool| told(true, is_owner);
    assert_eq!(answer(&mut runtime, Some(USER_A), call).await, found(true));
    assert_eq!(demanded(&mut runtime, USER_A).await, CONNECTION);
    // An address of the domain alone makes nobody a member.
    for nobody in [Some(USER_B), Some(""), None] {
        assert_eq!(answer(&mut runtime, nobody, call).await, nothing, "{nobody:?}");
    }
    database
        .owner(format!(
            "insert into members (organization_id, id, user_id, joined_at, created_at, updated_at)
             values ('{ORGANIZATION_A}', gen_random_uuid(), '{USER_B}', now(), now(), now())"
        ))
        .await;
    assert_eq!(answer(&mut runtime, Some(USER_B), call).await, found(false));
    // An owner of a workspace is no owner of the organization.
    database
        .owner(
            "update grants g set workspace_id = w.id from workspaces w where w.organization_id = g.organization_id;
             update users set email_canonical = 'b@elsewhere.example' where name = 'User b'",
        )
        .await;
    assert_eq!(answer(&mut runtime, Some(USER_A), call).await, found(false));
    // Whose address is of another domain may sign in as ever.
    assert_eq!(answer(&mut runtime, Some(USER_B), call).await, nothing);
    assert_eq!(demanded(&mut runtime, USER_B).await, Value::Null);
    // Nobody can sign in through that of one that is suspended, which holds them to their address all the same.
    database.owner("update organizations set status = 'suspended'").await;
    assert_eq!(answer(&mut runtime, Some(USER_A), call).await, told(false, false));
    database.owner("update organizations set status = 'active'").await;
    for gone in [
        "update domains set verified_at = null",
        "update domains set verified_at = now(); update members set status = 'inactive'",
        "update members set status = 'active'; update organizations set status = 'deleted', deleted_at = now()",
        "update organizations set status = 'active', deleted_at = null;
         update sign_on_policies set sso_required = false",
    ] {
        database.owner(gone).await;
        assert_eq!(answer(&mut runtime, Some(USER_A), call).await, nothing, "{gone}");
    }
}
