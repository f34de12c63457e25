//! A database server that a test can stop, freeze and start again, always on the same port.

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};
use secrecy::{ExposeSecret as _, SecretString};
use tenantry::{
    programs::{Places, PostgresPrograms},
    system::SystemSource,
};
use tenantry_migrations::administrator::{self, DatabaseUrls, RolePasswords};
use tenantry_tests::database::PgBouncer;

use crate::binary::development::descendants;

/// Waits until its standard input ends, which it does with this process, in whichever way that ends; then stops the
/// server, be it frozen or not, and removes the folder.
const REMOVER: &str = r#"
read -r _
if pid=$(head -n 1 "$1/cluster/postmaster.pid" 2>/dev/null) && [ -n "$pid" ]; then
    kill -CONT "$pid"
    "$0" -D "$1/cluster" -m immediate stop
fi
rm -rf "$1"
"#;

/// Ports that systems do not draw from for connections that go out: nobody takes ours while the server is away.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The sessions of a pooler in front of it: fewer than a process has connections.
const SESSIONS: u16 = 4;

/// How a server is stopped.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// Connections are ended, and what they were at is rolled back.
    Fast,
    /// As if the power had gone.
    Immediate,
}

/// A server of the test's own, gone with the value.
pub(super) struct Cluster {
    folder: PathBuf,
    programs: PostgresPrograms,
    account: Option<(u32, u32)>,
    port: u16,
    password: String,
    /// Between serving processes and the server, where the environment asks for one.
    pooler: Option<PgBouncer>,
    remover: Child,
}

impl Cluster {
    /// A server that runs, with an empty cluster.
    pub(super) async fn start_new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("tenantry-faults-")
            .tempdir()
            .unwrap()
            .keep();
        let account = geteuid().is_root().then(|| {
            let found = ["postgres", "nobody"].map(|name| User::from_name(name).unwrap());
            let user = found.into_iter().flatten().next().expect("a user without rights");
            (user.uid.as_raw(), user.gid.as_raw())
        });
        if let Some((uid, gid)) = account {
            chown(&folder, Some(uid), Some(gid)).unwrap();
        }
        let programs = programs();
        let mut remover = Command::new("/bin/sh");
        remover
            .args(["-c", REMOVER])
            .arg(programs.program("pg_ctl"))
            .arg(&folder)
            .stdin(Stdio::piped());
        isolate(&mut remover, account);
        let mut cluster = Self {
            remover: remover.spawn().unwrap(),
            password: random_hex(),
            port: free_port(),
            pooler: None,
            folder,
            programs,
            account,
        };
        cluster.initialize().await;
        cluster.start().await;
        cluster.pooler = PgBouncer::if_asked(&cluster.superuser_url(), SESSIONS).await.unwrap();
        cluster
    }

    async fn initialize(&self) {
        let password_file = self.folder.join("password");
        fs::write(&password_file, &self.password).unwrap();
        if let Some((uid, gid)) = self.account {
            chown(&password_file, Some(uid), Some(gid)).unwrap();
        }
        let mut initdb = self.command("initdb");
        initdb
            .arg("-D")
            .arg(self.data())
            .arg("--pwfile")
            .arg(&password_file)
            .args([
                "-U",
                "postgres",
                "-A",
                "scram-sha-256",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ]);
        finish(initdb).await;
    }

    /// Starts the server and waits until it accepts connections.
    pub(super) async fn start(&self) {
        let options = format!(
            "-p {} -c listen_addresses={} -c unix_socket_directories= -c max_connections=50",
            self.port,
            Ipv4Addr::LOCALHOST
        );
        let mut start = self.pg_ctl();
        start
            .args(["-w", "-t", "60", "-o", &options, "-l"])
            .arg(self.folder.join("log"))
            .arg("start");
        finish(start).await;
    }

    /// Stops the server and waits until it is gone.
    pub(super) async fn stop(&self, how: Stop) {
        let mode = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        let mut stop = self.pg_ctl();
        stop.args(["-w", "-m", mode, "stop"]);
        finish(stop).await;
    }

    /// Holds the server and all its sessions in whatever they are at: nothing is answered, nothing is refused.
    pub(super) fn freeze(&self) {
        let postmaster = self.postmaster();
        // First the one that would start others.
        kill(postmaster, Signal::SIGSTOP).unwrap();
        self.signal_sessions(Signal::SIGSTOP);
    }

    /// Lets the server go on.
    pub(super) fn thaw(&self) {
        self.signal_sessions(Signal::SIGCONT);
        kill(self.postmaster(), Signal::SIGCONT).unwrap();
    }

    fn signal_sessions(&self, signal: Signal) {
        for process in descendants(self.postmaster()) {
            match kill(process, signal) {
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn postmaster(&self) -> Pid {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
    }

    /// Makes roles and a database, and migrates it.
    pub(super) async fn migrated(&self) -> DatabaseUrls {
        let superuser = SecretString::from(self.superuser_url());
        let passwords = RolePasswords {
            owner: random_hex().into(),
            runtime: random_hex().into(),
        };
        let mut urls = administrator::prepare(&superuser, &passwords, "tenantry")
            .await
            .unwrap();
        tenantry_migrations::up(urls.owner.expose_secret()).await.unwrap();
        if let Some(pooler) = &self.pooler {
            urls.runtime = pooler.through(urls.runtime.expose_secret()).into();
        }
        urls
    }

    fn superuser_url(&self) -> String {
        let (password, host, port) = (&self.password, Ipv4Addr::LOCALHOST, self.port);
        format!("postgres://postgres:{password}@{host}:{port}/postgres?sslmode=disable")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    fn pg_ctl(&self) -> Command {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data());
        command
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.program(program));
        isolate(&mut command, self.account);
        command.stdin(Stdio::null());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A test that failed may have left it frozen, of which a later one must not hear.
        let told = self.remover.stdin.take().map(|mut line| line.write_all(b"\n"));
        let ended = self.remover.wait();
        if !matches!((told, &ended), (Some(Ok(())), Ok(_))) {
            tracing::warn!(?ended, folder = %self.folder.display(), "a database server was left behind");
        }
    }
}

/// Cuts a process's ties to ours: its user, its signals, its variables, its current folder, its outputs.
fn isolate(command: &mut Command, account: Option<(u32, u32)>) {
    command
        .process_group(0)
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C");
    if let Some((uid, gid)) = account {
        command.uid(uid).gid(gid);
    }
}

/// Runs a program to its end, which must be a good one.
async fn finish(command: Command) {
    let mut command = tokio::process::Command::from(command);
    let status = command.status().await.unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

fn programs() -> PostgresPrograms {
    #[expect(
        clippy::disallowed_methods,
        reason = "`cargo xtask test` tells by these which programs it has found"
    )]
    let (configured, path) = (std::env::var_os("TENANTRY_POSTGRES_BIN"), std::env::var_os("PATH"));
    PostgresPrograms::find(Places {
        configured: configured.as_ref().map(Path::new),
        path: path.as_deref(),
        root: Path::new("/"),
    })
    .unwrap()
}

fn random_hex() -> String {
    format!("{:032x}", u128::from_be_bytes(SystemSource::environment().random()))
}

fn free_port() -> u16 {
    let ports = usize::from(PORTS.end - PORTS.start);
    let first = usize::from(u16::from_be_bytes(SystemSource::environment().random()));
    PORTS
        .cycle()
        .skip(first % ports)
        .take(ports)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("a free port")
}
