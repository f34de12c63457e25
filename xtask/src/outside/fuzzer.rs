//! Requests that nobody would send, made of the served document.

use std::process::Command;

use super::{Place, identity_provider::IdentityProvider, node, port::Port, python, server::Server};
use crate::{requirements::Variables, steps, surroundings::Surroundings};

pub(super) fn run(surroundings: &Surroundings, found: &Variables, place: &Place) -> anyhow::Result<()> {
    let sources = place.sources.join("fuzzing");
    let environment = place.kept.join("python");
    python::install(&environment, &sources.join("requirements.txt"))?;
    node::install(place)?;
    let provider = IdentityProvider::start(place)?;
    let known = provider.variables();
    // The fuzzer answers there: what proves domains is in its hands.
    let names = Port::hold()?;
    let dns = format!("127.0.0.1:{}", names.number);
    let without_limits = [
        known.as_slice(),
        &[("TENANTRY_RATE_LIMITS", "off"), ("TENANTRY_DNS_SERVERS", &dns)],
    ]
    .concat();
    let unlimited = Server::start(surroundings, found, &place.results, "unlimited", &without_limits)?;
    let limited = Server::start(surroundings, found, &place.results, "limited", &known)?;
    let mut fuzzer = Command::new(environment.join("bin/python"));
    fuzzer
        .arg(sources.join("run.py"))
        .env("TENANTRY_LIMITED_URL", limited.url())
        .env("TENANTRY_NAME_SERVER", &dns)
        .env("TENANTRY_FUZZ_REPORTS", place.results.join("reports"));
    steps::run("fuzzer", provider.tell(unlimited.tell(&mut fuzzer)))?;
    unlimited.stop()?;
    limited.stop()
}
