//! The committed document passes its lint, a client made of it compiles and gets through a day, and people come in through the
//! provider of their organization.

use std::process::Command;

use super::{Place, identity_provider::IdentityProvider, node, port::Port, server::Server};
use crate::{requirements::Variables, steps, surroundings::Surroundings};

pub(super) fn run(surroundings: &Surroundings, found: &Variables, place: &Place) -> anyhow::Result<()> {
    node::install(place)?;
    for (step, script) in [
        ("lint of the document", "lint"),
        ("types of the document", "generate"),
        ("types of the client", "check"),
    ] {
        steps::run(step, node::npm(place).args(["run", "--silent", script]))?;
    }
    let provider = IdentityProvider::start(place)?;
    // The single sign-on answers there; until then nobody does.
    let names = Port::hold()?;
    let dns = format!("127.0.0.1:{}", names.number);
    let variables = [provider.variables().as_slice(), &[("TENANTRY_DNS_SERVERS", &dns)]].concat();
    let server = Server::start(surroundings, found, &place.results, "server", &variables)?;
    let mut journey = node::npm(place);
    steps::run(
        "journey of the client",
        provider.tell(server.tell(journey.args(["run", "--silent", "journey"]))),
    )?;
    let mut single_sign_on = Command::new("node");
    single_sign_on
        .arg(place.sources.join("identity_provider/single_sign_on.mjs"))
        .env("TENANTRY_NAME_SERVER", &dns);
    steps::run("single sign-on", provider.tell(server.tell(&mut single_sign_on)))?;
    server.stop()
}
