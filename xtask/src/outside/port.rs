//! Ports of this machine that are free.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context as _;

/// A port that nobody else gets.
pub(super) struct Port {
    pub(super) number: u16,
    _held: TcpListener,
}

impl Port {
    pub(super) fn hold() -> anyhow::Result<Self> {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a free port")?;
        let number = held.local_addr().context("looking for a free port")?.port();
        Ok(Self { number, _held: held })
    }

    /// Gives it to whoever is told its number.
    pub(super) fn release(self) -> u16 {
        self.number
    }
}
