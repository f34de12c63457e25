#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::{or_oneself, *};
use crate::{
    authorization::{Decision, Membership},
    permissions::{Permission, Required, perm},
    roles::{Grant, Level},
};

fn id<T: From<uuid::Uuid>>(number: u128) -> T {
    uuid::Uuid::from_u128(number).into()
}

fn named(role: BuiltInRole) -> RoleName {
    RoleName {
        id: id(100 + role as u128),
        key: role.key().to_owned(),
        name: role.name().to_owned(),
    }
}

/// The member of this number in organization 1, with a role in all of it or none.
fn member(number: u128, role: Option<BuiltInRole>) -> Member {
    Member {
        id: id(number),
        organization_id: id(1),
        user_id: id(1000 + number),
        email: Email::from_stored("ann@example.com".to_owned()),
        person_name: Name::from_stored("Ann".to_owned()),
        person_avatar_url: Some("https://example.com/ann.png".to_owned()),
        profile: Profile::default(),
        role: role.map(named),
        status: MemberStatus::Active,
        joined_at: Timestamp::UNIX_EPOCH,
        last_seen_at: None,
        version: 2,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn caller(member: &Member) -> Membership {
    let role = member.role.clone();
    Membership {
        organization: OrganizationId::from(uuid::Uuid::from_u128(1)),
        member: member.id,
        user: member.user_id,
        grants: role
            .into_iter()
            .map(|role| Grant {
                level: Level::Organization,
                permissions: role.key.parse::<BuiltInRole>().unwrap().permissions(),
                role,
            })
            .collect(),
    }
}

const EVERYBODY: [Option<BuiltInRole>; 5] = [
    Some(BuiltInRole::Owner),
    Some(BuiltInRole::Admin),
    Some(BuiltInRole::Member),
    Some(BuiltInRole::Viewer),
    None,
];

/// What each of [`EVERYBODY`] may do to each of them, a word a caller: `a`llowed, `f`orbidden, `i`nvisible.
fn over_others<P: Required>() -> [String; 5] {
    EVERYBODY.map(|role| {
        let decide = |other| caller(&member(1, role)).decide_member::<P>(&member(2, other));
        EVERYBODY
            .iter()
            .map(|&other| match decide(other) {
                Decision::Allowed => 'a',
                Decision::Forbidden => 'f',
                Decision::Invisible => 'i',
            })
            .collect()
    })
}

#[test]
fn owners_are_touched_by_owners_alone() {
    let touching = ["aaaaa", "faaaa", "fffff", "iiiii", "iiiii"];
    assert_eq!(over_others::<perm::MemberUpdate>(), touching);
    assert_eq!(over_others::<or_oneself::MemberUpdate>(), touching);
    assert_eq!(over_others::<or_oneself::MemberRemove>(), touching);
    assert_eq!(
        over_others::<or_oneself::MemberView>(),
        ["aaaaa", "aaaaa", "aaaaa", "iiiii", "iiiii"]
    );
}

#[test]
fn a_refusal_names_what_comes_first() {
    let needed = |role, other| caller(&member(1, role)).needed_for_member::<perm::MemberUpdate>(&member(2, other));
    let (owner, admin, plain) = (
        Some(BuiltInRole::Owner),
        Some(BuiltInRole::Admin),
        Some(BuiltInRole::Member),
    );
    assert_eq!(needed(admin, owner), Permission::Everything);
    assert_eq!(needed(admin, admin), Permission::MemberUpdate);
    assert_eq!(needed(plain, owner), Permission::MemberUpdate);
    assert_eq!(needed(plain, plain), Permission::MemberUpdate);
    let viewed = caller(&member(1, admin)).needed_for_member::<or_oneself::MemberView>(&member(2, owner));
    assert_eq!(viewed, Permission::MemberView);
}

#[test]
fn everybody_has_themselves_but_not_their_role() {
    for role in EVERYBODY {
        let oneself = member(1, role);
        let caller = caller(&oneself);
        assert_eq!(
            caller.decide_member::<or_oneself::MemberView>(&oneself),
            Decision::Allowed
        );
        assert_eq!(
            caller.decide_member::<or_oneself::MemberUpdate>(&oneself),
            Decision::Allowed
        );
        assert_eq!(
            caller.decide_member::<or_oneself::MemberRemove>(&oneself),
            Decision::Allowed
        );
        let may_change_roles = matches!(role, Some(BuiltInRole::Owner | BuiltInRole::Admin));
        let decision = caller.decide_member::<perm::MemberUpdate>(&oneself);
        assert_eq!(decision == Decision::Allowed, may_change_roles, "{role:?}");
        assert_ne!(decision, Decision::Invisible, "{role:?}");
        // Of another organization, it is somebody else of whom nothing may be known.
        let elsewhere = Member {
            organization_id: id(2),
            ..oneself
        };
        assert_eq!(
            caller.decide_member::<or_oneself::MemberView>(&elsewhere),
            Decision::Invisible
        );
    }
}

#[test]
fn nobody_gives_what_they_lack() {
    let lacks = |caller_has, role: BuiltInRole| caller(&member(1, caller_has)).lacks(role.permissions());
    for role in BuiltInRole::ALL {
        assert_eq!(lacks(Some(BuiltInRole::Owner), role), None);
    }
    assert_eq!(
        lacks(Some(BuiltInRole::Admin), BuiltInRole::Owner),
        Some(Permission::Everything)
    );
    assert_eq!(lacks(Some(BuiltInRole::Admin), BuiltInRole::Admin), None);
    assert_eq!(
        lacks(Some(BuiltInRole::Viewer), BuiltInRole::Member),
        Some(Permission::MemberView)
    );
    assert_eq!(lacks(None, BuiltInRole::Viewer), Some(Permission::OrganizationView));
}

#[test]
fn what_is_not_set_here_is_the_persons_own() {
    let ann = member(1, None);
    assert_eq!(
        (ann.name().as_str(), ann.avatar_url()),
        ("Ann", Some("https://example.com/ann.png"))
    );
    let name: Name = "Dr Ann".parse().unwrap();
    let here = ann.changed(ProfileUpdate {
        name: Some(Some(name.clone())),
        avatar_url: None,
    });
    assert_eq!((here.name(), here.avatar_url()), (&name, ann.avatar_url()));
    let pictured = here.changed(ProfileUpdate {
        name: None,
        avatar_url: Some(Some("https://example.com/here.png".to_owned())),
    });
    assert_eq!(
        (pictured.name(), pictured.avatar_url()),
        (&name, Some("https://example.com/here.png"))
    );
    let cleared = pictured.changed(ProfileUpdate {
        name: Some(None),
        avatar_url: Some(None),
    });
    assert_eq!(cleared, ann);
}

#[test]
fn a_role_goes_by_its_key_or_its_id() {
    for role in BuiltInRole::ALL {
        assert_eq!(role.key().parse(), Ok(RoleRef::BuiltIn(role)));
    }
    let text = "01a1fbf7-030a-7efe-afba-f659b791409b";
    assert_eq!(text.parse(), Ok(RoleRef::Id(text.parse::<RoleId>().unwrap())));
    for other in ["", "Owner", "editor", "01a1fbf7030a7efeafbaf659b791409b", "*"] {
        assert_eq!(other.parse::<RoleRef>(), Err(UnknownRole), "{other}");
    }
}
