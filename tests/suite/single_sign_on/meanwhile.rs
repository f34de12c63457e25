//! A demand that is made in the middle of a request: what holds then is what counts.

use reqwest::StatusCode;
use serde_json::json;
use tenantry_tests::{
    client::{Account, Answer},
    dns_server::DnsServer,
    identity_provider::IdentityProvider,
    scene::Scene,
};
use tokio::task::JoinHandle;

use super::{House, settings};
use crate::{
    domains,
    hold::{Hold, held_up},
};

/// The same as a scene, for those who wait in it, beside who must go on answering.
async fn into_scene(house: House) -> (Scene, DnsServer, IdentityProvider) {
    let workspace = house.office.owner.default_workspace(&house.office.id).await;
    let scene = Scene {
        app: house.stage.app,
        owner: house.office.owner,
        organization: house.office.id,
        workspace,
        database: house.stage.database,
    };
    (scene, house.dns, house.provider)
}

/// A project that is being created by a member, and waits.
async fn creating(scene: &Scene, member: &Account) -> JoinHandle<Answer> {
    let (client, path) = (member.client.clone(), scene.projects());
    let request = async move { client.post(&path, &json!({ "name": "Late" })).await };
    held_up(scene, 1, request).await
}

/// Panics where something was done that was not to be.
#[track_caller]
fn expect_undone(answer: &Answer) {
    match answer.status {
        StatusCode::FORBIDDEN => answer.expect_error(StatusCode::FORBIDDEN, "SSO_REQUIRED"),
        _ => answer.expect_error(StatusCode::CONFLICT, "CONFLICT"),
    };
    if answer.status == StatusCode::CONFLICT {
        assert_eq!(answer.reason(), "rights_changed", "{}", answer.text);
    }
}

async fn expect_nothing_created(scene: &Scene) {
    assert_eq!(scene.database.count("projects").await, 0);
    assert_eq!(scene.database.count("events where type = 'project.created'").await, 0);
}

#[tokio::test]
async fn a_write_that_waits_while_the_connection_is_demanded_is_none() {
    let house = House::new().await;
    let member = house.employee("member").await;
    let (scene, _dns, provider) = into_scene(house).await;
    let hold = Hold::begin(&scene, "lock table projects in exclusive mode").await;
    let creating = creating(&scene, &member).await;
    let demanded = settings(&provider, json!({ "ssoRequired": true }));
    let demanded = scene.client().put(&scene.path("/sso"), &demanded).await;
    demanded.expect(StatusCode::OK);
    hold.end().await;
    expect_undone(&creating.await.unwrap());
    expect_nothing_created(&scene).await;
}

#[tokio::test]
async fn a_write_that_waits_while_the_domain_of_its_author_is_proven_is_none() {
    let house = House::new().await;
    house.demand().await;
    let member = house.somebody_of("second.example").await;
    house.join(&member, "member").await;
    let added = domains::add(house.office.client(), &house.office.id, "second.example").await;
    let domain = added.expect(StatusCode::CREATED).data();
    let (scene, dns, _provider) = into_scene(house).await;
    domains::show(&dns, &domain);
    let hold = Hold::begin(&scene, "lock table projects in exclusive mode").await;
    let creating = creating(&scene, &member).await;
    let verified = domains::verify(scene.client(), &scene.organization, &domain).await;
    verified.expect(StatusCode::OK);
    hold.end().await;
    expect_undone(&creating.await.unwrap());
    expect_nothing_created(&scene).await;
}

/// A change of the policy that waits in the same line comes first or after.
#[tokio::test]
async fn a_change_of_oneself_comes_before_the_demand_or_is_none() {
    for first in [true, false] {
        let house = House::new().await;
        let member = house.somebody_of(super::DOMAIN).await;
        let membership = house.join(&member, "viewer").await;
        let (scene, _dns, provider) = into_scene(house).await;
        let lock = format!(
            "select 1 from organizations where id = '{}' for update",
            scene.organization
        );
        let hold = Hold::begin(&scene, &lock).await;
        let demanding = {
            let (client, path) = (scene.client().clone(), scene.path("/sso"));
            let body = settings(&provider, json!({ "ssoRequired": true }));
            async move { client.put(&path, &body).await }
        };
        let changing = {
            let (client, path) = (member.client.clone(), membership.clone());
            async move { client.patch(&path, &json!({ "name": "Changed" })).await }
        };
        let (demanding, changing) = if first {
            let changing = held_up(&scene, 1, changing).await;
            (held_up(&scene, 2, demanding).await, changing)
        } else {
            let demanding = held_up(&scene, 1, demanding).await;
            (demanding, held_up(&scene, 2, changing).await)
        };
        hold.end().await;
        demanding.await.unwrap().expect(StatusCode::OK);
        let changed = changing.await.unwrap();
        if first {
            assert_eq!(changed.expect(StatusCode::OK).data()["name"], "Changed");
        } else {
            expect_undone(&changed);
        }
        let updates = scene.database.count("events where type = 'member.updated'").await;
        assert_eq!(updates, i64::from(first));
    }
}
