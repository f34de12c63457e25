//! Bodies that are too large, or too deep.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::{scene::Scene, wire::Wire};

use super::{create_raw, expect_client_error, expect_unharmed, head, rows};

const HUGE: usize = 100_000_000;

/// A server that had read the half of it would not have answered while it was sent.
const MOST_READ: usize = HUGE / 2;

#[tokio::test]
async fn a_hundred_megabytes_are_refused_while_they_are_sent() {
    let scene = Scene::new().await;
    let before = rows(&scene).await;
    let chunk = [b' '; 65_536];
    for (method, path) in [
        (Method::POST, "/api/v1/organizations".to_owned()),
        (Method::POST, scene.projects()),
        (Method::PATCH, "/api/v1/me".to_owned()),
        (Method::POST, "/api/v1/auth/login".to_owned()),
    ] {
        let mut wire = Wire::connect(scene.app.address).await;
        assert!(
            wire.send(head(&scene, &method, &path, &format!("Content-Length: {HUGE}\r\n")))
                .await
        );
        let (answer, sent) = wire.flood(&chunk, HUGE).await;
        answer
            .expect("an answer")
            .expect_error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
        assert!(sent < MOST_READ, "{sent} bytes were taken");
    }
    // Nobody says how much is coming.
    let mut wire = Wire::connect(scene.app.address).await;
    assert!(
        wire.send(head(
            &scene,
            &Method::POST,
            &scene.projects(),
            "Transfer-Encoding: chunked\r\n"
        ))
        .await
    );
    let chunk = [b"10000\r\n".as_slice(), &chunk, b"\r\n"].concat();
    let (answer, sent) = wire.flood(&chunk, HUGE).await;
    answer
        .expect("an answer")
        .expect_error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
    assert!(sent < MOST_READ, "{sent} bytes were taken");
    expect_unharmed(&scene, &before).await;
}

#[tokio::test]
async fn who_may_not_act_is_told_so_before_a_byte_is_read() {
    let scene = Scene::new().await;
    let viewer = scene.joined("viewer").await.client;
    let stranger = scene.app.client().register("Stranger", None).await.client;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let before = rows(&scene).await;
    let creating = (Method::POST, scene.projects());
    let changing = (Method::PATCH, scene.project(&project));
    let replacing = (Method::PUT, scene.project(&project));
    let missing = (
        Method::PUT,
        scene.path("/projects/01890a5d-ac96-774b-bcce-b302099a8057"),
    );
    let owner = scene.client();
    for (token, (method, path), status) in [
        (None, &creating, 401),
        (None, &changing, 401),
        (Some("x"), &creating, 401),
        (stranger.token(), &creating, 404),
        (stranger.token(), &changing, 404),
        (viewer.token(), &creating, 403),
        (viewer.token(), &changing, 403),
        (viewer.token(), &replacing, 403),
        (viewer.token(), &missing, 404),
        (owner.token(), &missing, 404),
        (owner.token(), &creating, 413),
        (owner.token(), &changing, 413),
    ] {
        let credentials = token
            .map(|token| format!("Authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        let mut wire = Wire::connect(scene.app.address).await;
        // The head alone: whoever waits for the body waits for ever.
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: tenantry.test\r\n{credentials}Content-Type: application/json\r\n\
             Content-Length: {HUGE}\r\n\r\n"
        );
        assert!(wire.send(head).await);
        let answer = wire.answer().await.expect("an answer");
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
        expect_client_error(&answer);
    }
    // Who sends it all the same is answered, and not listened to.
    let mut wire = Wire::connect(scene.app.address).await;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: tenantry.test\r\nContent-Type: application/json\r\nContent-Length: {HUGE}\r\n\r\n",
        scene.projects()
    );
    assert!(wire.send(head).await);
    let (answer, sent) = wire.flood(&[b' '; 65_536], HUGE).await;
    answer
        .expect("an answer")
        .expect_error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    assert!(sent < MOST_READ, "{sent} bytes were taken");
    expect_unharmed(&scene, &before).await;
}

#[tokio::test]
async fn a_mebibyte_is_the_most() {
    let scene = Scene::new().await;
    const MOST: usize = 1024 * 1024;
    let padded = |length: usize| {
        let mut body = b"{\"name\": \"Website\"}".to_vec();
        body.resize(length, b' ');
        body
    };
    create_raw(&scene, &padded(MOST)).await.expect(StatusCode::CREATED);
    let more = create_raw(&scene, &padded(MOST + 1)).await;
    more.expect_error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
    assert_eq!(scene.database.count("projects").await, 1);
    let login = json!({ "email": "x".repeat(MOST), "password": "x" });
    let answer = scene.app.client().post("/api/v1/auth/login", &login).await;
    answer.expect_error(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn thirty_two_levels_are_the_most() {
    let scene = Scene::new().await;
    // The body is the first level, its settings the second.
    let nested = |levels: usize| {
        let within = levels - 2;
        format!(
            "{{\"name\": \"x\", \"settings\": {{\"a\": {}{} }} }}",
            "[".repeat(within),
            "]".repeat(within)
        )
    };
    let deepest = create_raw(&scene, nested(32).as_bytes()).await;
    deepest.expect(StatusCode::CREATED);
    let sent: Value = serde_json::from_str(&nested(32)).unwrap();
    assert_eq!(deepest.data()["settings"], sent["settings"]);
    let before = rows(&scene).await;
    for levels in [33, 34, 127, 128, 129, 1000, 100_000] {
        let answer = create_raw(&scene, nested(levels).as_bytes()).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }
    let depth = 100_000;
    for body in [
        "[".repeat(depth),
        "{\"a\":".repeat(depth),
        format!("{}1{}", "[".repeat(depth), "]".repeat(depth)),
        format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
        "]".repeat(depth),
    ] {
        let answer = create_raw(&scene, body.as_bytes()).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
        let login = scene.app.client();
        let request = login
            .request(Method::POST, "/api/v1/auth/login")
            .header("content-type", "application/json");
        login
            .send(request.body(body))
            .await
            .expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
    }
    expect_unharmed(&scene, &before).await;
    // Brackets in a text are no levels.
    let text = json!({ "name": "[{".repeat(60), "description": "\\\"[[[".repeat(100) });
    let answer = create_raw(&scene, text.to_string().as_bytes()).await;
    assert_eq!(answer.expect(StatusCode::CREATED).data()["name"], text["name"]);
}
