//! The server of a test process, and the template of its databases.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tenantry::{
    embedded_postgres::{Durability, EmbeddedPostgres, Settings},
    programs::{Places, PostgresPrograms},
    system::SystemSource,
};
use tenantry_migrations::administrator::{self, DATABASE_SQL, OWNER, RUNTIME, RolePasswords};
use tokio::sync::{Mutex, OnceCell, Semaphore, SemaphorePermit};
use url::Url;

use super::{CONNECTIONS, PgBouncer, folder::ServerFolder, leftovers};

/// The connections of the private server: for ten databases, and to make and drop them.
const MAX_CONNECTIONS: u16 = 10 * CONNECTIONS + SPARE_CONNECTIONS;

/// Those that make and drop databases, and those of superusers.
const SPARE_CONNECTIONS: u16 = 20;

/// The sessions of a pooler for each role in each database: fewer than an application has connections, so that they are
/// shared by them.
const POOLED_SESSIONS: u16 = 4;

/// The login that has the rights of the serving one and bypasses row-level security; for all runs on a server.
const BYPASS: &str = "tenantry_tests_bypass";

/// Whoever sets up a server for tests holds this advisory lock.
const SETTING_UP: i64 = 0x7465_7374_2073_6574;

pub(super) struct Server {
    /// The superuser's URL, to a database that is nobody's own.
    administrator: Url,
    /// Of all roles: whoever has the superuser's may know it, and runs that share a server agree on it.
    password: SecretString,
    /// The URL of a role.
    role: Url,
    prefix: String,
    databases: AtomicU32,
    /// PostgreSQL copies a template that nobody else is connected to, such as another copier.
    copying: Mutex<()>,
    permits: Semaphore,
    pooler: Option<PgBouncer>,
    // Both end with the process, and what they stand for with them.
    _alive: std::sync::Mutex<PgConnection>,
    _private: Option<(EmbeddedPostgres, ServerFolder)>,
}

impl Server {
    /// The one server of the process, started by whoever asks first.
    pub(super) async fn of_this_process() -> anyhow::Result<&'static Self> {
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        SERVER.get_or_try_init(|| Box::pin(Self::start())).await
    }

    async fn start() -> anyhow::Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests are configured by this one variable")]
        let given = std::env::var("TENANTRY_TEST_DATABASE_URL").ok();
        let (url, private) = match given.filter(|url| !url.is_empty()) {
            Some(url) => (url, None),
            None => {
                let folder = ServerFolder::new().context("cannot make a folder for the server")?;
                let server = start_private(folder.path()).await?;
                (
                    server.superuser_url("postgres").expose_secret().to_owned(),
                    Some((server, folder)),
                )
            }
        };
        let administrator = Url::parse(&url).context("TENANTRY_TEST_DATABASE_URL is no URL")?;
        // As it stands in the URL, escapes and all: it need not be the same, only as secret.
        let password = SecretString::from(administrator.password().unwrap_or("tenantry"));
        let mut connection = PgConnection::connect(&url)
            .await
            .context("cannot connect as superuser")?;
        let run = i64::from_be_bytes(SystemSource::environment().random()) & i64::MAX;
        leftovers::claim(&mut connection, run).await?;
        let max_connections: String = sqlx::query_scalar("show max_connections")
            .fetch_one(&mut connection)
            .await?;
        let room = max_connections.parse::<u16>()?.saturating_sub(SPARE_CONNECTIONS) / CONNECTIONS;
        let prefix = leftovers::prefix(run);
        let pooler = PgBouncer::if_asked(&url, POOLED_SESSIONS).await?;
        let role = set_up(&administrator, &password, &template(&prefix)).await?;
        Ok(Self {
            administrator,
            password,
            role,
            prefix,
            databases: AtomicU32::new(0),
            copying: Mutex::new(()),
            permits: Semaphore::new(room.max(1).into()),
            pooler,
            _alive: std::sync::Mutex::new(connection),
            _private: private,
        })
    }

    /// Waits until the connections of one more database fit the server.
    pub(super) async fn permit(&self) -> anyhow::Result<SemaphorePermit<'_>> {
        Ok(self.permits.acquire().await?)
    }

    pub(super) fn new_name(&self) -> String {
        format!("{}{}", self.prefix, self.databases.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) async fn create_database(&self, name: &str, migrated: bool) -> anyhow::Result<()> {
        let template = if migrated {
            template(&self.prefix)
        } else {
            "template0".to_owned()
        };
        let mut connection = self.connect().await?;
        let statement =
            format!("create database {name} owner {OWNER} template {template} connection limit {CONNECTIONS}");
        let copying = self.copying.lock().await;
        connection
            .execute(AssertSqlSafe(statement))
            .await
            .with_context(|| format!("cannot create {name}"))?;
        drop(copying);
        connection.close().await?;
        // Rights on a database are not copied with it.
        let mut connection = PgConnection::connect(&self.superuser_url(name)).await?;
        connection
            .execute(DATABASE_SQL)
            .await
            .context("cannot set the rights on the database")?;
        connection.close().await?;
        Ok(())
    }

    /// Drops a database with whoever is still connected, and the roles made for it.
    pub(super) async fn drop_database(&self, name: &str, roles: &[String]) -> anyhow::Result<()> {
        let mut connection = self.connect().await?;
        connection
            .execute(AssertSqlSafe(format!("drop database if exists {name} with (force)")))
            .await?;
        for role in roles {
            connection
                .execute(AssertSqlSafe(format!("drop role if exists {role}")))
                .await?;
        }
        connection.close().await?;
        Ok(())
    }

    /// What is between roles that serve and the server.
    pub(super) fn pooler(&self) -> Option<&PgBouncer> {
        self.pooler.as_ref()
    }

    async fn connect(&self) -> anyhow::Result<PgConnection> {
        connect(&self.administrator).await
    }

    pub(super) fn superuser_url(&self, database: &str) -> String {
        in_database(&self.administrator, database).into()
    }

    pub(super) fn owner_url(&self, database: &str) -> String {
        self.url(OWNER, database)
    }

    pub(super) fn runtime_url(&self, database: &str) -> String {
        self.url(RUNTIME, database)
    }

    pub(super) fn bypass_url(&self, database: &str) -> String {
        self.url(BYPASS, database)
    }

    /// Where `role`, whose name needs no escaping, reaches `database`.
    pub(super) fn url(&self, role: &str, database: &str) -> String {
        let mut url = in_database(&self.role, database);
        // Refused for URLs without a host alone, and this one had a name there before.
        let named = url.set_username(role);
        debug_assert_eq!(named, Ok(()));
        url.into()
    }

    /// The password of all roles, as SQL writes it.
    pub(super) fn password_literal(&self) -> String {
        password_literal(&self.password)
    }
}

