//! What `tenantry dev` says once everything runs: where, as whom, and a line to begin with.

use std::path::Path;

use crate::application::DemoSummary;

/// curl has a shorter way, `--json`, since 7.82 only.
const JSON: &str = "-H 'Content-Type: application/json'";

/// The whole text. `base` is where the server is reached, without a slash at its end.
pub(super) fn text(base: &str, data_dir: &Path, demo: Option<&DemoSummary>) -> String {
    let accounts = demo.map(accounts).unwrap_or_default();
    let first_request = demo
        .and_then(|demo| list_organizations(base, demo))
        .unwrap_or_else(|| register(base));
    let data = data_dir.display();
    format!(
        "
Tenantry is ready.

  API   {base}/api/v1
  Docs  {base}/docs/
  Mail  {base}/dev/mail
  Data  {data}
{accounts}
Try it:

  {first_request}

Ctrl-C stops everything.
"
    )
}

fn accounts(demo: &DemoSummary) -> String {
    let lines: String = demo
        .accounts
        .iter()
        .map(|account| format!("  {:<8} {:<28} {}\n", account.role, account.email, account.organization))
        .collect();
    format!("\nAccounts, all with the password `{}`:\n\n{lines}", demo.password)
}

/// One line that signs in and makes a request with the token, with no other program than curl and sed.
fn list_organizations(base: &str, demo: &DemoSummary) -> Option<String> {
    let (email, password) = (&demo.accounts.first()?.email, &demo.password);
    let body = serde_json::json!({"email": email, "password": password});
    let signed_in = format!("curl -s {base}/api/v1/auth/login {JSON} -d '{body}'");
    let token = format!(r#"$({signed_in} | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')"#);
    Some(format!(
        "curl -s {base}/api/v1/organizations -H \"Authorization: Bearer {token}\""
    ))
}

fn register(base: &str) -> String {
    let body = serde_json::json!({
        "email": "ada@example.com",
        "password": "notes on the analytical engine",
        "name": "Ada",
        "organizationName": "Example",
    });
    format!("curl -s {base}/api/v1/auth/register {JSON} -d '{body}'")
}

#[cfg(test)]
mod tests;
