//! The binary. Everything is in the library, where tests reach it.

use std::process::ExitCode;

/// The system's own keeps what a password hash took, 19 MiB each, for ever; this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tenantry::cli::main().into()
}
