//! Mail through a mail server that was not written here.

use std::{fs, path::Path, process::Command};

use anyhow::Context as _;

use super::{Place, port::Port, python, server::Server};
use crate::{requirements::Variables, steps, surroundings::Surroundings};

/// Who signs in to the mail server.
const USER: &str = "tenantry@mail.example";

/// By what: it holds what has to be encoded in a URL.
const PASSWORD: &str = "lantern/harbour:100%";

/// Both as they stand in a URL.
const ENCODED: &str = "tenantry%40mail.example:lantern%2Fharbour%3A100%25";

/// Whom mails are from.
const FROM: &str = "Tenantry Check <no-reply@mail.example>";

pub(super) fn run(surroundings: &Surroundings, found: &Variables, place: &Place) -> anyhow::Result<()> {
    let sources = place.sources.join("mail");
    let environment = place.kept.join("python-mail");
    python::install(&environment, &sources.join("requirements.txt"))?;
    let certificates = place.results.join("certificates");
    make_certificates(&certificates)?;
    let authority = certificates.join("trusted-ca.pem");
    let authority = authority.to_str().context("the path of the checkout is not UTF-8")?;

    // Held until the services have ports of their own, so that none of them takes one of these.
    let (plain, encrypted) = (Port::hold()?, Port::hold()?);
    let server = Server::start(
        surroundings,
        found,
        &place.results,
        "server",
        &[
            ("TENANTRY_RATE_LIMITS", "off"),
            (
                "TENANTRY_SMTP_URL",
                &format!("smtp://{ENCODED}@127.0.0.1:{}?tls=none", plain.number),
            ),
            ("TENANTRY_MAIL_FROM", FROM),
        ],
    )?;
    let encrypting = Server::start(
        surroundings,
        found,
        &place.results,
        "encrypting",
        &[
            ("TENANTRY_RATE_LIMITS", "off"),
            (
                "TENANTRY_SMTP_URL",
                &format!("smtp://{ENCODED}@127.0.0.1:{}", encrypted.number),
            ),
            ("TENANTRY_MAIL_FROM", FROM),
            // In place of what the system trusts, where the system keeps that in files.
            ("SSL_CERT_FILE", authority),
        ],
    )?;
    let mut check = Command::new(environment.join("bin/python"));
    check
        .arg(sources.join("run.py"))
        .env("TENANTRY_SMTP_PORT", plain.release().to_string())
        .env("TENANTRY_ENCRYPTED_URL", encrypting.url())
        .env("TENANTRY_ENCRYPTED_SMTP_PORT", encrypted.release().to_string())
        .env("TENANTRY_SMTP_USER", USER)
        .env("TENANTRY_SMTP_PASSWORD", PASSWORD)
        .env("TENANTRY_MAIL_FROM", FROM)
        .env("TENANTRY_CERTIFICATES", &certificates);
    steps::run("mail", server.tell(&mut check))?;
    server.stop()?;
    encrypting.stop()
}

/// Makes two authorities, and of each a certificate of this machine's address: `trusted` and `stranger`.
fn make_certificates(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    for name in ["trusted", "stranger"] {
        let authority = format!("{name}-ca");
        let subject = format!("/CN=Tenantry check, {name}");
        steps::run(
            "authority",
            request(folder, &authority, &subject).args(["-addext", "keyUsage=critical,keyCertSign"]),
        )?;
        steps::run(
            "certificate",
            request(folder, name, "/CN=127.0.0.1")
                .args([
                    "-CA",
                    &format!("{authority}.pem"),
                    "-CAkey",
                    &format!("{authority}.key"),
                ])
                .args(["-addext", "basicConstraints=critical,CA:FALSE"])
                .args(["-addext", "subjectAltName=IP:127.0.0.1"])
                .args(["-addext", "extendedKeyUsage=serverAuth"]),
        )?;
    }
    Ok(())
}

/// `openssl` about to make a key and its certificate, for this day.
fn request(folder: &Path, name: &str, subject: &str) -> Command {
    let mut openssl = Command::new("openssl");
    openssl
        .current_dir(folder)
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1", "-subj", subject,
        ])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")]);
    openssl
}
