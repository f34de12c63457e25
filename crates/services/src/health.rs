//! Whether the service can serve.

use std::time::Duration;

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
        if let Ok(Err(error)) = &answer {
            tracing::warn!(error = %error, "the database gives no sign of life");
        }
        let check = Check {
            up: matches!(answer, Ok(Ok(()))),
            latency: started.elapsed(),
        };
        *last = Some((Instant::now(), check));
        check
    }
}
