//! `tenantry dev` of root, and of somebody without rights.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
};

use nix::unistd::{User, geteuid};
use reqwest::StatusCode;

use super::{
    development::{DataFolder, Dev},
    process::{invocation, program},
};

#[tokio::test]
async fn somebody_without_rights_needs_nothing_from_root() {
    if !geteuid().is_root() {
        skipped("only root can become somebody else; every other test here already runs without rights");
        return;
    }
    let nobody = User::from_name("nobody").unwrap().expect("a user `nobody`");
    let (uid, gid) = (nobody.uid.as_raw(), nobody.gid.as_raw());
    let home = tempfile::tempdir().unwrap();
    chown(home.path(), Some(uid), Some(gid)).unwrap();
    // The folder where it was built may be closed to others.
    let copy = tempfile::tempdir().unwrap();
    fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program_copy = copy.path().join("tenantry");
    fs::copy(program(), &program_copy).unwrap();

    let data = home.path().join("data");
    let start = async || {
        let dev = invocation(&program_copy, "dev --no-demo --listen 127.0.0.1:0 --data-dir").arg(&data);
        Dev::of(dev.user(uid, gid).start()).await
    };
    let dev = start().await;
    let owner = fs::metadata(data.join("postgres/database/cluster/postmaster.pid"))
        .unwrap()
        .uid();
    assert_eq!(owner, uid);
    let account = dev.client().register("Nora", Some("Nowhere")).await;
    dev.stop().await;

    let dev = start().await;
    super::dev::sign_in(&dev.client(), &account.email, tenantry_tests::client::PASSWORD).await;
    dev.stop().await;
}

#[tokio::test]
async fn roots_database_is_not_roots() {
    if !geteuid().is_root() {
        skipped("not root");
        return;
    }
    let folder = DataFolder::new();
    let dev = folder.start(false).await;
    dev.client().get("/health/ready").await.expect(StatusCode::OK);
    let file = folder.path().join("postgres/database/cluster/postmaster.pid");
    assert_ne!(fs::metadata(file).unwrap().uid(), 0);
    dev.stop().await;
}

#[expect(clippy::print_stderr, reason = "a test that proves nothing here must say so")]
fn skipped(reason: &str) {
    eprintln!("skipped: {reason}");
}
