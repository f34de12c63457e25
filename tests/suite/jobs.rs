//! Jobs: taken by one worker at a time, tried again, given up, and never lost.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing test should stop where it fails"
)]

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_domain::jobs::JobOwner;
use tenantry_services::jobs::DueJob;
use tenantry_tests::{
    app::{Options, TestApp},
    client::{PASSWORD, text},
    database::TestDatabase,
};

/// An application with a job that nobody has taken yet.
async fn with_a_job(options: Options) -> (TestDatabase, TestApp, DueJob) {
    let database = TestDatabase::new().await;
    let app = TestApp::with(&database, options).await;
    app.clock.stop();
    app.client().register("Ann", None).await;
    let due = app.services.due_jobs(10).await.unwrap();
    assert_eq!(due.len(), 1);
    let job = due[0];
    (database, app, job)
}

#[tokio::test]
async fn a_job_is_one_workers_until_its_lease_ends() {
    let (database, app, job) = with_a_job(Options::default()).await;
    let (one, two) = tokio::join!(app.services.take_job(job), app.services.take_job(job));
    let taken: Vec<_> = [one, two].into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken.len(), 1);
    assert!(app.services.due_jobs(10).await.unwrap().is_empty());

    // Whoever had it was killed: it is another's when the lease ends, and not before.
    app.clock.advance(TimeDelta::seconds(59));
    assert!(app.services.due_jobs(10).await.unwrap().is_empty());
    app.clock.advance(TimeDelta::seconds(1));
    let again = app.services.take_job(job).await.unwrap().unwrap();
    assert_eq!(again.attempts, 2);

    // One that was too slow ends nothing of what is another's now.
    let slow = taken.into_iter().next().unwrap();
    app.services.do_job(slow).await.unwrap();
    assert_eq!(database.count("user_jobs where lease is not null").await, 1);
    app.services.do_job(again).await.unwrap();
    assert_eq!(database.count("user_jobs").await, 0);
}

