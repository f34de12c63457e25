//! What an owner leaves behind that was killed.

use std::io::{BufRead as _, BufReader};

use super::*;

/// The arguments by which a test program runs one test of this module.
pub(super) fn only(name: &str) -> [String; 3] {
    [
        "--exact".to_owned(),
        format!("embedded_postgres::tests::{name}"),
        "--nocapture".to_owned(),
    ]
}

const DATA_DIR: &str = "TENANTRY_TEST_HOLD_DATA_DIR";

/// The process that [`killing_the_owner_loses_nothing_and_leaves_no_server`] kills; passes by itself at once.
#[tokio::test]
async fn the_owner_that_is_killed() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the way by which one test talks to the process that it starts"
    )]
    let Some(data_dir) = std::env::var_os(DATA_DIR) else {
        return;
    };
    let server = start(durable(data_dir)).await.unwrap();
    write_row(&server).await;
    fs::write("/dev/stderr", "holding\n").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn killing_the_owner_loses_nothing_and_leaves_no_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(only("leftovers::the_owner_that_is_killed"))
        .env(DATA_DIR, dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(owner.stderr.take().unwrap()).lines();
    assert!(
        said.any(|line| line.unwrap() == "holding"),
        "the owner got as far as holding a server"
    );
    owner.kill().unwrap();
    owner.wait().unwrap();

    ended(dir.path()).await;
    let server = start(durable(dir.path())).await.unwrap();
    assert!(row_is_there(&server).await);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_an_owner_is_stopped_first() {
    let dir = tempfile::tempdir().unwrap();
    let settings = durable(dir.path());
    let server = start(settings.clone()).await.unwrap();
    write_row(&server).await;
    server.stop().await.unwrap();

    // A server that nobody holds: started without keeping the folder's lock.
    let folder = Folder::open(dir.path()).unwrap();
    let orphan = EmbeddedPostgres::launch(&folder, &settings, super::super::free_port().unwrap()).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    assert!(matches!(
        orphan.ready(&folder.cluster(), deadline).await.unwrap(),
        Readiness::Ready
    ));
    let before = running(dir.path());
    drop(folder);

    let said = std::sync::Mutex::new(Vec::new());
    let told = |step: &str| said.lock().unwrap().push(step.to_owned());
    let server = EmbeddedPostgres::start(settings, &SystemSource::environment(), told)
        .await
        .unwrap();
    assert!(
        said.lock()
            .unwrap()
            .iter()
            .any(|step| step.contains(&before.to_string())),
        "{said:?}"
    );
    assert_ne!(running(dir.path()), before);
    assert!(row_is_there(&server).await);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_crashed_server_is_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(durable(dir.path())).await.unwrap();
    write_row(&server).await;
    kill(running(dir.path()), Signal::SIGKILL).unwrap();
    let died = tokio::time::timeout(Duration::from_secs(20), server.died())
        .await
        .unwrap();
    assert!(matches!(died, EmbeddedPostgresError::Died { .. }), "{died}");
    drop(server);

    let server = start(durable(dir.path())).await.unwrap();
    assert!(row_is_there(&server).await);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_harms_nobody() {
    let dir = tempfile::tempdir().unwrap();
    start(settings(dir.path())).await.unwrap().stop().await.unwrap();
    let file = dir.path().join("database/cluster/postmaster.pid");
    // The number of a process that has nothing to do with it, which would keep PostgreSQL from starting; and nothing
    // at all, as after a loss of power.
    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    for content in [
        format!("{}\n/elsewhere\n1\n5432\n\n\n\nready\n", bystander.id()),
        String::new(),
    ] {
        fs::write(&file, content).unwrap();
        start(settings(dir.path())).await.unwrap().stop().await.unwrap();
    }
    assert!(bystander.try_wait().unwrap().is_none(), "the bystander still runs");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[tokio::test]
async fn a_cluster_that_was_never_finished_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    drop(Folder::open(dir.path()).unwrap());
    let unfinished = dir.path().join("database/unfinished-0123456789abcdef");
    fs::create_dir_all(unfinished.join("base")).unwrap();
    fs::write(unfinished.with_extension("password"), "secret").unwrap();

    let server = start(settings(dir.path())).await.unwrap();
    assert_eq!(fs::read_dir(dir.path().join("database")).unwrap().count(), 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_server_stops() {
    let dir = tempfile::tempdir().unwrap();
    drop(start(settings(dir.path())).await.unwrap());
    ended(dir.path()).await;
}

#[test]
fn a_server_outlives_the_runtime_that_started_it() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let server = runtime().block_on(start(settings(dir.path()))).unwrap();
    runtime().block_on(write_row(&server));
    runtime().block_on(server.stop()).unwrap();
}
