//! The database of root, and that of anybody else.

use super::*;
use crate::embedded_postgres::account::{self, Account};

#[tokio::test]
async fn the_server_is_never_root() {
    // Closed to everybody but its owner, as `/root` is.
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let data_dir = dir.path().join("postgres");
    let server = start(settings(&data_dir)).await.unwrap();
    let owner = fs::metadata(data_dir.join("database/cluster/postmaster.pid"))
        .unwrap()
        .uid();
    assert_ne!(owner, 0);
    assert_eq!(geteuid().is_root(), owner != geteuid().as_raw());
    server.stop().await.unwrap();

    assert_eq!(
        fs::metadata(dir.path()).unwrap().permissions().mode() & 0o777,
        0o700,
        "nothing was opened up"
    );
}

#[tokio::test]
async fn roots_server_runs_as_whoever_owns_the_data() {
    if !geteuid().is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let (uid, gid) = (Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw()));
    let database = dir.path().join("database");
    drop(Folder::open(dir.path()).unwrap());
    std::os::unix::fs::chown(&database, uid, gid).unwrap();

    let server = start(settings(dir.path())).await.unwrap();
    assert_eq!(
        Some(fs::metadata(database.join("cluster/postmaster.pid")).unwrap().uid()),
        uid
    );
    server.stop().await.unwrap();
}

/// Where the tests run as root, one of them is run again as somebody else.
#[tokio::test]
async fn an_unprivileged_user_can_start_it_too() {
    if !geteuid().is_root() {
        return;
    }
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let account = Account {
        uid: nobody.uid.as_raw(),
        gid: nobody.gid.as_raw(),
    };
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::chown(dir.path(), Some(account.uid), Some(account.gid)).unwrap();

    // This program itself may lie where nobody else can read it, so it too is reached through its open folder.
    let program = std::env::current_exe().unwrap();
    let reached = Path::new("/proc/self/fd/3").join(program.file_name().unwrap());
    let (mut command, _) = account::command(&reached, program.parent().unwrap(), Some(&account)).unwrap();
    command
        .args(leftovers::only("what_was_written_is_there_after_a_second_start"))
        .env("TMPDIR", dir.path());
    command.env("TENANTRY_POSTGRES_BIN", settings("").programs.folder);
    let ran = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}