#[tokio::test]
async fn a_job_that_fails_is_tried_again_later_each_time_and_given_up_after_a_day() {
    let database = TestDatabase::new().await;
    let options = Options {
        mail: false,
        ..Options::default()
    };
    let app = TestApp::with(&database, options).await;
    app.clock.stop();
    let ann = app.client().register("Ann", None).await;
    // What tells of something, which is as good to know tomorrow: a link would expire meanwhile.
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "another phrase, just as long" });
    ann.client
        .put("/api/v1/auth/password", &change)
        .await
        .expect(StatusCode::OK);
    database
        .superuser("delete from user_jobs where kind = 'mail_verification'; update users set email_verified_at = now()")
        .await;
    let mut waited = Vec::new();
    for _ in 0..5 {
        app.work().await;
        assert_eq!(
            database
                .count("user_jobs where lease is null and last_error = 'no mail server is configured'")
                .await,
            1
        );
        let mut seconds = 0;
        while app.services.due_jobs(10).await.unwrap().is_empty() {
            app.clock.advance(TimeDelta::seconds(1));
            seconds += 1;
        }
        waited.push(seconds);
    }
    assert!((5..=8).contains(&waited[0]), "{waited:?}");
    assert!(waited.is_sorted(), "{waited:?}");
    assert!(waited[4] >= 80, "{waited:?}");

    app.clock.advance(TimeDelta::hours(24));
    app.work().await;
    assert_eq!(database.count("user_jobs where dead_at is not null").await, 1);
    app.clock.advance(TimeDelta::days(30));
    assert!(app.services.due_jobs(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_job_that_nobody_came_back_from_is_given_up_after_a_day() {
    let (database, app, job) = with_a_job(Options::default()).await;
    for _ in 0..3 {
        // Whoever takes it is killed by it.
        app.services.take_job(job).await.unwrap().unwrap();
        app.clock.advance(TimeDelta::hours(9));
    }
    let taken = app.services.take_job(job).await.unwrap().unwrap();
    app.services.do_job(taken).await.unwrap();
    assert_eq!(database.count("user_jobs where dead_at is not null").await, 1);
    assert!(app.mails().await.is_empty());
}

#[tokio::test]
async fn what_is_rolled_back_leaves_no_job() {
    let (database, app, _) = with_a_job(Options::default()).await;
    let taken = json!({
        "email": "ann@example.com", "password": PASSWORD, "name": "Ann"
    });
    let client = app.client();
    for _ in 0..2 {
        client.post("/api/v1/auth/register", &taken).await;
    }
    assert_eq!(database.count("users").await, 2);
    assert_eq!(database.count("user_jobs").await, 2);
}

#[tokio::test]
async fn a_job_of_a_kind_that_is_not_known_yet_waits_for_a_newer_version() {
    let (database, app, job) = with_a_job(Options::default()).await;
    database.superuser("update user_jobs set kind = 'of_the_future'").await;
    let taken = app.services.take_job(job).await.unwrap().unwrap();
    assert!(taken.job.is_none());
    app.services.do_job(taken).await.unwrap();
    assert_eq!(
        database
            .count("user_jobs where dead_at is null and last_error like '%not known to this version%'")
            .await,
        1
    );
    assert!(app.mails().await.is_empty());
}

#[tokio::test]
async fn the_jobs_that_waited_longest_come_first_and_no_more_than_asked_for() {
    let (_database, app, first) = with_a_job(Options::default()).await;
    for number in 0..4 {
        app.clock.advance(TimeDelta::seconds(1));
        app.client().register(&format!("Ann {number}"), None).await;
    }
    let due = app.services.due_jobs(3).await.unwrap();
    assert_eq!((due.len(), due[0]), (3, first));
}

#[tokio::test]
async fn a_job_of_an_organization_is_that_ones_alone_by_either_wall() {
    let database = TestDatabase::new().await;
    let shipped = TestApp::start(&database).await;
    let client = shipped.client();
    let (mut organizations, mut invitation) = (Vec::new(), String::new());
    for name in ["Ann", "Ben"] {
        let owner = client.register(name, Some(name)).await;
        organizations.push(owner.organization().await);
        if name == "Ben" {
            let path = format!("/api/v1/organizations/{}/members/invite", organizations[1]);
            let invited = owner
                .client
                .post(&path, &json!({ "email": "eve@example.com", "role": "viewer" }))
                .await;
            invitation = text(&invited.expect(StatusCode::CREATED).data()["id"]);
        }
    }
    database.owner("delete from organization_jobs").await;
    let id = "0192f8a0-0000-7000-8000-000000000001";
    let open = TestApp::without_row_level_security(&database, |database| database);
    for app in [&shipped, &open] {
        for organization in &organizations {
            database
                .owner(format!(
                    "insert into organization_jobs (organization_id, id, kind, payload, trace_id, due_at, created_at)
                     values ('{organization}', '{id}', 'of_the_future', '{{}}', repeat('a', 32), now(), now())"
                ))
                .await;
        }
        let job = DueJob {
            owner: JobOwner::Organization(organizations[0].parse().unwrap()),
            id: id.parse().unwrap(),
        };
        let taken = app.services.take_job(job).await.unwrap().unwrap();
        let untouched = format!(
            "organization_jobs where organization_id = '{}' and attempts = 0",
            organizations[1]
        );
        assert_eq!(database.count(&untouched).await, 1);
        app.services.do_job(taken).await.unwrap();
        assert_eq!(database.count(&untouched).await, 1);
        assert_eq!(
            database.count("organization_jobs where last_error is not null").await,
            1
        );
        // What it names is looked for in that organization alone, too.
        database
            .owner(format!(
                "update organization_jobs
                 set kind = 'mail_invitation', payload = '{{\"invitation\": \"{invitation}\"}}', due_at = now()"
            ))
            .await;
        let taken = app.services.take_job(job).await.unwrap().unwrap();
        app.services.do_job(taken).await.unwrap();
        assert_eq!(database.count("organization_jobs").await, 1);
        database.owner("delete from organization_jobs").await;
        let mails = app.mails().await;
        assert!(mails.iter().all(|mail| mail.to != "eve@example.com"));
    }
}
