//! Tokens of trusted devices: whoever shows one used a second factor on that device, and is not asked for it again for a while.
//! It is worth nothing without the password.

use crate::opaque_tokens::{Kind, OpaqueToken};

/// What sets tokens of trusted devices apart from others.
#[derive(Debug, Clone, Copy)]
pub enum Device {}

impl Kind for Device {
    const PREFIX: &'static str = "tnd_";
}

/// The token of a trusted device as it keeps it.
pub type DeviceToken = OpaqueToken<Device>;
