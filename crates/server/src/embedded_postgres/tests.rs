use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use secrecy::ExposeSecret as _;
use sqlx::{Connection as _, PgConnection};

use super::{
    Durability, EmbeddedPostgres, EmbeddedPostgresError, Settings, folder::Folder, pid_file::PidFile,
    postmaster::Readiness,
};
use crate::{
    programs::{Places, PostgresPrograms},
    system::SystemSource,
};

mod leftovers;
mod privileges;

fn settings(data_dir: impl Into<PathBuf>) -> Settings {
    #[expect(
        clippy::disallowed_methods,
        reason = "`cargo xtask test` tells by it which programs it has found"
    )]
    let (configured, path) = (std::env::var_os("TENANTRY_POSTGRES_BIN"), std::env::var_os("PATH"));
    let configured = configured.as_ref().map(Path::new);
    let programs = PostgresPrograms::find(Places {
        configured,
        path: path.as_deref(),
        root: Path::new("/"),
    })
    .unwrap();
    Settings {
        programs,
        data_dir: data_dir.into(),
        durability: Durability::Ephemeral,
        max_connections: 10,
    }
}

fn durable(data_dir: impl Into<PathBuf>) -> Settings {
    Settings {
        durability: Durability::Durable,
        ..settings(data_dir)
    }
}

async fn start(settings: Settings) -> Result<EmbeddedPostgres, EmbeddedPostgresError> {
    EmbeddedPostgres::start(settings, &SystemSource::environment(), |_| {}).await
}

async fn connect(server: &EmbeddedPostgres) -> PgConnection {
    PgConnection::connect(server.superuser_url("postgres").expose_secret())
        .await
        .unwrap()
}

