//! The committed document passes its lint, and a client made of it compiles and gets through a day.

use super::{Place, node, server::Server};
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
    let server = Server::start(surroundings, found, &place.results, "server", &[])?;
    let mut journey = node::npm(place);
    steps::run(
        "journey of the client",
        server.tell(journey.args(["run", "--silent", "journey"])),
    )?;
    server.stop()
}
