//! The server's own folder: who holds it, what lies where, the superuser's password.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
    process::Command,
};

use secrecy::{ExposeSecret as _, SecretString};
use tenantry_domain::environment::Environment;

use super::{
    EmbeddedPostgresError,
    account::{self, Account},
};

/// The name of the cluster's folder.
pub(super) const CLUSTER: &str = "cluster";

/// Bytes of randomness in the superuser's password.
const PASSWORD_BYTES: usize = 32;

/// Bytes of the log that an error quotes: some thirty lines.
const LOG_TAIL: u64 = 4096;

/// The folder, held by this process for as long as the value lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    account: Option<Account>,
    _lock: Lock,
}

/// The lock of a folder; the system releases it however the process ends.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough while another thread is starting a program: until that runs, it has the file
        // open too.
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the lock of the database folder could not be released");
        }
    }
}

impl Folder {
    /// Opens the folder, making it first when it is absent, and takes its lock.
    pub(super) fn open(path: &Path) -> Result<Self, EmbeddedPostgresError> {
        let failed = EmbeddedPostgresError::at;
        let account = Account::choose(&path.join("database"))?;
        // Where no open folder can be handed on, the server's user must be able to walk through this one.
        let mode = if account.is_some() { 0o711 } else { 0o700 };
        DirBuilder::new()
            .recursive(true)
            .mode(mode)
            .create(path)
            .map_err(failed("creating the folder", path))?;
        let path = fs::canonicalize(path).map_err(failed("resolving", path))?;
        let lock = lock(&path)?;

        // Root writes into `path`, the server's user into `database` alone: no link planted there leads root astray.
        let database = path.join("database");
        if !database.try_exists().map_err(failed("reading", &database))? {
            DirBuilder::new()
                .mode(0o700)
                .create(&database)
                .map_err(failed("creating", &database))?;
        }
        if let Some(Account { uid, gid }) = account {
            chown(&database, Some(uid), Some(gid)).map_err(failed("changing the owner of", &database))?;
        }
        Ok(Self {
            path,
            account,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// What belongs to the user that the server runs as.
    pub(super) fn database(&self) -> PathBuf {
        self.path.join("database")
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.database().join(CLUSTER)
    }

    /// A command that runs `program` as the server's user, and the path by which it reaches [`Self::database`].
    pub(super) fn command(&self, program: &Path) -> Result<(Command, PathBuf), EmbeddedPostgresError> {
        let database = self.database();
        account::command(program, &database, self.account()).map_err(EmbeddedPostgresError::at("opening", &database))
    }

    fn password_path(&self) -> PathBuf {
        self.path.join("superuser-password")
    }

    /// The superuser's password, as the cluster was created with it.
    pub(super) fn password(&self) -> Result<SecretString, EmbeddedPostgresError> {
        let path = self.password_path();
        match fs::read_to_string(&path) {
            Ok(text) if text.trim_end().len() == 2 * PASSWORD_BYTES => Ok(text.trim_end().into()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EmbeddedPostgresError::at("reading", &path)(error))
            }
            Ok(_) | Err(_) => Err(EmbeddedPostgresError::PasswordLost { path }),
        }
    }

    /// Draws a password for a cluster that is about to be created, and keeps it.
    pub(super) fn renew_password(&self, environment: &Environment) -> Result<SecretString, EmbeddedPostgresError> {
        let password = SecretString::from(hex(&environment.random::<PASSWORD_BYTES>()));
        let path = self.password_path();
        let write = || {
            remove_file(&path)?;
            let mut file = new_private_file(&path)?;
            writeln!(file, "{}", password.expose_secret())?;
            file.sync_all()
        };
        write().map_err(EmbeddedPostgresError::at("writing", &path))?;
        Ok(password)
    }

    fn log_path(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// An empty log; every start begins one, so that it stays bounded.
    pub(super) fn new_log(&self) -> Result<File, EmbeddedPostgresError> {
        let path = self.log_path();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        options
            .open(&path)
            .map_err(EmbeddedPostgresError::at("creating", &path))
    }

    /// The last lines of the log.
    pub(super) fn log_tail(&self) -> Result<String, EmbeddedPostgresError> {
        let path = self.log_path();
        let read = || -> io::Result<String> {
            let mut file = File::open(&path)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL)))?;
            let mut bytes = Vec::new();
            file.take(LOG_TAIL).read_to_end(&mut bytes)?;
            Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
        };
        read().map_err(EmbeddedPostgresError::at("reading", &path))
    }
}

/// Takes the lock of the folder, unless the folder is somebody else's.
fn lock(folder: &Path) -> Result<Lock, EmbeddedPostgresError> {
    let failed = EmbeddedPostgresError::at;
    let path = folder.join("lock");
    let known = path.try_exists().map_err(failed("reading", &path))?;
    if !known
        && fs::read_dir(folder)
            .map_err(failed("reading", folder))?
            .next()
            .is_some()
    {
        // Two first starts at once: the other one has come between the two looks.
        if !path.try_exists().map_err(failed("reading", &path))? {
            return Err(EmbeddedPostgresError::NotOurs {
                folder: folder.to_owned(),
            });
        }
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = options.open(&path).map_err(failed("opening", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).map_err(failed("reading", &path))?;
            // The holder writes its name after it has locked.
            let holder = if holder.is_empty() {
                "another process"
            } else {
                holder.trim_end()
            }
            .to_owned();
            return Err(EmbeddedPostgresError::InUse {
                folder: folder.to_owned(),
                holder,
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed("locking", &path)(error)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "process {}", std::process::id()))
        .map_err(failed("writing", &path))?;
    Ok(Lock(file))
}

/// Creates a file that only its owner may read; fails when there is one, so that no link is followed.
pub(super) fn new_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Removes a file that may be absent.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// `bytes` in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
