//! Whether the service can serve, and whether it is still to be sent requests.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use crate::Services;

/// How long a dependency may take to give a sign of life.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a dependency answered.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Whether it answered in time.
    pub up: bool,
    /// How long that took.
    pub latency: Duration,
}

/// How long an answer is told to whoever asks: however many ask, the database is asked no more often.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// The last answer, and when it was asked for.
pub(crate) type Last = Mutex<Option<(Instant, Check)>>;

impl Services {
    /// Asks the database for a sign of life, once a second at the most.
    #[tracing::instrument(skip_all)]
    pub async fn check_database(&self) -> Check {
        let mut last = self.last_check().lock().await;
        if let Some((at, check)) = *last
            && at.elapsed() < GOOD_FOR
        {
            return check;
        }
        let started = Instant::now();
        let answer = timeout(PATIENCE, self.database().ping()).await;
        match &answer {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %error, "the database gives no sign of life"),
            Err(_) => tracing::warn!(seconds = PATIENCE.as_secs(), "the database does not answer"),
        }
        let check = Check {
            up: matches!(answer, Ok(Ok(()))),
            latency: started.elapsed(),
        };
        *last = Some((Instant::now(), check));
        check
    }

    /// From now on the service is not ready, so that whoever routes requests sends them elsewhere; those that come
    /// are answered as before. There is no way back: the process is about to end.
    pub fn begin_draining(&self) {
        self.draining().store(true, Ordering::Relaxed);
    }

    /// Whether the process is about to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining().load(Ordering::Relaxed)
    }
}
