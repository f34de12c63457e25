use std::ffi::OsString;

use super::{HELP, Outside, Task, parse};
use crate::outside::Check;

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
    let test = |outside, arguments| Ok(Task::Test { outside, arguments });
    assert_eq!(parsed("test"), test(Outside::None, Vec::new()));
    assert_eq!(
        parsed("test -- domain -- --nocapture"),
        test(Outside::None, words("domain -- --nocapture"))
    );
    assert_eq!(parsed("test --outside"), test(Outside::All, Vec::new()));
    assert_eq!(parsed("test --outside -- domain"), test(Outside::All, words("domain")));
    for check in Check::ALL {
        assert_eq!(
            parsed(&format!("test --outside={}", check.name())),
            test(Outside::Only(check), Vec::new())
        );
        assert!(HELP.contains(&format!("({})", check.name())), "{check:?}");
    }
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
    assert!(parsed("test --outside=moon").unwrap_err().contains("`moon`"));
    assert!(parsed("test --outside domain").unwrap_err().contains("put `--` before"));
    assert!(
        parsed("test --outside=client -- domain")
            .unwrap_err()
            .contains("no arguments")
    );
    assert!(parsed("test domain").unwrap_err().contains("put `--` before `domain`"));
}
