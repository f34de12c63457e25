#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Map;
use uuid::Uuid;

use super::*;

fn workspace(is_default: bool) -> Workspace {
    let moment = "2026-01-31T09:30:00.123Z".parse().unwrap();
    Workspace {
        id: Uuid::from_u128(1).into(),
        organization_id: Uuid::from_u128(2).into(),
        name: "Design".parse().unwrap(),
        slug: "design".parse().unwrap(),
        description: Some("Draws".parse().unwrap()),
        icon: None,
        color: Color::default(),
        is_default,
        settings: Map::new(),
        version: 1,
        created_at: moment,
        updated_at: moment,
    }
}

#[test]
fn what_a_change_does_not_name_stays() {
    let before = workspace(false);
    assert_eq!(before.changed(WorkspaceUpdate::default()).unwrap(), before);
    let change = WorkspaceUpdate {
        description: Some(None),
        icon: Some(Some("🎨".parse().unwrap())),
        ..WorkspaceUpdate::default()
    };
    let after = before.changed(change).unwrap();
    assert_eq!(after.description, None);
    assert_eq!(after.icon.as_ref().unwrap().as_str(), "🎨");
    assert_eq!((after.name, after.version), (before.name, before.version));
}

#[test]
fn the_default_is_taken_over_and_never_laid_down() {
    let asked = |is_default| WorkspaceUpdate {
        is_default,
        ..WorkspaceUpdate::default()
    };
    for (is, wanted, becomes) in [
        (false, None, Some(false)),
        (false, Some(false), Some(false)),
        (false, Some(true), Some(true)),
        (true, None, Some(true)),
        (true, Some(true), Some(true)),
        (true, Some(false), None),
    ] {
        let after = workspace(is).changed(asked(wanted));
        assert_eq!(after.as_ref().ok().map(|after| after.is_default), becomes);
        if becomes.is_none() {
            assert_eq!(after, Err(WorkspaceError::StaysDefault));
        }
    }
}

#[test]
fn a_colour_is_six_digits_after_its_sign() {
    for good in ["#000000", "#3B82F6", "#abcdef", "#AbCdEf"] {
        assert_eq!(good.parse::<Color>().unwrap().as_str(), good);
    }
    for bad in [
        "",
        "#",
        "3B82F6",
        "#3B82F",
        "#3B82F60",
        "#3B82G6",
        "##3B82F",
        "#3B82F\u{e9}",
        " #3B82F6",
        "blue",
    ] {
        assert_eq!(bad.parse::<Color>(), Err(ColorError), "{bad:?}");
    }
}
