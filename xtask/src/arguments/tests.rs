use std::ffi::OsString;

use super::{HELP, Task, parse};

fn parsed(line: &str) -> Result<Task, String> {
    parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
}

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

#[test]
fn every_command_is_known_and_explained() {
    assert_eq!(
        parsed("dev --listen 127.0.0.1:0 --help"),
        Ok(Task::Dev(words("--listen 127.0.0.1:0 --help")))
    );
    assert_eq!(parsed("test"), Ok(Task::Test(Vec::new())));
    assert_eq!(
        parsed("test -- domain -- --nocapture"),
        Ok(Task::Test(words("domain -- --nocapture")))
    );
    assert_eq!(parsed("audit"), Ok(Task::Audit));
    assert_eq!(parsed("openapi"), Ok(Task::OpenApi));
    for line in ["", "help", "--help", "-h"] {
        assert_eq!(parsed(line), Ok(Task::Help), "{line:?}");
    }
    for command in ["dev", "test", "audit", "openapi", "help"] {
        assert!(HELP.contains(&format!("\n  {command} ")), "{command}");
    }
}

#[test]
fn what_is_not_understood_is_named() {
    assert!(parsed("deploy").unwrap_err().contains("`deploy`"));
    assert!(parsed("audit --fix").unwrap_err().contains("`--fix`"));
    assert!(parsed("test domain").unwrap_err().contains("put `--` before `domain`"));
}
