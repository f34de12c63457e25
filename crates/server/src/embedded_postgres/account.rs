//! Whom the processes of the database run as.

use std::{
    fs::{self, File},
    io,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::unistd::{User, geteuid};

use super::EmbeddedPostgresError;

/// Used by PostgreSQL's own packages, and present on every system.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// Hands the folder that arrives as standard input on as file descriptor 3.
const WITH_FOLDER: &str = r#"exec "$0" "$@" 3<&0 0</dev/null"#;

/// An unprivileged user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The user for a database in `folder`; none when this process is unprivileged itself.
    ///
    /// A folder that exists keeps its user: whoever owns the data must go on reading it.
    pub(super) fn choose(folder: &Path) -> Result<Option<Self>, EmbeddedPostgresError> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        match fs::metadata(folder) {
            Ok(existing) if existing.uid() != 0 => {
                return Ok(Some(Self {
                    uid: existing.uid(),
                    gid: existing.gid(),
                }));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(EmbeddedPostgresError::at("reading", folder)(error));
            }
            Ok(_) | Err(_) => {}
        }
        for name in CANDIDATES {
            let user = User::from_name(name)
                .map_err(|error| EmbeddedPostgresError::at("looking up the user", Path::new(name))(error.into()))?;
            if let Some(user) = user {
                return Ok(Some(Self {
                    uid: user.uid.as_raw(),
                    gid: user.gid.as_raw(),
                }));
            }
        }
        Err(EmbeddedPostgresError::NoUnprivilegedUser)
    }
}

/// A command that runs `program` as `account`, and the path by which it reaches `folder`.
///
/// Root's folders are often closed to everybody else (`/root` is), and opening them up is not ours to do. On Linux the
/// process is therefore handed the open folder, and reaches what is below it without walking through its parents.
pub(super) fn command(program: &Path, folder: &Path, account: Option<&Account>) -> io::Result<(Command, PathBuf)> {
    let (mut command, view) = if account.is_some() && cfg!(target_os = "linux") {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", WITH_FOLDER])
            .arg(program)
            .stdin(File::open(folder)?);
        (command, PathBuf::from("/proc/self/fd/3"))
    } else {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        (command, folder.to_owned())
    };
    isolate(&mut command, account);
    Ok((command, view))
}

/// Cuts the ties of a process to ours: its user, its signals, its variables and its current folder.
pub(super) fn isolate(command: &mut Command, account: Option<&Account>) {
    // A Ctrl-C goes to every process of the terminal's group; the database is to end after its users, when told to.
    command
        .process_group(0)
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Our variables hold secrets, and PostgreSQL reads some of its own. Messages are to be read by programs: LC_ALL.
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C");
    if let Some(account) = account {
        // Setting the user also drops root's supplementary groups.
        command.uid(account.uid).gid(account.gid);
    }
}
