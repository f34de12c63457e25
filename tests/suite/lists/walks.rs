//! A walk by cursor sees whatever was there throughout once, whoever writes meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use reqwest::StatusCode;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor as _};
use tenantry_tests::{
    client::{Client, text},
    database::connect,
    scene::Scene,
};

/// How many projects are there throughout.
const LASTING: usize = 60;

/// How many walks there are, each with an order and a page size of its own.
const WALKS: usize = 12;

/// Some of the fields in some order, each ascending or descending; and how many entries a page has.
fn walk() -> impl Strategy<Value = (String, usize, bool)> {
    let fields = Just(["name", "createdAt", "updatedAt"]).prop_shuffle();
    (fields, 1..=3_usize, any::<[bool; 3]>(), 2..=25_usize, any::<bool>()).prop_map(
        |(fields, count, descending, page_size, plain_start)| {
            let keys = fields.iter().zip(descending).take(count);
            let keys: Vec<_> = keys
                .map(|(field, down)| format!("{}{field}", if down { "-" } else { "" }))
                .collect();
            (keys.join(","), page_size, plain_start)
        },
    )
}

/// Statement that adds projects, alike in all but a few names and moments, so that every key has ties.
fn add(scene: &Scene, count: u64, seed: u64) -> String {
    format!(
        "insert into projects (organization_id, id, workspace_id, name, slug, created_by, created_at, updated_at)
         select '{}', gen_random_uuid(), '{}', substr('abcde', 1 + (h % 5)::int, 1), 's-' || '{seed}-' || i, '{}',
                timestamptz '2026-01-31 09:30:00Z' + (h / 5 % 4) * interval '1 ms',
                timestamptz '2026-01-31 09:30:00Z' + (h / 20 % 3) * interval '1 ms'
         from (select i, abs(hashint8extended(i, {seed})) % 1000 as h from generate_series(1, {count}) i) rows",
        scene.organization, scene.workspace, scene.owner.user_id
    )
}

/// Walks to the end, and gives the entries in the order that they came in.
async fn walked(client: &Client, first: &str, path: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut list = client.get(first).await;
    for _ in 0..1000 {
        list.expect(StatusCode::OK);
        let json = list.json();
        entries.extend(json["data"].as_array().unwrap().clone());
        match &json["meta"]["nextCursor"] {
            Value::Null => return entries,
            cursor => {
                let next = format!("{path}&cursor={}", text(cursor));
                list = client.get(&next).await;
                assert_eq!(list.json()["meta"]["total"], Value::Null, "a walk counts nothing");
            }
        }
    }
    panic!("a walk without an end: {path}");
}

/// Panics where entries are not in the order that was asked for, the id last.
#[track_caller]
fn expect_order(entries: &[Value], sort: &str) {
    for pair in entries.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let unequal = sort.split(',').map(|key| {
            let (field, down) = key.strip_prefix('-').map_or((key, false), |field| (field, true));
            let order = text(&before[field]).cmp(&text(&after[field]));
            if down { order.reverse() } else { order }
        });
        let order = unequal.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then);
        assert!(order.is_le(), "by {sort}: {before} before {after}");
    }
}

