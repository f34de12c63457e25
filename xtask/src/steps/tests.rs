use std::process::Command;

use super::{Failed, run, shown};

#[test]
fn a_failing_step_keeps_its_exit_code() {
    let error = run("seven", Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
    assert_eq!(error.downcast_ref::<Failed>().map(|failed| failed.code), Some(7));
    let error = run("killed", Command::new("sh").args(["-c", "kill -TERM $$"])).unwrap_err();
    assert_eq!(error.downcast_ref::<Failed>().map(|failed| failed.code), Some(1));
    run("fine", &mut Command::new("true")).unwrap();
}

#[test]
fn a_missing_program_is_named() {
    let error = run("lint", &mut Command::new("/no/such/program")).unwrap_err();
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}

#[test]
fn a_command_is_shown_as_one_would_type_it() {
    let mut command = Command::new("/home/somebody/.rustup/bin/cargo");
    command.args(["clippy", "--", "-D", "warnings", "two words"]);
    assert_eq!(shown(&command), "cargo clippy -- -D warnings 'two words'");
}
