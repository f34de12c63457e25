//! PgBouncer in front of a database server, where the environment asks for it.
//!
//! With `TENANTRY_TEST_POOLER=transaction` whatever the runtime role does in tests goes through a pooler in transaction
//! mode, and applications are told so. Administrators, migrations and the owner reach the server itself.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use nix::unistd::{User, geteuid};
use sqlx::{
    AssertSqlSafe, Connection as _,
    postgres::{PgConnectOptions, PgRow},
};
use tenantry::configuration::Pooler;
use url::Url;

use super::connect;

/// Folders that are looked into after those of `PATH`, which often lacks those of servers.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/opt/homebrew/bin"];

/// Runs the pooler until standard input ends, which it does with this process, in whichever way that ends; then removes
/// its folder.
const KEEPER: &str = r#"
"$0" "$1/pgbouncer.ini" &
pooler=$!
read -r _
kill "$pooler"
wait "$pooler"
rm -rf "$1"
"#;

/// How long it may take to come up.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// What is between the applications of tests and their databases.
///
/// # Panics
/// Where the variable holds something else.
#[must_use]
pub fn pooler() -> Pooler {
    match env::var("TENANTRY_TEST_POOLER").as_deref() {
        Err(_) | Ok("" | "none") => Pooler::None,
        Ok("transaction") => Pooler::Transaction,
        Ok(other) => panic!("TENANTRY_TEST_POOLER is {other}, expected none or transaction"),
    }
}

/// The same as the binary is told it.
#[must_use]
pub fn pooler_setting() -> &'static str {
    match pooler() {
        Pooler::None => "none",
        Pooler::Transaction => "transaction",
    }
}

/// A pooler in transaction mode, gone with the value or with the process.
#[derive(Debug)]
pub struct PgBouncer {
    folder: PathBuf,
    console: String,
    port: u16,
    keeper: Child,
}

impl PgBouncer {
    /// In front of the server of `superuser_url`, with so many sessions for each role in each database; nothing where the
    /// environment asks for none.
    ///
    /// # Errors
    /// When PgBouncer is not installed or does not start.
    pub async fn if_asked(superuser_url: &str, sessions: u16) -> anyhow::Result<Option<Self>> {
        match pooler() {
            Pooler::None => Ok(None),
            Pooler::Transaction => Self::start(superuser_url, sessions, "").await.map(Some),
        }
    }

    /// The same whatever the environment asks for, with more lines for its configuration.
    ///
    /// # Errors
    /// When PgBouncer is not installed or does not start.
    pub async fn start(superuser_url: &str, sessions: u16, more: &str) -> anyhow::Result<Self> {
        let program = program()?;
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let started = Self::launch(&program, superuser_url, sessions, more)?;
            let log = started.first_words(deadline).await?;
            if log.contains("process up") {
                return Ok(started);
            }
            // Somebody may have taken the free port in between.
            anyhow::ensure!(
                log.contains("nowhere to listen on") && Instant::now() < deadline,
                "PgBouncer does not start:\n{log}"
            );
        }
    }

    fn launch(program: &Path, superuser_url: &str, sessions: u16, more: &str) -> anyhow::Result<Self> {
        let superuser = Url::parse(superuser_url)?;
        let (name, password) = (superuser.username(), superuser.password().unwrap_or_default());
        anyhow::ensure!(
            !format!("{name}{password}").contains(['%', '"']),
            "a superuser's name and password must need no escapes for PgBouncer to have them"
        );
        let server: PgConnectOptions = superuser_url.parse()?;
        let host = match server.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => server.get_host().to_owned(),
        };
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let folder = tempfile::Builder::new().prefix("tenantry-pooler-").tempdir()?.keep();
        let view = folder.display();
        // Any database by its name, any role by the password that the server has of it.
        let configuration = format!(
            "[databases]\n\
             * = host={host} port={}\n\
             [pgbouncer]\n\
             listen_addr = {}\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             logfile = {view}/log\n\
             auth_type = scram-sha-256\n\
             auth_file = {view}/users\n\
             auth_user = {name}\n\
             admin_users = {name}\n\
             pool_mode = transaction\n\
             default_pool_size = {sessions}\n\
             max_client_conn = 1000\n\
             server_login_retry = 1\n\
             {more}\n",
            server.get_port(),
            Ipv4Addr::LOCALHOST,
        );
        fs::write(folder.join("pgbouncer.ini"), configuration)?;
        fs::write(folder.join("users"), format!("\"{name}\" \"{password}\"\n"))?;
        let mut keeper = Command::new("/bin/sh");
        keeper
            .args(["-c", KEEPER])
            .arg(program)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .current_dir("/")
            // A Ctrl-C in the terminal is for the tests.
            .process_group(0);
        // It refuses to run as root.
        if geteuid().is_root() {
            let found = ["postgres", "nobody"].map(User::from_name);
            let user = found.into_iter().flatten().flatten().next();
            let user = user.context("there is no user without rights")?;
            let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
            for path in [folder.clone(), folder.join("pgbouncer.ini"), folder.join("users")] {
                chown(path, Some(uid), Some(gid))?;
            }
            keeper.uid(uid).gid(gid);
        }
        let console = format!("postgres://{name}:{password}@{}:{port}/pgbouncer", Ipv4Addr::LOCALHOST);
        Ok(Self {
            keeper: keeper.spawn()?,
            folder,
            console,
            port,
        })
    }

    /// The log, once it says that the pooler is up or that it cannot be.
    async fn first_words(&self, deadline: Instant) -> anyhow::Result<String> {
        loop {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            if log.contains("process up") || log.contains("FATAL") {
                return Ok(log);
            }
            anyhow::ensure!(Instant::now() < deadline, "PgBouncer does not start:\n{log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The way to a database of the server, given that past the pooler.
    ///
    /// # Panics
    /// Where `url` is none with a host.
    #[must_use]
    pub fn through(&self, url: &str) -> String {
        let mut url = Url::parse(url).expect("a URL");
        url.set_ip_host(Ipv4Addr::LOCALHOST.into()).expect("a URL with a host");
        url.set_port(Some(self.port)).expect("a URL with a host");
        url.into()
    }

    /// Gives its console a command, such as `PAUSE`.
    ///
    /// # Panics
    /// Where it refuses.
    pub async fn command(&self, command: &str) {
        self.ask(command).await;
    }

    /// The same of one that is answered, such as `SHOW CLIENTS`.
    pub(super) async fn ask(&self, command: &str) -> Vec<PgRow> {
        let mut console = connect(&self.console).await;
        let answer = sqlx::raw_sql(AssertSqlSafe(command.to_owned()))
            .fetch_all(&mut console)
            .await;
        if let Err(error) = console.close().await {
            panic!("cannot close the connection: {error}");
        }
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            tracing::warn!(%error, folder = %self.folder.display(), "a pooler was left behind");
        }
    }
}

fn program() -> anyhow::Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .chain(FOLDERS.map(PathBuf::from))
        .map(|folder| folder.join("pgbouncer"))
        .find(|program| program.is_file())
        .context("TENANTRY_TEST_POOLER asks for PgBouncer, which is not installed")
}
