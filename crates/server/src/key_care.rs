//! Sees to the keys of a process that runs: follows their files, and rotates the signing keys on a schedule.
//!
//! What fails is in the log, and tried again: a process goes on with the keys that it has.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use chrono::TimeDelta;
use tenantry_auth::keys::{
    KeyError, Keyring,
    rotation::{self, KEPT_DAYS, Keep, sealing_since},
};
use tenantry_domain::environment::{Environment, Timestamp};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

/// How long it takes at most until a change of the files counts.
pub const RELOAD: Duration = Duration::from_secs(10);

/// How long until it is asked again whether a rotation is due, and until a failure that lasts is said again.
const PAUSE: TimeDelta = TimeDelta::hours(1);

/// When signing keys are rotated.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Their folder.
    pub folder: PathBuf,
    /// The file or folder of the keys that secrets are sealed with.
    pub encryption_keys: PathBuf,
    /// How many days old the youngest gets before another one is made.
    pub days: u16,
}

/// The care that is taken of the keys, until it is dropped.
#[derive(Debug)]
pub struct KeyCare(JoinHandle<()>);

impl KeyCare {
    /// Begins to follow the files of these keys, and to rotate by this schedule, if there is one.
    #[must_use]
    pub fn start(
        signing_keys: Arc<Keyring>,
        encryption_keys: Option<Arc<Keyring>>,
        schedule: Option<Schedule>,
        environment: Environment,
    ) -> Self {
        let carer = Carer {
            signing_keys,
            encryption_keys,
            schedule,
            environment,
            rotated_at: None,
            told: HashMap::new(),
        };
        Self(tokio::spawn(take_care(carer)))
    }
}

impl Drop for KeyCare {
    fn drop(&mut self) {
        // What is under way with the files is short, and ends as a whole.
        self.0.abort();
    }
}

async fn take_care(mut carer: Carer) {
    let mut ticks = interval(RELOAD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let turn = spawn_blocking(move || {
            carer.turn();
            carer
        });
        carer = match turn.await {
            Ok(carer) => carer,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "keys are not followed any more"
                );
                return;
            }
        };
    }
}

/// Whose file failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    SigningKeys,
    EncryptionKeys,
}

/// What takes care, and remembers what it said.
struct Carer {
    signing_keys: Arc<Keyring>,
    encryption_keys: Option<Arc<Keyring>>,
    schedule: Option<Schedule>,
    environment: Environment,
    /// When it was asked last whether a rotation is due.
    rotated_at: Option<Timestamp>,
    /// The last failure of each, and when it was said: one that lasts is said again after an hour, and not at every turn.
    told: HashMap<Subject, (String, Timestamp)>,
}

impl Carer {
    fn turn(&mut self) {
        let now = self.environment.now();
        let reloaded = self.signing_keys.reload(now);
        if self.heard(Subject::SigningKeys, reloaded) {
            let keys = self.signing_keys.jwks().keys;
            let signer = keys.first().map(|key| key.kid.as_str());
            tracing::info!(keys = keys.len(), signer, "read the signing keys again");
        }
        if let Some(reloaded) = self.encryption_keys.as_ref().map(|keys| keys.reload(now))
            && self.heard(Subject::EncryptionKeys, reloaded)
        {
            tracing::info!("read the encryption keys again");
        }
        if let Some(schedule) = &self.schedule
            && self.rotated_at.is_none_or(|at| is_an_hour_ago(at, now))
        {
            rotate(schedule, &self.environment);
            self.rotated_at = Some(now);
        }
    }

    /// Whether keys were read again. That they could not be is logged, once an hour for each reason.
    fn heard(&mut self, subject: Subject, reloaded: Result<bool, KeyError>) -> bool {
        match reloaded {
            Ok(changed) => {
                self.told.remove(&subject);
                changed
            }
            Err(error) => {
                let message = error.to_string();
                let now = self.environment.now();
                let told = self.told.get(&subject);
                if told.is_none_or(|(before, at)| *before != message || is_an_hour_ago(*at, now)) {
                    tracing::error!(
                        keys = ?subject,
                        error = &error as &dyn std::error::Error,
                        "keys cannot be read again: those of before stay in use"
                    );
                    self.told.insert(subject, (message, now));
                }
                false
            }
        }
    }
}

fn is_an_hour_ago(at: Timestamp, now: Timestamp) -> bool {
    now.signed_duration_since(at).abs() >= PAUSE
}

fn rotate(schedule: &Schedule, environment: &Environment) {
    let age = TimeDelta::days(schedule.days.into());
    let rotated = sealing_since(&schedule.encryption_keys, environment.now()).and_then(|since| {
        let keep = Keep {
            after: TimeDelta::days(KEPT_DAYS.into()),
            sealing_since: Some(since),
        };
        rotation::rotate_when_old(&schedule.folder, age, keep, environment)
    });
    // What is made and removed is logged where it is done.
    if let Err(error) = rotated {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "signing keys cannot be rotated"
        );
    }
}
