use super::{Clause, Comparisons, Policy, called, calls_current_setting_per_row, judge, normalized, printed};

const BY_ORGANIZATION: Comparisons = Comparisons {
    key: Some(("organization_id", "app.organization_id")),
    reading: &["(EXISTS (…))"],
};

fn organization() -> String {
    format!("(organization_id = {})", printed("app.organization_id"))
}

fn policy(using: &str, check: &str) -> Policy {
    Policy {
        relation: "public.projects".to_owned(),
        name: "tenant".to_owned(),
        command: "*".to_owned(),
        permissive: true,
        applies: true,
        for_runtime: true,
        using_text: Some(using.to_owned()),
        check_text: Some(check.to_owned()),
    }
}

fn codes(policy: Policy) -> Vec<&'static str> {
    let mut findings = Vec::new();
    judge(&[policy], &BY_ORGANIZATION, &mut findings);
    assert!(
        findings
            .iter()
            .all(|finding| finding.subject == "tenant on public.projects")
    );
    findings.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn the_comparison_with_the_setting_is_allowed_however_it_is_indented() {
    let text = organization();
    assert!(codes(policy(&text, &text)).is_empty());
    assert!(codes(policy(&text.replace(' ', "\n   "), &text)).is_empty());
}

#[test]
fn every_other_expression_is_open() {
    let right = organization();
    let others = [
        "true".to_owned(),
        format!("({right} OR true)"),
        format!("({right} OR (organization_id IS NOT NULL))"),
        right.replace("organization_id =", "organization_id <>"),
        right.replace("(organization_id =", "(id ="),
        right.replace("app.organization_id", "app.user_id"),
        right.replace("app.organization_id", "app.organization_ids"),
        right.replace(" = ", " OPERATOR(public.=) "),
        right.to_uppercase(),
    ];
    for other in others {
        assert!(codes(policy(&other, &right)).contains(&"policy_open"), "USING {other}");
        assert!(
            codes(policy(&right, &other)).contains(&"policy_open"),
            "WITH CHECK {other}"
        );
    }
}

#[test]
fn what_may_be_read_may_not_be_written() {
    assert!(BY_ORGANIZATION.allow(Clause::Using, "(EXISTS (…))"));
    assert!(!BY_ORGANIZATION.allow(Clause::WithCheck, "(EXISTS (…))"));
}

#[test]
fn policies_that_let_nobody_judged_through_may_say_anything() {
    assert!(
        codes(Policy {
            applies: false,
            ..policy("true", "true")
        })
        .is_empty()
    );
    assert!(
        codes(Policy {
            permissive: false,
            ..policy("true", "true")
        })
        .is_empty()
    );
}

#[test]
fn a_call_for_each_row_is_named_and_not_taken_for_an_open_policy() {
    let bare = format!("(organization_id = {})", called("app.organization_id"));
    assert_eq!(codes(policy(&bare, &organization())), ["policy_setting_per_row"]);
    // Also where it narrows what others let through.
    let narrowing = Policy {
        permissive: false,
        ..policy(&bare, &organization())
    };
    assert_eq!(codes(narrowing), ["policy_setting_per_row"]);
}

#[test]
fn a_call_among_rows_of_another_table_is_one_for_each_row() {
    let bare = called("app.organization_id");
    let inner = format!("(EXISTS ( SELECT 1 FROM public.members m WHERE (m.organization_id = {bare})))");
    assert!(calls_current_setting_per_row(&inner));
    assert!(!calls_current_setting_per_row(
        &inner.replace(&bare, &printed("app.organization_id"))
    ));
}

#[test]
fn spaces_inside_a_name_do_not_vanish() {
    assert_eq!(normalized("a\n  b   c"), "a b c");
    let right = organization();
    assert!(codes(policy(&right.replace("'app.", "'app. "), &right)).contains(&"policy_open"));
}
