//! A private PostgreSQL server: the one of `tenantry dev`, and the one that tests run against.
//!
//! It uses the PostgreSQL programs that are installed on the machine (see [`crate::programs`]) on a folder of its own:
//!
//! ```text
//! <data_dir>/
//!   lock                  held for as long as a process uses the folder; says which one
//!   superuser-password    readable by the owner alone
//!   postgres.log          what the server said since it was last started
//!   database/             belongs to the user that the server runs as
//!     cluster/            the data, and the server's socket
//! ```
//!
//! What it promises:
//! * **Nothing committed is lost** ([`Durability::Durable`]): a server that outlived its owner, after a `kill -9`, is
//!   shut down in order before the next one starts, and a cluster appears under its name only when it is complete.
//! * **One owner**: a second start on the same folder is refused and told who holds it.
//! * **Never as root**: PostgreSQL refuses that, so root's database runs as an unprivileged user.
//! * **No orphans**: the server is told to shut down when its owner ends, whichever way it ends.
//!
//! To give the server another setting, add it to `EmbeddedPostgres::launch`.

mod account;
mod cluster;
mod error;
mod folder;
mod leftover;
mod pid_file;
mod postmaster;

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::environment::Environment;

pub use self::error::EmbeddedPostgresError;
use self::{
    folder::Folder,
    postmaster::{Postmaster, Readiness},
};
use crate::programs::PostgresPrograms;

/// The role that owns the cluster and may do everything.
pub const SUPERUSER: &str = "postgres";

/// Long enough for the recovery after a crash in the middle of heavy writing, short enough to wait for.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How long to wait before another attempt when one of [`TRANSIENT`] was met.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// What the server's log says when the next attempt may succeed: somebody took the free port in between, or the
/// processes of a server that was killed have not all noticed yet.
const TRANSIENT: [&str; 2] = ["Address already in use", "pre-existing shared memory block"];

/// The longest path of a Unix socket that clients can name: `sun_path` has 104 bytes on macOS and 108 on Linux, one of
/// which ends the text.
const LONGEST_SOCKET_PATH: usize = 103;

/// What to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The programs to start it with.
    pub programs: PostgresPrograms,
    /// The server's own folder; made when absent, along with its parents.
    pub data_dir: PathBuf,
    /// Whether what was committed survives a loss of power.
    pub durability: Durability,
    /// How many connections may be open at a time.
    pub max_connections: u16,
}

/// Whether a commit waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Every commit is on disk before it is confirmed.
    Durable,
    /// For data that nobody will miss, such as a test's: faster, kept by an orderly end, incomplete after any other.
    Ephemeral,
}

/// A running PostgreSQL server that belongs to this process.
///
/// End it with [`stop`](Self::stop). Dropping it, or ending the process in any way, asks the server to shut down too,
/// but nobody then waits for it.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    // Declared before the folder: the server is asked to stop before the folder's lock is released.
    server: Postmaster,
    folder: Folder,
    port: u16,
    password: SecretString,
    socket_dir: Option<PathBuf>,
}

impl EmbeddedPostgres {
    /// Starts the server, creating its cluster first when there is none, and returns once it accepts connections.
    ///
    /// `progress` is called with a sentence before each step that may take more than a moment.
    ///
    /// # Errors
    /// When the folder is in use, holds something else or belongs to another version of PostgreSQL; when a program
    /// fails or the server is not ready within 30 seconds, with what it wrote to its log.
    pub async fn start(
        settings: Settings,
        environment: &Environment,
        progress: impl Fn(&str),
    ) -> Result<Self, EmbeddedPostgresError> {
        let folder = Folder::open(&settings.data_dir)?;
        leftover::stop(&folder.cluster(), &progress).await?;
        let password = match cluster::version(&folder)? {
            Some(version) => {
                cluster::check(version, &settings.programs, &folder)?;
                folder.password()?
            }
            None => {
                progress("Creating the database cluster (the first start only)");
                let password = folder.renew_password(environment)?;
                cluster::create(&folder, &settings, &password, environment).await?;
                password
            }
        };
        progress(&format!("Starting PostgreSQL {}", settings.programs.major));
        let (server, port) = Self::serve(&folder, &settings).await?;
        let socket = folder.cluster().join(format!(".s.PGSQL.{port}"));
        let socket_dir = (socket.as_os_str().len() <= LONGEST_SOCKET_PATH).then(|| folder.cluster());
        Ok(Self {
            server,
            folder,
            port,
            password,
            socket_dir,
        })
    }

