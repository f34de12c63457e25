#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failing test should stop where it fails"
)]

use std::path::Path;

use clap::{CommandFactory as _, Parser as _, error::ErrorKind};

use super::{Cli, Command, ConfigCommand, Keys, Migrate, SeedSize};
use crate::{configuration::Purpose, exit_code::ExitCode};

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split(' '))
}

#[test]
fn the_definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn dev_takes_its_options() {
    let Command::Dev(dev) = parse("tenantry dev --data-dir /d --listen [::1]:0 --no-demo")
        .unwrap()
        .command
    else {
        panic!("another command");
    };
    assert_eq!(dev.data_dir.as_deref(), Some(Path::new("/d")));
    assert_eq!(dev.listen, Some("[::1]:0".parse().unwrap()));
    assert!(dev.no_demo);
}

#[test]
fn down_goes_one_step_and_keeps_data_unless_told_otherwise() {
    let down = |line: &str| match parse(line).unwrap().command {
        Command::Migrate(Migrate::Down {
            steps,
            accept_data_loss,
        }) => (steps, accept_data_loss),
        _ => panic!("another command"),
    };
    assert_eq!(down("tenantry migrate down"), (1, false));
    assert_eq!(down("tenantry migrate down --steps 3 --accept-data-loss"), (3, true));
}

#[test]
fn seeding_is_small_and_keeps_off_others_unless_told_otherwise() {
    let seed = |line: &str| match parse(line).unwrap().command {
        Command::Seed(options) => (options.size, options.beside_others),
        _ => panic!("another command"),
    };
    assert_eq!(seed("tenantry seed"), (SeedSize::Demo, false));
    assert_eq!(seed("tenantry seed --size large"), (SeedSize::Large, false));
    assert_eq!(
        seed("tenantry seed --size large --beside-others"),
        (SeedSize::Large, true)
    );
}

#[test]
fn keys_are_rotated_with_an_overlap_unless_told_otherwise() {
    let rotate = |line: &str| match parse(line).unwrap().command {
        Command::Keys(Keys::Rotate(options)) => (options.at_once, options.keep_days),
        _ => panic!("another command"),
    };
    assert_eq!(rotate("tenantry keys rotate"), (false, 8));
    assert_eq!(rotate("tenantry keys rotate --at-once --keep-days 365"), (true, 365));
}

#[test]
fn check_looks_at_what_serving_needs_unless_told_otherwise() {
    let purpose = |line: &str| match parse(line).unwrap().command {
        Command::Config(ConfigCommand::Check { purpose }) => purpose,
        _ => panic!("another command"),
    };
    assert_eq!(purpose("tenantry config check"), Purpose::Serve);
    assert_eq!(purpose("tenantry config check --for dev"), Purpose::Dev);
}

#[test]
fn the_file_can_be_named_before_and_after_the_command() {
    for line in [
        "tenantry --config /c serve",
        "tenantry serve --config /c",
        "tenantry config check --config /c",
    ] {
        assert_eq!(parse(line).unwrap().config.as_deref(), Some(Path::new("/c")), "{line}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_the_documented_code() {
    for (line, kind) in [
        ("tenantry fly", ErrorKind::InvalidSubcommand),
        ("tenantry serve --no-such", ErrorKind::UnknownArgument),
        ("tenantry dev --listen here", ErrorKind::ValueValidation),
        ("tenantry migrate down --steps 0", ErrorKind::ValueValidation),
        ("tenantry keys rotate --keep-days 0", ErrorKind::ValueValidation),
        ("tenantry keys rotate --keep-days 366", ErrorKind::ValueValidation),
        ("tenantry migrate new", ErrorKind::MissingRequiredArgument),
        ("tenantry openapi --out a --check b", ErrorKind::ArgumentConflict),
        ("tenantry config check --for nothing", ErrorKind::InvalidValue),
    ] {
        let error = parse(line).unwrap_err();
        assert_eq!(error.kind(), kind, "{line}");
        assert_eq!(error.exit_code(), ExitCode::Usage as i32, "{line}");
    }
}

#[test]
fn help_names_commands_examples_and_exit_codes() {
    let help = Cli::command().render_long_help().to_string();
    for code in ExitCode::ALL {
        assert!(help.contains(code.meaning()), "{help}");
    }
    for part in [
        "serve",
        "dev",
        "migrate",
        "seed",
        "openapi",
        "config",
        "doctor",
        "health",
        "keys",
        "tenantry migrate up",
        "TENANTRY_",
    ] {
        assert!(help.contains(part), "{part} is not in {help}");
    }
}
