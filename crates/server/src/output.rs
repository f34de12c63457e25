//! The one place that writes to the terminal: results to standard output; errors, progress and logs to standard error,
//! so that a result can be piped while the rest stays visible.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The spinner that is on the terminal now: whatever else writes there must step around it.
static SPINNER: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// Writes a line of the result to standard output.
///
/// # Errors
/// Standard output cannot be written to. That its reader has gone is no error: it has read enough.
pub fn line(text: impl fmt::Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Writes an error and all its causes to standard error.
pub fn error(error: &anyhow::Error) {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    to_stderr(text.as_bytes());
}

/// What long steps show: a spinner on a terminal, a line for each step elsewhere. Dropping it takes the spinner away.
#[derive(Debug)]
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Nothing is shown before the first step.
    #[must_use]
    pub fn start() -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
        bar.enable_steady_tick(TURN);
        *spinner() = Some(bar.clone());
        Self(Some(bar))
    }

    /// What is being done from now on.
    pub fn step(&self, text: &str) {
        match &self.0 {
            Some(bar) => bar.set_message(format!("{text} …")),
            None => to_stderr(format!("{text} …\n").as_bytes()),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
            *spinner() = None;
        }
    }
}

/// How far a long piece of work is: a bar on a terminal, a line for each tenth elsewhere. Dropping it takes the bar away.
#[derive(Debug)]
pub struct Meter {
    bar: ProgressBar,
    /// What is counted.
    what: &'static str,
    /// Whether there is a terminal that shows the bar.
    shown: bool,
}

impl Meter {
    /// Nothing of `total` has been done.
    #[must_use]
    pub fn start(what: &'static str, total: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        let shown = io::stderr().is_terminal();
        if shown {
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar.set_draw_target(ProgressDrawTarget::stderr());
            *spinner() = Some(bar.clone());
        }
        Self { bar, what, shown }
    }

    /// So much more has been done.
    pub fn advance(&self, by: usize) {
        let total = self.bar.length().unwrap_or_default();
        let tenths = |done: u64| (done * 10).checked_div(total).unwrap_or(10);
        let before = self.bar.position();
        self.bar.inc(by as u64);
        let done = before + by as u64;
        if !self.shown && tenths(done) > tenths(before) {
            to_stderr(format!("{done} of {total} {}\n", self.what).as_bytes());
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.shown {
            self.bar.finish_and_clear();
            *spinner() = None;
        }
    }
}

/// How a [`Meter`] looks.
const BAR: &str = "{wide_bar} {human_pos} of {human_len} {msg}, {elapsed}";

/// Standard error for log lines.
#[derive(Debug, Clone, Copy)]
pub struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        to_stderr(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn spinner() -> impl std::ops::DerefMut<Target = Option<ProgressBar>> {
    SPINNER.lock().unwrap_or_else(PoisonError::into_inner)
}

fn to_stderr(bytes: &[u8]) {
    // Where standard error cannot be written to, there is nowhere left to say so.
    let write = || drop(io::stderr().lock().write_all(bytes));
    match spinner().as_ref() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}
