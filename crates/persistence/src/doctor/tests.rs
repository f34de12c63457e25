use super::{
    Finding, LOOKUP,
    lookup_role::{self, LookupRole},
    migrations,
};

const SOUND: LookupRole = LookupRole {
    logs_in: false,
    superuser: false,
    bypasses: false,
    member_of: None,
};

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code).collect()
}

fn of_lookup_role(role: &LookupRole) -> Vec<&'static str> {
    let mut findings = Vec::new();
    lookup_role::judge(role, &mut findings);
    assert!(findings.iter().all(|finding| finding.subject == LOOKUP));
    codes(&findings)
}

#[test]
fn the_lookup_role_may_only_be_asked() {
    assert!(of_lookup_role(&SOUND).is_empty());
    assert_eq!(
        of_lookup_role(&LookupRole { logs_in: true, ..SOUND }),
        ["lookup_role_logs_in"]
    );
    assert_eq!(
        of_lookup_role(&LookupRole {
            superuser: true,
            ..SOUND
        }),
        ["lookup_role_superuser"]
    );
    assert_eq!(
        of_lookup_role(&LookupRole {
            bypasses: true,
            ..SOUND
        }),
        ["lookup_role_bypasses_rls"]
    );
    let member = LookupRole {
        member_of: Some("tenantry_owner".to_owned()),
        ..SOUND
    };
    assert_eq!(of_lookup_role(&member), ["lookup_role_member"]);
}

#[test]
fn migrations_differ_in_both_directions() {
    let mut findings = Vec::new();
    migrations::compare(&["one", "two"], &["one", "two"], &mut findings);
    assert_eq!(findings, []);
    migrations::compare(&["one", "three"], &["one", "two"], &mut findings);
    let found: Vec<_> = findings
        .iter()
        .map(|finding| (finding.code, finding.subject.as_str()))
        .collect();
    assert_eq!(found, [("pending_migrations", "two"), ("unknown_migration", "three")]);
}

#[test]
fn a_finding_prints_all_it_knows() {
    let finding = Finding::new("code", "subject", "problem", "remedy");
    assert_eq!(finding.to_string(), "code: subject: problem (remedy)");
}
