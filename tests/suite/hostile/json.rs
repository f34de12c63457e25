//! Bodies that are no JSON, or odd JSON.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_tests::scene::Scene;

use super::{create_raw, expect_client_error, expect_unharmed, rows};

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let scene = Scene::new().await;
    let before = rows(&scene).await;
    let utf16: Vec<u8> = "{\"name\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [
        b"".as_slice(),
        b" ",
        b"{",
        b"}",
        b"{\"name\":}",
        b"{\"name\":\"x\"",
        b"{\"name\":\"x\"}{}",
        b"{\"name\":\"x\",}",
        b"{name:\"x\"}",
        b"{'name':'x'}",
        b"{\"name\":\"x\"} // comment",
        b"name=x",
        b"<name>x</name>",
        b"{\"name\":\"x\", \"settings\":{\"a\":NaN}}",
        b"{\"name\":\"x\", \"settings\":{\"a\":Infinity}}",
        b"{\"name\":\"x\", \"settings\":{\"a\":01}}",
        b"{\"name\":\"x\", \"settings\":{\"a\":1e999999}}",
        b"{\"name\":\"a\x00b\"}",
        b"{\"name\":\"a\nb\"}",
        b"{\"name\":\"a\xFFb\"}",
        b"{\"name\":\"a\xC0\x80b\"}",
        b"{\"name\":\"a\xED\xA0\x80b\"}",
        b"{\"na\xFFme\":\"x\"}",
        b"\xEF\xBB\xBF{\"name\":\"x\"}",
        b"\x00",
        b"\x1F\x8B\x08\x00",
        b"\"\\",
        &utf16,
    ] {
        let answer = create_raw(&scene, body).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{:?}: {}",
            String::from_utf8_lossy(body),
            answer.text
        );
        assert_eq!(
            answer.code(),
            "MALFORMED_REQUEST",
            "{:?}",
            String::from_utf8_lossy(body)
        );
        expect_client_error(&answer);
    }
    // Lone surrogates: no text at all.
    for name in ["\\ud800", "\\udfff", "a\\ud83dx", "\\ud83d\\ud83d", "\\uDC00\\uD800"] {
        for body in [
            format!("{{\"name\":\"{name}\"}}"),
            format!("{{\"name\":\"x\",\"settings\":{{\"a\":\"{name}\"}}}}"),
            format!("{{\"name\":\"x\",\"settings\":{{\"{name}\":1}}}}"),
        ] {
            expect_client_error(
                create_raw(&scene, body.as_bytes())
                    .await
                    .expect(StatusCode::BAD_REQUEST),
            );
        }
    }
    expect_unharmed(&scene, &before).await;
    // But a pair of them is a character.
    let pair = create_raw(&scene, b"{\"name\":\"\\ud83e\\udda6\"}").await;
    assert_eq!(pair.expect(StatusCode::CREATED).data()["name"], "🦦");
}

#[tokio::test]
async fn nul_and_control_characters_are_refused_wherever_they_are() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Website" })).await;
    let before = rows(&scene).await;
    for control in [
        "\u{0}", "\u{1}", "\u{8}", "\u{1b}", "\u{1f}", "\u{7f}", "\u{85}", "\u{9f}",
    ] {
        for name in [control.to_owned(), format!("a{control}b"), format!("ab{control}")] {
            let body = json!({ "name": name });
            for answer in [
                scene.client().post(&scene.projects(), &body).await,
                scene.client().post("/api/v1/organizations", &body).await,
                scene.client().patch(&scene.project(&project), &body).await,
                scene.client().put(&scene.project(&project), &body).await,
                scene.client().patch(&scene.path(""), &body).await,
                scene.client().patch("/api/v1/me", &body).await,
            ] {
                answer.expect_refused(&["/name"]);
            }
        }
        let described = json!({ "name": "x", "description": format!("a{control}") });
        scene
            .client()
            .post(&scene.projects(), &described)
            .await
            .expect_refused(&["/description"]);
    }
    // What JSON columns cannot hold: in values and in names, however deep.
    for settings in [
        json!({ "a": "\u{0}" }),
        json!({ "\u{0}": 1 }),
        json!({ "a": [{ "b": ["x\u{0}y"] }] }),
        json!({ "a": { "b\u{0}": {} } }),
    ] {
        let created = scene
            .client()
            .post(&scene.projects(), &json!({ "name": "x", "settings": settings }))
            .await;
        created.expect_refused(&["/settings"]);
        for path in [scene.project(&project), scene.path("")] {
            scene
                .client()
                .patch(&path, &json!({ "settings": settings }))
                .await
                .expect_refused(&["/settings"]);
        }
        let preferences = scene
            .client()
            .patch("/api/v1/me", &json!({ "preferences": settings }))
            .await;
        preferences.expect_refused(&["/preferences"]);
    }
    expect_unharmed(&scene, &before).await;
}

#[tokio::test]
async fn odd_json_is_no_accident() {
    let scene = Scene::new().await;
    // A name that comes twice: one of the two counts, or neither.
    let twice = create_raw(&scene, b"{\"name\":\"first\",\"name\":\"last\"}").await;
    assert!([201, 400].contains(&twice.status.as_u16()), "{}", twice.text);
    for number in [
        "18446744073709551616",
        "-9223372036854775809",
        "1e308",
        "1e-400",
        "0.1",
        "123456789012345678901234567890",
        "-0",
    ] {
        let body = format!("{{\"name\":\"x\",\"settings\":{{\"n\":{number}}}}}");
        let answer = create_raw(&scene, body.as_bytes()).await;
        assert!(
            [201, 400].contains(&answer.status.as_u16()),
            "{number}: {}",
            answer.text
        );
        if answer.status == StatusCode::CREATED {
            let found = scene.client().get(&scene.project(&answer.data())).await.data();
            assert_eq!(found["settings"], answer.data()["settings"]);
        }
    }
    // Very many unknown fields, or a very long one: told within bounds.
    let many: serde_json::Map<String, Value> = (0..20_000).map(|number| (format!("f{number}"), Value::Null)).collect();
    let answer = create_raw(&scene, Value::Object(many).to_string().as_bytes()).await;
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert!(answer.text.len() < 100_000, "{} bytes", answer.text.len());
    let long = json!({ "name": "x", "l".repeat(900_000): 1 });
    let answer = create_raw(&scene, long.to_string().as_bytes()).await;
    answer.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    assert!(answer.text.len() < 100_000, "{} bytes", answer.text.len());
    let settings = json!({ "name": "x", "settings": { "a": "x".repeat(1_000_000) } });
    let answer = create_raw(&scene, settings.to_string().as_bytes()).await;
    assert!([201, 400].contains(&answer.status.as_u16()), "{}", answer.status);
}