#[tokio::test]
async fn nothing_that_was_there_throughout_is_lost_or_repeated() {
    let scene = Scene::new().await;
    scene.database.owner(add(&scene, LASTING as u64, 1)).await;
    let client = scene.client();
    let path = scene.path("/projects");
    let lasting: BTreeSet<String> = walked(client, &format!("{path}?pageSize=100"), &format!("{path}?pageSize=100"))
        .await
        .iter()
        .map(|entry| text(&entry["id"]))
        .collect();
    assert_eq!(lasting.len(), LASTING);

    let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(2)));
    let writer = {
        let mut connection = connect(scene.database.owner_url()).await;
        let (stop, rounds) = (Arc::clone(&stop), Arc::clone(&rounds));
        let statements: Vec<String> = (2..12).map(|seed| add(&scene, 7, seed)).collect();
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                let round = usize::try_from(rounds.fetch_add(1, Ordering::SeqCst)).unwrap();
                let seed = round % statements.len() + 2;
                // What the same round of before has added goes, then comes again with other ids.
                let statement = format!(
                    "delete from projects where slug like 's-{seed}-%'; {}",
                    statements[seed - 2]
                );
                connection.execute(AssertSqlSafe(statement)).await.unwrap();
            }
        })
    };
    let mut runner = TestRunner::deterministic();
    let mut passing = 0;
    for _ in 0..WALKS {
        let (sort, page_size, plain_start) = walk().new_tree(&mut runner).unwrap().current();
        let path = format!("{path}?sort={sort}&pageSize={page_size}");
        let first = if plain_start {
            path.clone()
        } else {
            format!("{path}&cursor=")
        };
        let before = rounds.load(Ordering::SeqCst);
        let entries = walked(client, &first, &path).await;
        assert!(rounds.load(Ordering::SeqCst) > before, "nobody wrote meanwhile");
        expect_order(&entries, &sort);
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for entry in &entries {
            *times.entry(text(&entry["id"])).or_default() += 1;
        }
        for (id, times) in &times {
            assert_eq!(*times, 1, "{id} by {sort}, {page_size} a page");
        }
        let lost: Vec<_> = lasting.iter().filter(|id| !times.contains_key(*id)).collect();
        assert!(lost.is_empty(), "{lost:?} by {sort}, {page_size} a page");
        passing += times.len() - lasting.len();
    }
    stop.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    assert!(passing > 0, "nothing of what came and went was ever seen");
}

#[tokio::test]
async fn numbered_pages_and_cursors_tell_the_same() {
    let scene = Scene::new().await;
    scene.database.owner(add(&scene, 45, 1)).await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..4 {
        let (sort, page_size, _) = walk().new_tree(&mut runner).unwrap().current();
        let path = scene.path(&format!("/projects?sort={sort}&pageSize={page_size}"));
        let by_cursor = walked(scene.client(), &format!("{path}&cursor="), &path).await;
        let mut by_number = Vec::new();
        for page in 1.. {
            let list = scene.client().get(&format!("{path}&page={page}")).await.json();
            assert_eq!(list["meta"]["total"], 45);
            assert_eq!(list["meta"]["page"], page);
            assert_eq!(list["meta"]["pageSize"], page_size);
            let entries = list["data"].as_array().unwrap().clone();
            let full = entries.len() == page_size;
            by_number.extend(entries);
            assert_eq!(list["meta"]["nextCursor"].is_null(), by_number.len() == 45);
            if !full || by_number.len() == 45 {
                break;
            }
        }
        assert_eq!(by_cursor, by_number, "{sort}");
    }
    let beyond = scene.client().get(&scene.path("/projects?page=99")).await;
    assert_eq!(beyond.expect(StatusCode::OK).data(), serde_json::json!([]));
}

/// A cursor tells a name from a moment, whatever the name is.
#[tokio::test]
async fn a_name_that_looks_like_a_moment_is_a_name() {
    let scene = Scene::new().await;
    let names = [
        "2026-01-31T09:30:00Z",
        "2026-01-31T09:30:00.123Z",
        "1970-01-01T00:00:00+00:00",
        "0",
    ];
    for name in names {
        scene.create_project(&serde_json::json!({ "name": name })).await;
    }
    let path = format!("{}?pageSize=1&sort=name", scene.path("/projects"));
    let walked = walked(scene.client(), &format!("{path}&cursor="), &path).await;
    let mut found: Vec<_> = walked.iter().map(|project| text(&project["name"])).collect();
    found.sort_unstable();
    let mut expected = names.map(str::to_owned);
    expected.sort_unstable();
    assert_eq!(found, expected);
}