/// Commits a row that [`row_is_there`] looks for.
async fn write_row(server: &EmbeddedPostgres) {
    let mut connection = connect(server).await;
    sqlx::raw_sql("create table kept (value int); insert into kept values (42)")
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn row_is_there(server: &EmbeddedPostgres) -> bool {
    let rows: Vec<i32> = sqlx::query_scalar("select value from kept")
        .fetch_all(&mut connect(server).await)
        .await
        .unwrap();
    rows == [42]
}

async fn shown(server: &EmbeddedPostgres, setting: &'static str) -> String {
    sqlx::query_scalar("select current_setting($1)")
        .bind(setting)
        .fetch_one(&mut connect(server).await)
        .await
        .unwrap()
}

fn running(data_dir: &Path) -> Pid {
    Pid::from_raw(PidFile::read(&data_dir.join("database/cluster")).unwrap().unwrap().pid)
}

/// Waits until the server on `data_dir` has removed its `postmaster.pid`, its last deed.
async fn ended(data_dir: &Path) {
    let file = data_dir.join("database/cluster/postmaster.pid");
    let gone = async {
        while file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_second_start() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("new/folders/postgres");
    let server = start(settings(&data_dir)).await.unwrap();
    write_row(&server).await;
    server.stop().await.unwrap();
    assert!(
        !data_dir.join("database/cluster/postmaster.pid").exists(),
        "the server is gone when stop returns"
    );

    let server = start(settings(&data_dir)).await.unwrap();
    assert!(row_is_there(&server).await);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn durability_is_what_was_asked_for_whatever_the_configuration_file_says() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(settings(dir.path())).await.unwrap();
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert_eq!(shown(&server, setting).await, "off", "{setting}");
    }
    assert_eq!(shown(&server, "max_connections").await, "10");
    assert_eq!(shown(&server, "server_encoding").await, "UTF8");
    sqlx::raw_sql("alter system set fsync = off")
        .execute(&mut connect(&server).await)
        .await
        .unwrap();
    server.stop().await.unwrap();

    let server = start(durable(dir.path())).await.unwrap();
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        assert_eq!(shown(&server, setting).await, "on", "{setting}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_owner_is_refused_and_told_who_the_first_is() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(settings(dir.path())).await.unwrap();
    let refused = start(settings(dir.path())).await.unwrap_err();
    let EmbeddedPostgresError::InUse { holder, .. } = &refused else {
        panic!("{refused}")
    };
    assert_eq!(*holder, format!("process {}", std::process::id()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_password_is_kept_from_logs_and_from_other_users() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(settings(dir.path())).await.unwrap();
    let password = fs::read_to_string(dir.path().join("superuser-password")).unwrap();
    assert!(
        server
            .superuser_url("postgres")
            .expose_secret()
            .contains(password.trim_end())
    );
    assert!(!format!("{server:?}").contains(password.trim_end()));
    for (path, mode) in [
        ("superuser-password", 0o600),
        ("postgres.log", 0o600),
        ("database", 0o700),
    ] {
        assert_eq!(
            fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777,
            mode,
            "{path}"
        );
    }
    let left = fs::read_dir(dir.path().join("database")).unwrap().count();
    assert_eq!(
        left, 1,
        "nothing but the cluster stays behind, the password that initdb read least of all"
    );

    let wrong = format!("postgres://postgres:wrong@127.0.0.1:{}/postgres", server.port());
    let refused = PgConnection::connect(&wrong).await.unwrap_err().to_string();
    assert!(refused.contains("password authentication failed"), "{refused}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_socket_is_offered_where_clients_can_name_it() {
    let dir = tempfile::tempdir().unwrap();
    for (data_dir, named) in [
        (dir.path().join("short"), true),
        (dir.path().join("long".repeat(20)), false),
    ] {
        let server = start(settings(&data_dir)).await.unwrap();
        assert_eq!(server.socket_dir().is_some(), named, "{}", data_dir.display());
        if let Some(folder) = server.socket_dir() {
            let url = format!("postgres://localhost/postgres?host={}", folder.display());
            let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
            let password = fs::read_to_string(data_dir.join("superuser-password")).unwrap();
            let options = options
                .username("postgres")
                .password(password.trim_end())
                .port(server.port());
            PgConnection::connect_with(&options).await.unwrap();
        }
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_ends_by_itself_is_reported_with_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(settings(dir.path())).await.unwrap();
    kill(running(dir.path()), Signal::SIGQUIT).unwrap();
    let died = tokio::time::timeout(Duration::from_secs(20), server.died())
        .await
        .unwrap();
    assert!(died.to_string().contains("immediate shutdown"), "{died}");
}

#[tokio::test]
async fn a_server_that_does_not_start_is_reported_with_its_log() {
    let dir = tempfile::tempdir().unwrap();
    start(settings(dir.path())).await.unwrap().stop().await.unwrap();
    let configuration = dir.path().join("database/cluster/postgresql.conf");
    fs::write(&configuration, "no_such_setting = 1\n").unwrap();
    let refused = start(settings(dir.path())).await.unwrap_err();
    assert!(matches!(refused, EmbeddedPostgresError::NotStarted { .. }), "{refused}");
    assert!(refused.to_string().contains("no_such_setting"), "{refused}");
}

#[tokio::test]
async fn a_program_that_fails_is_reported_with_what_it_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings(dir.path().join("data"));
    settings.programs.folder = dir.path().join("nowhere");
    let refused = start(settings).await.unwrap_err().to_string();
    assert!(refused.contains("nowhere/initdb"), "{refused}");
}

#[tokio::test]
async fn somebody_elses_folder_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
    let refused = start(settings(dir.path())).await.unwrap_err();
    assert!(matches!(refused, EmbeddedPostgresError::NotOurs { .. }), "{refused}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_cluster_of_another_version_is_named() {
    let dir = tempfile::tempdir().unwrap();
    start(settings(dir.path())).await.unwrap().stop().await.unwrap();
    fs::write(dir.path().join("database/cluster/PG_VERSION"), "9\n").unwrap();
    let refused = start(settings(dir.path())).await.unwrap_err();
    assert!(
        matches!(&refused, EmbeddedPostgresError::OtherVersion { cluster, .. } if cluster == "9"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_lost_password_is_named_and_no_new_one_drawn() {
    let dir = tempfile::tempdir().unwrap();
    start(settings(dir.path())).await.unwrap().stop().await.unwrap();
    let path = dir.path().join("superuser-password");
    fs::remove_file(&path).unwrap();
    let refused = start(settings(dir.path())).await.unwrap_err();
    assert!(
        matches!(refused, EmbeddedPostgresError::PasswordLost { .. }),
        "{refused}"
    );
    assert!(!path.exists());
}
