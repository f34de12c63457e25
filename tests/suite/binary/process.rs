//! One run of the binary: started with nothing of this process's environment, listened to, told to stop.

use std::{
    ffi::OsStr,
    fmt,
    io::{Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    sync::watch,
    time::timeout,
};

/// How long anything may take that has no bound of its own: far more than it needs on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// How long a process may take to end once it is told to.
const STOPPING: Duration = Duration::from_secs(30);

/// Asks again and again until there is an answer, and gives that; `what` is what is waited for.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match timeout(PATIENCE, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}

/// The binary that was built with this test program: `target/<profile>/tenantry`, beside `target/<profile>/deps/…`.
pub(crate) fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.parent().and_then(Path::parent).unwrap().join("tenantry");
    assert!(
        program.is_file(),
        "{} is not built: cargo test --workspace",
        program.display()
    );
    program
}

/// A run to be completed by [`Invocation::run`] or [`Invocation::start`].
pub(crate) struct Invocation(Command);

/// The binary with the words of `line`, and of the environment nothing but where programs are found.
pub(crate) fn tenantry(line: &str) -> Invocation {
    invocation(&program(), line)
}

/// The same with the binary at another place.
pub(crate) fn invocation(program: &Path, line: &str) -> Invocation {
    let mut command = Command::new(program);
    command
        .args(line.split_whitespace())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for name in ["PATH", "TENANTRY_POSTGRES_BIN"] {
        #[expect(
            clippy::disallowed_methods,
            reason = "`cargo xtask test` tells by these which programs it has found"
        )]
        let value = std::env::var_os(name);
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    Invocation(command)
}

impl Invocation {
    /// One more argument, which may hold spaces.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// With the text of a file, which has no name any more, on its standard input.
    pub(crate) fn input(mut self, text: &str) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        self.0.stdin(file);
        self
    }

    /// As another user, whose current folder is the root: it could not read ours.
    pub(crate) fn user(mut self, uid: u32, gid: u32) -> Self {
        self.0.uid(uid).gid(gid).current_dir("/");
        self
    }

    pub(crate) fn start(mut self) -> Process {
        let mut child = self.0.spawn().unwrap();
        Process {
            stdout: listen(child.stdout.take().unwrap()),
            stderr: listen(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Runs to the end.
    pub(crate) async fn run(self) -> Outcome {
        self.start().ended(PATIENCE).await
    }
}

/// Keeps all that is written, for whoever waits for some of it.
fn listen(mut stream: impl AsyncRead + Unpin + Send + 'static) -> watch::Receiver<String> {
    let (text, heard) = watch::channel(String::new());
    tokio::spawn(async move {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..count]);
            text.send_replace(String::from_utf8_lossy(&bytes).into_owned());
        }
    });
    heard
}

/// A run that goes on, killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    stdout: watch::Receiver<String>,
    stderr: watch::Receiver<String>,
}

impl Process {
    pub(crate) fn pid(&self) -> Pid {
        let pid = self.child.id().expect("a process that was not waited for");
        Pid::from_raw(i32::try_from(pid).unwrap())
    }

    /// All of standard output, once it has a whole line with this in it.
    pub(crate) async fn stdout_with(&self, part: &str) -> String {
        self.heard(self.stdout.clone(), part).await
    }

    /// All of standard error, once it has a whole line with this in it.
    pub(crate) async fn stderr_with(&self, part: &str) -> String {
        self.heard(self.stderr.clone(), part).await
    }

    async fn heard(&self, mut stream: watch::Receiver<String>, part: &str) -> String {
        let whole_line = |text: &String| {
            text.split_inclusive('\n')
                .any(|line| line.contains(part) && line.ends_with('\n'))
        };
        if let Ok(Ok(text)) = timeout(PATIENCE, stream.wait_for(whole_line)).await {
            return text.clone();
        }
        panic!(
            "did not say {part:?}:\n{}\n{}",
            *self.stdout.borrow(),
            *self.stderr.borrow()
        )
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Asks it to stop as a supervisor does, and waits until it has.
    pub(crate) async fn stop(self) -> Outcome {
        self.signal(Signal::SIGTERM);
        self.ended(STOPPING).await
    }

    /// Ends it without a word, and waits until it is gone.
    pub(crate) async fn kill(self) -> Outcome {
        self.signal(Signal::SIGKILL);
        self.ended(STOPPING).await
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(mut self, patience: Duration) -> Outcome {
        let Ok(status) = timeout(patience, self.child.wait()).await else {
            panic!(
                "still runs after {patience:?}:\n{}\n{}",
                *self.stdout.borrow(),
                *self.stderr.borrow()
            )
        };
        Outcome {
            status: status.unwrap(),
            stdout: rest(self.stdout).await,
            stderr: rest(self.stderr).await,
        }
    }
}

/// All that was written to a stream until its end.
async fn rest(mut stream: watch::Receiver<String>) -> String {
    let ended = timeout(STOPPING, async { while stream.changed().await.is_ok() {} }).await;
    let text = stream.borrow().clone();
    assert!(ended.is_ok(), "somebody else holds an output open: {text}");
    text
}

/// A run that has ended.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}", self.status, self.stdout, self.stderr)
    }
}

impl Outcome {
    /// Panics with everything that was written where the exit code is another.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.status.code(), Some(code), "{self}");
        self
    }

    /// Panics where standard output has not this in it.
    #[track_caller]
    pub(crate) fn says(&self, part: &str) -> &Self {
        assert!(self.stdout.contains(part), "{part:?} is not in the output of: {self}");
        self
    }

    /// Panics where standard error has not this in it.
    #[track_caller]
    pub(crate) fn complains(&self, part: &str) -> &Self {
        assert!(self.stderr.contains(part), "{part:?} is not in the errors of: {self}");
        self
    }

    /// Panics where any of these was written, without repeating it.
    #[track_caller]
    pub(crate) fn keeps(&self, secrets: &[String]) -> &Self {
        for (number, secret) in secrets.iter().enumerate() {
            assert!(
                secret.len() >= 8,
                "secret {number} is too short to be told from other text"
            );
            for (stream, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
                assert!(!text.contains(secret.as_str()), "secret {number} is on {stream}");
            }
        }
        self
    }
}

/// What of a database URL may never be shown.
pub(crate) fn password_of(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let password = url.password().unwrap_or_default();
    // A short one, as a given test server may have, could be part of any text.
    if password.len() < 16 {
        format!("{}:{password}@", url.username())
    } else {
        password.to_owned()
    }
}
