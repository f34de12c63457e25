//! The documentation in a browser: signs in, tries operations, and leaves screenshots.

use super::{Place, identity_provider::IdentityProvider, node, server::Server};
use crate::{requirements, requirements::Variables, steps, surroundings::Surroundings};

pub(super) fn run(surroundings: &Surroundings, found: &Variables, place: &Place) -> anyhow::Result<()> {
    node::install(place)?;
    let provider = IdentityProvider::start(place)?;
    let server = Server::start(surroundings, found, &place.results, "server", &provider.variables())?;
    let mut browser = std::process::Command::new("node");
    browser
        .arg(place.sources.join("browser/docs_page.mjs"))
        .env("TENANTRY_CHROMIUM", requirements::chromium(surroundings)?)
        .env("TENANTRY_SCREENSHOTS", &place.results);
    steps::run("documentation in a browser", provider.tell(server.tell(&mut browser)))?;
    server.stop()
}
