//! The committed document passes its lint, and a client made of it compiles and gets through a day.

use super::{Place, identity_provider::IdentityProvider, node, server::Server};
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
    let server = Server::start(surroundings, found, &place.results, "server", &provider.variables())?;
    let mut journey = node::npm(place);
    steps::run(
        "journey of the client",
        provider.tell(server.tell(journey.args(["run", "--silent", "journey"]))),
    )?;
    server.stop()
}
