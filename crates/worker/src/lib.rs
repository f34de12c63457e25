//! Does jobs: asks which are due, takes each for the time of a lease, and calls the service that does it.
//!
//! Any number of workers may run, in one process with the server or apart: a job is one worker's at a time. One that is
//! killed leaves its jobs to others once their leases end. To add a kind of job: `tenantry_domain::jobs`.

use std::time::Duration;

use tenantry_services::{Services, jobs::DueJob};
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// How many jobs are done at once.
const AT_ONCE: usize = 4;

/// How long a worker waits before it asks again, when nothing tells it of a job.
const PAUSE: Duration = Duration::from_secs(1);

/// How long it waits after the database has refused.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(5);

/// A worker that works.
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// How many due jobs are asked for, for each that there is room for: other workers take some of them first.
const ASKED_FOR: usize = 4;

/// Starts to work.
#[must_use]
pub fn start(services: Services) -> Running {
    let (stop, stopped) = watch::channel(false);
    Running {
        stop,
        task: tokio::spawn(work(services, stopped)),
    }
}

impl Running {
    /// Returns when the worker ends by itself, which it does only when it fails.
    pub async fn finished(&mut self) {
        if let Err(error) = (&mut self.task).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the worker failed");
        }
    }

    /// Takes no more jobs, and lets those under way end for as long as `patience` lasts. The rest is another worker's, once
    /// their leases end.
    pub async fn stop(mut self, patience: Duration) {
        self.stop.send_replace(true);
        if self.task.is_finished() {
            return;
        }
        match timeout(patience, &mut self.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = &error as &dyn std::error::Error, "the worker failed"),
            Err(_) => {
                tracing::warn!("left jobs to another worker");
                self.task.abort();
            }
        }
    }
}

async fn work(services: Services, mut stopped: watch::Receiver<bool>) {
    let mut under_way = JoinSet::new();
    while !*stopped.borrow() {
        let pause = match take(&services, &mut under_way, &stopped).await {
            // There may be more.
            Ok(found) if found > 0 && under_way.len() < AT_ONCE => continue,
            Ok(_) => PAUSE,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "jobs cannot be asked for");
                PAUSE_AFTER_ERROR
            }
        };
        let full = under_way.len() >= AT_ONCE;
        tokio::select! {
            Some(ended) = under_way.join_next() => tell(ended),
            () = services.job_added(), if !full => {}
            () = sleep(pause), if !full => {}
            _ = stopped.changed() => {}
        }
    }
    while let Some(ended) = under_way.join_next().await {
        tell(ended);
    }
}

/// What became of a job was told where it came about, unless it panicked.
fn tell(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(error = &error as &dyn std::error::Error, "a job was cut short");
    }
}

/// Takes as many jobs as there is room for, and gives how many were due.
async fn take(
    services: &Services,
    under_way: &mut JoinSet<()>,
    stopped: &watch::Receiver<bool>,
) -> tenantry_services::Result<usize> {
    let asked_for = AT_ONCE.saturating_sub(under_way.len()) * ASKED_FOR;
    let due: Vec<DueJob> = services.due_jobs(u32::try_from(asked_for).unwrap_or(u32::MAX)).await?;
    let found = due.len();
    for due in due {
        if *stopped.borrow() || under_way.len() >= AT_ONCE {
            break;
        }
        let Some(job) = services.take_job(due).await? else {
            continue;
        };
        let services = services.clone();
        under_way.spawn(async move {
            if let Err(error) = services.do_job(job).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a job was not ended");
            }
        });
    }
    Ok(found)
}
