//! `tenantry worker`, and jobs that outlive whoever does them.

use std::time::Duration;

use serde_json::json;
use tenantry_tests::{client::PASSWORD, database::TestDatabase};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{
    process::{Invocation, eventually, tenantry},
    serving::{Deployment, Serving},
};

/// A mail server that takes whatever comes, and keeps it.
struct MailServer {
    url: String,
    mails: watch::Receiver<Vec<String>>,
}

impl MailServer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url(&listener);
        let (kept, mails) = watch::channel(Vec::new());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = kept.clone();
                // One that hangs up is done.
                tokio::spawn(async move { take_mails(stream, &kept).await.unwrap_or_default() });
            }
        });
        Self { url, mails }
    }

    fn count(&self) -> usize {
        self.mails.borrow().len()
    }
}

fn url(listener: &TcpListener) -> String {
    format!("smtp://{}?tls=none", listener.local_addr().unwrap())
}

async fn take_mails(mut stream: TcpStream, kept: &watch::Sender<Vec<String>>) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 mail.test\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        if line.starts_with("DATA") {
            write.write_all(b"354 go on\r\n").await?;
            let mut mail = String::new();
            while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                mail.push_str(&line);
                mail.push('\n');
            }
            kept.send_modify(|mails| mails.push(mail));
        }
        write.write_all(b"250 ok\r\n").await?;
    }
    Ok(())
}

fn mailing(invocation: Invocation, url: &str) -> Invocation {
    invocation
        .env("TENANTRY_SMTP_URL", url)
        .env("TENANTRY_MAIL_FROM", "Tenantry <no-reply@tenantry.test>")
        .env("TENANTRY_PUBLIC_URL", "https://app.tenantry.test")
}

/// The one job there is becomes another worker's, as if a minute had passed.
async fn end_the_lease(database: &TestDatabase) {
    database
        .superuser("update user_jobs set due_at = now() - interval '1 second'")
        .await;
}

#[tokio::test]
async fn what_a_killed_worker_had_is_done_by_another_and_once() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = Serving::of(mailing(deployment.serve(), &url(&silent)).start()).await;
    serving.client().register("Ann", None).await;
    eventually("the job to be taken", async || {
        (database.count("user_jobs where lease is not null").await == 1).then_some(())
    })
    .await;
    serving.process.kill().await;
    assert_eq!(database.count("user_jobs where due_at > now()").await, 1);

    let mail_server = MailServer::start().await;
    let workers = [(); 2].map(|()| mailing(deployment.command("worker"), &mail_server.url).start());
    for worker in &workers {
        worker.stderr_with("doing jobs").await;
    }
    end_the_lease(&database).await;
    eventually("the job to be done", async || {
        (database.count("user_jobs").await == 0).then_some(())
    })
    .await;
    assert_eq!(mail_server.count(), 1);
    let mail = mail_server.mails.borrow()[0].clone();
    // Quoted-printable: lines are folded, and `=` is written as its code.
    let unfolded = mail.replace("=\n", "").replace("=3D", "=");
    let (_, secret) = unfolded
        .split_once("https://app.tenantry.test/verify-email?token=")
        .unwrap();
    let secret = secret.split_whitespace().next().unwrap().to_owned();
    let mut secrets = deployment.secrets();
    secrets.push(secret.clone());
    for worker in workers {
        worker.stop().await.expect(0).keeps(&secrets);
    }
    assert_eq!(mail_server.count(), 1);

    let serving = Serving::of(mailing(deployment.serve(), &mail_server.url).start()).await;
    let body = json!({ "token": secret });
    let verified = serving.client().post("/api/v1/auth/email/verify", &body).await;
    verified.expect(reqwest::StatusCode::OK);
    serving.stop().await.keeps(&secrets);
}

#[tokio::test]
async fn a_server_without_a_worker_leaves_jobs_to_one() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let mail_server = MailServer::start().await;
    let serve = mailing(deployment.command("serve --no-worker"), &mail_server.url);
    let serving = Serving::of(serve.start()).await;
    let ann = json!({ "email": "ann@example.com", "password": PASSWORD, "name": "Ann" });
    let registered = serving.client().post("/api/v1/auth/register", &ann).await;
    registered.expect(reqwest::StatusCode::CREATED);
    let worker = mailing(deployment.command("worker"), &mail_server.url).start();
    worker.stderr_with("a mail was sent").await;
    let outcome = serving.stop().await;
    assert!(!outcome.stderr.contains("a mail was sent"), "{}", outcome.stderr);
    worker.stop().await.expect(0);
    assert_eq!(mail_server.count(), 1);
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_lets_its_job_end() {
    let database = TestDatabase::new().await;
    let deployment = Deployment::new(database.runtime_url(), database.owner_url());
    let slow = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let serving = Serving::of(mailing(deployment.serve(), &url(&slow)).start()).await;
    serving.client().register("Ann", None).await;
    let (stream, _) = slow.accept().await.unwrap();
    serving.process.signal(nix::sys::signal::Signal::SIGTERM);
    serving.process.stderr_with("not listening any more").await;
    let (kept, mails) = watch::channel(Vec::new());
    take_mails(stream, &kept).await.unwrap_or_default();
    serving.process.ended(Duration::from_secs(30)).await.expect(0);
    assert_eq!(mails.borrow().len(), 1);
    assert_eq!(database.count("user_jobs").await, 0);
}

#[tokio::test]
async fn a_worker_refuses_what_a_server_refuses() {
    let database = TestDatabase::new().await;
    let unsafe_deployment = Deployment::new(database.bypass_url(), database.owner_url());
    unsafe_deployment
        .command("worker")
        .run()
        .await
        .expect(4)
        .complains("bypass");
    let refused = Deployment::new(database.runtime_url(), database.owner_url())
        .command("worker")
        .env("TENANTRY_SMTP_URL", "smtp://mailer:hunter2@mail:587")
        .run()
        .await;
    refused
        .expect(3)
        .complains("TENANTRY_MAIL_FROM")
        .complains("TENANTRY_PUBLIC_URL")
        .keeps(&["hunter2 and more".to_owned()]);
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
}

#[tokio::test]
async fn mails_can_be_looked_at() {
    let text = tenantry("mail preview reset_password --locale de").run().await;
    text.expect(0).says("Subject: ").says("Passwort").says("https://");
    let html = tenantry("mail preview verify_email --part html").run().await;
    html.expect(0).says("<html lang=\"en\">").says("href=\"https://");
    for (wrong, told) in [
        ("mail preview invoice", "verify_email, reset_password"),
        ("mail preview verify_email --locale fr", "en, de"),
    ] {
        tenantry(wrong).run().await.expect(1).complains(told);
    }
}
