//! Connections that are slow, half-closed or given up.

use reqwest::{Method, StatusCode};
use tenantry_tests::{scene::Scene, wire::Wire};

use super::{expect_client_error, expect_unharmed, head, rows};

const BODY: &str = "{\"name\":\"x\"}";

#[tokio::test]
async fn who_never_finishes_is_not_waited_for() {
    let scene = Scene::new().await;
    let before = rows(&scene).await;
    let whole = head(
        &scene,
        &Method::POST,
        &scene.projects(),
        &format!("Content-Length: {}\r\n", BODY.len()),
    );
    let mut head_only_half = Wire::connect(scene.app.address).await;
    let mut body_only_half = Wire::connect(scene.app.address).await;
    assert!(head_only_half.send(&whole.as_bytes()[..whole.len() / 2]).await);
    assert!(body_only_half.send(format!("{whole}{}", &BODY[..5])).await);
    // Many of them keep nobody else from being served.
    let mut many = Vec::new();
    for _ in 0..50 {
        let mut wire = Wire::connect(scene.app.address).await;
        assert!(wire.send(format!("{whole}{{")).await);
        many.push(wire);
    }
    expect_unharmed(&scene, &before).await;
    drop(many);
    let (head_answer, body_answer) = tokio::join!(head_only_half.answer(), body_only_half.answer());
    if let Some(answer) = head_answer {
        answer.expect(StatusCode::REQUEST_TIMEOUT);
    }
    expect_client_error(&body_answer.expect("an answer"));
    expect_unharmed(&scene, &before).await;
}

#[tokio::test]
async fn who_stops_in_the_middle_has_done_nothing() {
    let scene = Scene::new().await;
    let before = rows(&scene).await;
    let announced = |length: usize| {
        head(
            &scene,
            &Method::POST,
            &scene.projects(),
            &format!("Idempotency-Key: k\r\nContent-Length: {length}\r\n"),
        )
    };
    // Half a head, half a body, a whole document in half a body; then no more, or gone.
    let whole = announced(BODY.len());
    let parts = [
        whole[..whole.len() / 2].to_owned(),
        whole.clone(),
        format!("{whole}{}", &BODY[..5]),
        format!("{}{BODY}", announced(BODY.len() + 10)),
        format!(
            "{}B\r\n{BODY}",
            head(
                &scene,
                &Method::POST,
                &scene.projects(),
                "Transfer-Encoding: chunked\r\n"
            )
        ),
    ];
    for part in &parts {
        let mut wire = Wire::connect(scene.app.address).await;
        assert!(wire.send(part).await);
        wire.finish_sending().await;
        if let Some(answer) = wire.answer().await {
            expect_client_error(&answer);
        }
        let mut wire = Wire::connect(scene.app.address).await;
        assert!(wire.send(part).await);
        drop(wire);
    }
    expect_unharmed(&scene, &before).await;

    // Who says all there is to say, and no more after, is answered.
    let mut wire = Wire::connect(scene.app.address).await;
    assert!(wire.send(format!("{whole}{BODY}")).await);
    wire.finish_sending().await;
    if let Some(answer) = wire.answer().await {
        answer.expect(StatusCode::CREATED);
    }
}

#[tokio::test]
async fn requests_on_one_connection_do_not_run_into_each_other() {
    let scene = Scene::new().await;
    let create = head(
        &scene,
        &Method::POST,
        &scene.projects(),
        &format!("Content-Length: {}\r\n", BODY.len()),
    );
    let read = format!(
        "GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        scene.client().token().unwrap()
    );
    let anyone = "GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut wire = Wire::connect(scene.app.address).await;
    // All at once, and answered in their order; the last has no credentials of those before.
    assert!(wire.send(format!("{create}{BODY}{read}{create}{BODY}{anyone}")).await);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(wire.answer().await.expect("an answer").status.as_u16());
    }
    assert_eq!(statuses, [201, 200, 201, 401]);
    // Byte by byte is slow, and no error.
    let mut wire = Wire::connect(scene.app.address).await;
    for byte in format!("{create}{BODY}").bytes() {
        assert!(wire.send([byte]).await);
        tokio::task::yield_now().await;
    }
    wire.answer().await.expect("an answer").expect(StatusCode::CREATED);
    assert_eq!(scene.database.count("projects").await, 3);
}
