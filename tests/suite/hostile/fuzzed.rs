//! What the fuzzers have found, each as the request that found it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_tests::scene::Scene;

/// Numbers that the database writes down in full, and that an inexact reader then takes for too great or for their
/// neighbour: one project of these made every list with it fail.
#[tokio::test]
async fn numbers_of_settings_are_read_as_they_were_stored() {
    let scene = Scene::new().await;
    let numbers = json!([
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        1.797_693_134_862_315_4e308,
        0.1,
        2.225_073_858_507_201e-308,
        9_007_199_254_740_993_i64,
        u64::MAX,
        -73.045_193_786_219_48,
        5.895_162_518_728_763e-245,
        1e16,
        1.0,
    ]);
    let numbers = numbers.as_array().unwrap();
    // One by one, since a few of them fill the settings.
    for number in numbers {
        let project = scene
            .create_project(&json!({ "name": "Numbers", "settings": { "number": number } }))
            .await;
        let read = scene.client().get(&scene.project(&project)).await;
        read.expect(StatusCode::OK);
        assert_eq!(read.data()["settings"]["number"].as_f64(), number.as_f64(), "{number}");
    }
    let all = scene.client().get(&scene.projects()).await;
    all.expect(StatusCode::OK);
    assert_eq!(all.data().as_array().map(Vec::len), Some(numbers.len()));
}

/// A zero behind the point is stored, and counts.
#[tokio::test]
async fn settings_are_bounded_by_what_is_stored_of_them() {
    let scene = Scene::new().await;
    let project = scene.create_project(&json!({ "name": "Zeros" })).await;
    let zeros = json!({ "settings": { "zeros": vec![0.0; 5000] } });
    let refused = scene.client().patch(&scene.project(&project), &zeros).await;
    refused.expect_refused(&["/settings"]);
}

#[tokio::test]
async fn tags_of_another_than_the_documented_length_are_refused() {
    let scene = Scene::new().await;
    let path = scene.project(&scene.create_project(&json!({ "name": "Tagged" })).await);
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        for (length, fits) in [(0, false), (1, true), (255, true), (256, false)] {
            let request = scene.client().request(method.clone(), &path);
            let request = request
                .header("If-Match", "0".repeat(length))
                .json(&json!({ "name": "Tagged" }));
            let answer = scene.client().send(request).await;
            assert_eq!(answer.status == StatusCode::BAD_REQUEST, !fits, "{method} {length}");
            if !fits {
                answer.expect_error(StatusCode::BAD_REQUEST, "MALFORMED_REQUEST");
                let location = &answer.json()["error"]["details"]["location"];
                assert_eq!(location, &Value::from("header.If-Match"));
            }
        }
    }
}

#[tokio::test]
async fn refresh_tokens_beyond_their_documented_length_are_refused() {
    let scene = Scene::new().await;
    for path in ["/api/v1/auth/logout", "/api/v1/auth/refresh"] {
        let token = json!({ "refreshToken": "t".repeat(1001) });
        let refused = scene.client().anonymous().post(path, &token).await;
        refused.expect_refused(&["/refreshToken"]);
    }
}
