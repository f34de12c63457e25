//! A body that cannot be taken, to every operation that takes one, from everybody.

use reqwest::{RequestBuilder, StatusCode, header::CONTENT_TYPE};
use tenantry_tests::{app::TestApp, database::TestDatabase, identity_provider::IdentityProvider};

use crate::{
    operations::{self, Meaning},
    world::{self, Caller, World},
};

/// One byte more than a body may have.
const TOO_MANY: usize = 1024 * 1024 + 1;

/// A body that cannot be taken, and what it is refused with once its sender may act.
struct Broken {
    what: &'static str,
    media_type: &'static str,
    body: Vec<u8>,
    status: StatusCode,
    code: &'static str,
}

fn broken() -> Vec<Broken> {
    let broken = |what, media_type, body: &[u8], status, code| Broken {
        what,
        media_type,
        body: body.to_vec(),
        status,
        code,
    };
    const JSON: &str = "application/json";
    let malformed = (StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    let of_another_type = (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE");
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
    let unfit = (StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    vec![
        broken("no JSON", JSON, b"{\"name\": ", malformed.0, malformed.1),
        broken("an unknown field", JSON, b"{\"nobody\": \"knows\"}", unfit.0, unfit.1),
        broken("too many spaces", JSON, &vec![b' '; TOO_MANY], too_large.0, too_large.1),
        broken(
            "another type",
            "text/plain",
            b"{}",
            of_another_type.0,
            of_another_type.1,
        ),
        broken(
            "XML",
            "application/xml",
            b"<name/>",
            of_another_type.0,
            of_another_type.1,
        ),
        broken("no type", "", b"{}", of_another_type.0, of_another_type.1),
    ]
}

fn with_body(request: RequestBuilder, media_type: &str, body: Vec<u8>) -> RequestBuilder {
    let (client, request) = request.build_split();
    let mut request = request.unwrap();
    *request.body_mut() = Some(body.into());
    request.headers_mut().remove(CONTENT_TYPE);
    if !media_type.is_empty() {
        request.headers_mut().insert(CONTENT_TYPE, media_type.parse().unwrap());
    }
    RequestBuilder::from_parts(client, request)
}

#[tokio::test]
async fn a_body_is_looked_at_only_for_those_who_may_act() {
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
            client: client.with_token("no.good.token"),
            ..owner
        },
        world.b.owner.sign_in("stranger", &client).await,
    ];
    for (name, person) in world.a.people() {
        callers.push(person.sign_in(name, &client).await);
    }

    let mut refused = 0;
    let mut looked_at = 0;
    for operation in operations::all().iter().filter(|operation| operation.has_body) {
        for caller in &callers {
            let stand_in = world.a.stand_in(operation, caller, &client).await;
            let caller = stand_in.as_ref().unwrap_or(caller);
            let values = world.a.inputs(operation, caller, Some(&creator), &[]).await;
            let sound = caller.client.send(operation.request(&caller.client, &values)).await;
            // What the body names is looked for in the body's turn.
            let named_in_body = operation.has(Meaning::MemberOf);
            let who_may_act = match sound.status {
                StatusCode::NOT_FOUND if named_in_body => None,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                    Some((sound.status, sound.code()))
                }
                // The owner has that organization already.
                StatusCode::CONFLICT if operation.name == "acceptInvitation" && caller.name == "owner" => None,
                status => {
                    assert!(
                        status.is_success(),
                        "{} as {}: {}",
                        operation.name,
                        caller.name,
                        sound.text
                    );
                    None
                }
            };
            if operation.name == "deleteTotp" {
                // There is one again.
                world.a.inputs(operation, caller, Some(&creator), &[]).await;
            }
            // What is left of it after the sound request is enough for a broken one.
            for broken in broken() {
                let request = operation.request(&caller.client, &values);
                let answer = caller
                    .client
                    .send(with_body(request, broken.media_type, broken.body))
                    .await;
                let expected = who_may_act.clone().unwrap_or((broken.status, broken.code.to_owned()));
                assert_eq!(
                    (answer.status, answer.code()),
                    expected,
                    "{} as {} with {}",
                    operation.name,
                    caller.name,
                    broken.what
                );
            }
            world.a.take_second_factors(operation, &caller.person).await;
            *(if who_may_act.is_some() {
                &mut refused
            } else {
                &mut looked_at
            }) += 1;
        }
    }
    assert!(refused > 20 && looked_at > 20, "{refused} {looked_at}");
}
