//! Handing mails to a mail server.
//!
//! Connections are kept for a while and used again. lettre has a pool of its own, which keeps a connection even when
//! the sending was cut off in the middle, by a limit of time for instance: the next mail would then take the late
//! answer to the former one for its own. Here a connection is kept only after a mail went through.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lettre::{address::Envelope, message::Mailbox, transport::smtp::client::AsyncSmtpConnection};
use tenantry_domain::environment::Timestamp;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout},
};

use super::{Mail, SendError, Trouble, message, server::Server};

/// How many connections there are at most, busy or not.
const MAX_CONNECTIONS: usize = 4;

/// How long a connection waits for the next mail.
const IDLE: Duration = Duration::from_secs(60);

/// How long one mail may take, waiting for a connection included.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// A mail server, and who mails are from.
pub(super) struct Smtp {
    server: Server,
    from: Mailbox,
    slots: Semaphore,
    idle: Arc<Idle>,
}

/// The connections that wait for a mail, the latest last.
#[derive(Default)]
struct Idle(Mutex<Vec<(AsyncSmtpConnection, Instant)>>);

impl Smtp {
    pub(super) fn new(server: Server, from: Mailbox) -> Self {
        Self {
            server,
            from,
            slots: Semaphore::new(MAX_CONNECTIONS),
            idle: Arc::default(),
        }
    }

    pub(super) async fn send(&self, mail: &Mail, now: Timestamp) -> Result<(), SendError> {
        let message = message::build(mail, &self.from, now).map_err(SendError::Refused)?;
        let bytes = message.formatted();
        // On the heap, since a handshake's state is large.
        let delivery = Box::pin(self.deliver(message.envelope(), &bytes));
        match timeout(SEND_TIMEOUT, delivery).await {
            Ok(done) => done,
            Err(_) => Err(SendError::Temporary(Trouble::Timeout)),
        }
    }

    async fn deliver(&self, envelope: &Envelope, bytes: &[u8]) -> Result<(), SendError> {
        let _slot = self
            .slots
            .acquire()
            .await
            .map_err(|_| SendError::Temporary(Trouble::Connection))?;
        let mut connection = self.connection().await?;
        connection.send(envelope, bytes).await?;
        self.idle.put(connection);
        let idle = Arc::downgrade(&self.idle);
        tokio::spawn(async move {
            sleep(IDLE).await;
            if let Some(idle) = idle.upgrade() {
                drop(idle.fresh());
            }
        });
        Ok(())
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, SendError> {
        if let Some(mut connection) = self.idle.take() {
            if Server::answers(&mut connection).await {
                return Ok(connection);
            }
            // What cut this one cut the others, and asking each would take all the time there is.
            self.idle.clear();
        }
        self.server.connect().await
    }
}

impl Idle {
    fn put(&self, connection: AsyncSmtpConnection) {
        self.fresh().push((connection, Instant::now()));
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        self.fresh().pop().map(|(connection, _)| connection)
    }

    fn clear(&self) {
        self.fresh().clear();
    }

    /// The connections that have not waited too long; the others are closed.
    fn fresh(&self) -> MutexGuard<'_, Vec<(AsyncSmtpConnection, Instant)>> {
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connections.retain(|(_, since)| since.elapsed() < IDLE);
        connections
    }
}