/// Makes the roles and the migrated template; gives the URL of one of the roles.
async fn set_up(administrator: &Url, password: &SecretString, template: &str) -> anyhow::Result<Url> {
    let mut connection = connect(administrator).await?;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(SETTING_UP)
        .execute(&mut connection)
        .await?;
    leftovers::clear(&mut connection)
        .await
        .context("cannot clear what ended runs left")?;

    let superuser_url = SecretString::from(administrator.as_str());
    let passwords = RolePasswords {
        owner: password.clone(),
        runtime: password.clone(),
    };
    let urls = administrator::prepare(&superuser_url, &passwords, template)
        .await
        .context("cannot prepare the template")?;
    tenantry_migrations::up(urls.owner.expose_secret())
        .await
        .context("cannot migrate the template")?;

    let known: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(BYPASS)
        .fetch_one(&mut connection)
        .await?;
    if !known {
        connection
            .execute(AssertSqlSafe(format!("create role {BYPASS}")))
            .await?;
    }
    let literal = password_literal(password);
    let statements =
        format!("alter role {BYPASS} login bypassrls password {literal}; grant tenantry_runtime to {BYPASS}");
    connection.execute(AssertSqlSafe(statements)).await?;
    connection.close().await?;
    Ok(Url::parse(urls.owner.expose_secret())?)
}

async fn start_private(folder: &Path) -> anyhow::Result<EmbeddedPostgres> {
    #[expect(
        clippy::disallowed_methods,
        reason = "`cargo xtask test` tells by it which programs it has found"
    )]
    let (configured, path) = (std::env::var_os("TENANTRY_POSTGRES_BIN"), std::env::var_os("PATH"));
    let programs = PostgresPrograms::find(Places {
        configured: configured.as_ref().map(Path::new),
        path: path.as_deref(),
        root: Path::new("/"),
    })
    .context("tests need PostgreSQL: `cargo xtask test` installs it")?;
    let settings = Settings {
        programs,
        data_dir: folder.to_owned(),
        durability: Durability::Ephemeral,
        max_connections: MAX_CONNECTIONS,
    };
    Ok(EmbeddedPostgres::start(settings, &SystemSource::environment(), |_| {}).await?)
}

fn template(prefix: &str) -> String {
    format!("{prefix}template")
}

fn password_literal(password: &SecretString) -> String {
    format!("'{}'", password.expose_secret().replace('\'', "''"))
}

fn in_database(url: &Url, database: &str) -> Url {
    let mut url = url.clone();
    url.set_path(database);
    url
}

async fn connect(administrator: &Url) -> anyhow::Result<PgConnection> {
    PgConnection::connect(administrator.as_str())
        .await
        .context("cannot connect as superuser")
}
