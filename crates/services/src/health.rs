//! Whether the service can serve.

use std::time::Duration;

use tokio::time::{Instant, timeout};

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

impl Services {
    /// Asks the database for a sign of life.
    #[tracing::instrument(skip_all)]
    pub async fn check_database(&self) -> Check {
        let started = Instant::now();
        let answer = timeout(PATIENCE, self.database().ping()).await;
        if let Ok(Err(error)) = &answer {
            tracing::warn!(error = %error, "the database gives no sign of life");
        }
        Check {
            up: matches!(answer, Ok(Ok(()))),
            latency: started.elapsed(),
        }
    }
}