    async fn serve(folder: &Folder, settings: &Settings) -> Result<(Postmaster, u16), EmbeddedPostgresError> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let port = free_port().map_err(EmbeddedPostgresError::at("finding a free port for", folder.path()))?;
            let server = Self::launch(folder, settings, port)?;
            let reason = match server.ready(&folder.cluster(), deadline).await? {
                Readiness::Ready => return Ok((server, port)),
                Readiness::Ended(status) => status,
                Readiness::TimedOut => format!("not ready after {} seconds", READY_WITHIN.as_secs()),
            };
            let log = folder.log_tail()?;
            if Instant::now() >= deadline || !TRANSIENT.iter().any(|message| log.contains(message)) {
                return Err(EmbeddedPostgresError::NotStarted { reason, log });
            }
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }

    fn launch(folder: &Folder, settings: &Settings, port: u16) -> Result<Postmaster, EmbeddedPostgresError> {
        let postgres = settings.programs.program("postgres");
        let (mut command, view) = folder.command(&postgres)?;
        command.arg("-D").arg(view.join(folder::CLUSTER));
        // Relative to the cluster: a path of any length, and inside a folder that is closed to everybody else.
        command.args(["-k", "."]);
        let mut set = |name: &str, value: &str| {
            command.arg("-c").arg(format!("{name}={value}"));
        };
        set("listen_addresses", &Ipv4Addr::LOCALHOST.to_string());
        set("port", &port.to_string());
        set("max_connections", &settings.max_connections.to_string());
        set("cluster_name", "tenantry");
        // Spelled out both ways, so that a postgresql.conf cannot change what was promised.
        let durable = if settings.durability == Durability::Durable {
            "on"
        } else {
            "off"
        };
        for name in ["fsync", "full_page_writes", "synchronous_commit"] {
            set(name, durable);
        }
        command.stderr(Stdio::from(folder.new_log()?));
        Postmaster::spawn(command, folder.account()).map_err(EmbeddedPostgresError::at("starting", &postgres))
    }

    /// The address at which the superuser reaches `database`, whose name must need no escaping in a URL.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> SecretString {
        let (password, host, port) = (self.password.expose_secret(), Ipv4Addr::LOCALHOST, self.port);
        // Loopback, to a server without a certificate: asking for TLS would cost each connection a round trip.
        format!("postgres://{SUPERUSER}:{password}@{host}:{port}/{database}?sslmode=disable").into()
    }

    /// The port on 127.0.0.1; another one after each start.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the Unix socket, open to the server's user and root; none where its path is too long for clients.
    #[must_use]
    pub fn socket_dir(&self) -> Option<&Path> {
        self.socket_dir.as_deref()
    }

    /// Resolves when the server ends without having been asked to, with [`EmbeddedPostgresError::Died`].
    pub async fn died(&self) -> EmbeddedPostgresError {
        let status = self.server.ended().await;
        match self.folder.log_tail() {
            Ok(log) => EmbeddedPostgresError::Died { status, log },
            Err(error) => error,
        }
    }

    /// Shuts the server down: connections are ended, what they committed is kept.
    ///
    /// # Errors
    /// [`EmbeddedPostgresError::NotStopped`] when it is still there after 20 seconds.
    pub async fn stop(self) -> Result<(), EmbeddedPostgresError> {
        self.server.stop().await
    }
}

/// A port that nothing listens on right now.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests;
