//! What is taken of what a token says, and by what its session is known.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tenantry_domain::identities::ExternalIdentity;

use super::{Desk, ISSUER, IssuerSettings, Kind, NO_SUBJECT, refusal};
use crate::trusted_issuers::{ClaimPath, claimed_issuer, session_of};

/// What is at a place of some claims.
fn at(path: &str, claims: &Value) -> Option<String> {
    ClaimPath::new(path)
        .text(claims.as_object().unwrap())
        .map(str::to_owned)
}

#[test]
fn a_claim_is_found_by_its_name_or_by_a_pointer() {
    let claims = json!({
        "sub": "4711",
        "https://example.com/email": "ann@example.com",
        "user_metadata": {
            "full_name": "Ann Lee",
            "names": ["Ann", "Lee"],
            "a/b": "slash",
            "c~d": "tilde",
            "~1": "both",
        },
        "a/b": "slash",
        "c~d": "tilde",
        "e~1f": "neither",
        "": { "": "nothing" },
        "empty": "",
        "number": 7,
        "list": [["inner"]],
        "0": "zero",
    });
    for (path, found) in [
        ("sub", Some("4711")),
        ("/sub", Some("4711")),
        ("https://example.com/email", Some("ann@example.com")),
        ("/https:~1~1example.com~1email", Some("ann@example.com")),
        ("/user_metadata/full_name", Some("Ann Lee")),
        ("/user_metadata/names/1", Some("Lee")),
        ("/user_metadata/a~1b", Some("slash")),
        ("/user_metadata/c~0d", Some("tilde")),
        ("/user_metadata/~01", Some("both")),
        ("a/b", Some("slash")),
        ("/a~1b", Some("slash")),
        ("c~d", Some("tilde")),
        ("/c~0d", Some("tilde")),
        ("e~1f", Some("neither")),
        ("/e~01f", Some("neither")),
        ("/list/0/0", Some("inner")),
        ("//", Some("nothing")),
        ("0", Some("zero")),
        ("/0", Some("zero")),
        // What is not there, is no text, or is empty.
        ("user_metadata/full_name", None),
        ("/user_metadata/a/b", None),
        ("/user_metadata/names/2", None),
        ("/user_metadata/names/01", None),
        ("/user_metadata/names/-", None),
        ("/user_metadata", None),
        ("/user_metadata/full_name/first", None),
        ("/sub/", None),
        ("/sub/0", None),
        ("/a/b", None),
        ("/e~1f", None),
        ("/", None),
        ("", None),
        ("empty", None),
        ("/empty", None),
        ("number", None),
        ("Sub", None),
    ] {
        assert_eq!(at(path, &claims).as_deref(), found, "{path}");
    }
}

#[tokio::test]
async fn what_a_token_says_is_taken_as_far_as_it_can_be_kept() {
    let desk = Desk::new();
    let mut claims = desk.claims();
    for (name, value) in [
        ("email", json!("ann@example.com")),
        ("email_verified", json!(true)),
        ("name", json!(" Ann\u{7} Lee ")),
        ("picture", json!("https://pictures.example.com/ann.png")),
        ("locale", json!("de_AT")),
    ] {
        claims[name] = value;
    }
    let told = desk.judge(&claims).await.unwrap().identity;
    assert_eq!(told.email.as_ref().map(|email| email.as_str()), Some("ann@example.com"));
    assert!(told.email_verified);
    assert_eq!(told.name.as_deref(), Some("Ann Lee"));
    assert_eq!(told.picture.as_deref(), Some("https://pictures.example.com/ann.png"));
    assert_eq!(told.locale.as_deref(), Some("de-AT"));
    for (name, value) in [
        ("email", json!("no address")),
        ("name", json!(["Ann"])),
        ("picture", json!("http://pictures.example.com/ann.png")),
        ("locale", json!("!")),
    ] {
        claims[name] = value;
    }
    let told = desk.judge(&claims).await.unwrap().identity;
    assert_eq!((told.email, told.email_verified), (None, false));
    assert_eq!((told.name, told.picture, told.locale), (None, None, None));
}

#[tokio::test]
async fn a_subject_is_a_text_that_can_be_kept() {
    let desk = Desk::new();
    for subject in [json!("a"), json!("auth0|4711"), json!("s".repeat(512)), json!(" 4711 ")] {
        let told = desk.judge_but("sub", subject.clone()).await.unwrap().identity;
        assert_eq!(json!(told.subject), subject);
    }
    for subject in [
        Value::Null,
        json!(""),
        json!(4711),
        json!("s".repeat(513)),
        json!("47\u{0}11"),
        json!("4711\n"),
    ] {
        assert_eq!(
            refusal(desk.judge_but("sub", subject.clone()).await),
            NO_SUBJECT,
            "{subject}"
        );
    }
    let listed = refusal(desk.judge_but("sub", json!(["4711"])).await);
    assert_eq!(listed, "the token is none");
}

#[tokio::test]
async fn an_address_is_proven_where_the_issuer_says_so_or_is_believed_anyway() {
    let believed = |settings: &mut IssuerSettings| settings.trusts_email = true;
    let (plain, trusting) = (Desk::new(), Desk::with(Kind::Ed25519, believed));
    for (said, proven) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!("True"), false),
        (json!("1"), false),
        (json!(1), false),
        (json!(["true"]), false),
        (Value::Null, false),
    ] {
        for (desk, proven) in [(&plain, proven), (&trusting, true)] {
            let mut claims = desk.claims_but("email_verified", said.clone());
            claims["email"] = json!("ann@example.com");
            let told = desk.judge(&claims).await.unwrap().identity;
            assert_eq!(told.email_verified, proven, "{said}");
        }
    }
    // Nothing is proven where there is no address.
    let told = trusting
        .judge_but("email_verified", json!(true))
        .await
        .unwrap()
        .identity;
    assert!(!told.email_verified);
}

#[tokio::test]
async fn everything_may_be_said_elsewhere() {
    let desk = Desk::with(Kind::Ed25519, |settings| {
        let claims = &mut settings.claims;
        claims.subject = ClaimPath::new("/act/sub");
        claims.email = ClaimPath::new("https://example.com/email");
        claims.email_verified = ClaimPath::new("/user_metadata/verified");
        claims.name = ClaimPath::new("/user_metadata/full_name");
        claims.picture = ClaimPath::new("/user_metadata/pictures/0");
        claims.locale = ClaimPath::new("lang");
        claims.session = vec![ClaimPath::new("/session/id")];
    });
    let mut claims = desk.claims();
    claims["act"] = json!({ "sub": "5" });
    claims["https://example.com/email"] = json!("ann@example.com");
    claims["email"] = json!("eve@example.com");
    claims["lang"] = json!("fr");
    claims["session"] = json!({ "id": "s" });
    claims["user_metadata"] = json!({
        "verified": true,
        "full_name": "Ann Lee",
        "pictures": ["https://pictures.example.com/ann.png"],
    });
    let token = desk.judge(&claims).await.unwrap();
    let told = token.identity;
    assert_eq!(told.subject, "5");
    assert_eq!(told.email.as_ref().map(|email| email.as_str()), Some("ann@example.com"));
    assert!(told.email_verified);
    assert_eq!(told.name.as_deref(), Some("Ann Lee"));
    assert_eq!(told.picture.as_deref(), Some("https://pictures.example.com/ann.png"));
    assert_eq!(told.locale.as_deref(), Some("fr"));
    assert_eq!(token.session, session_of(&known(ISSUER, "5"), "s"));
}

#[tokio::test]
async fn a_session_is_the_issuers_or_one_for_each_subject() {
    let desk = Desk::new();
    let of = |session: &str| session_of(&known(ISSUER, "4711"), session);
    for (sid, session_id, known_by) in [
        (json!("s"), Value::Null, "s"),
        (json!("s"), json!("t"), "s"),
        (Value::Null, json!("t"), "t"),
        (json!(""), json!("t"), "t"),
        (json!(7), json!("t"), "t"),
        (Value::Null, Value::Null, ""),
        (json!(7), json!(""), ""),
    ] {
        let mut claims = desk.claims();
        claims["sid"] = sid.clone();
        claims["session_id"] = session_id.clone();
        let token = desk.judge(&claims).await.unwrap();
        assert_eq!(token.session, of(known_by), "{sid} {session_id}");
    }
}

/// Somebody whom an issuer knows.
fn known(issuer: &str, subject: &str) -> ExternalIdentity {
    ExternalIdentity {
        connection: None,
        provider: "work".to_owned(),
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        email: None,
        email_verified: false,
        name: None,
        picture: None,
        locale: None,
    }
}

/// Three texts, which are often the same ones cut elsewhere.
fn parts() -> impl Strategy<Value = [String; 3]> {
    let any = || prop_oneof!["[ab]{0,3}", ".{0,12}"];
    prop_oneof![
        [any(), any(), any()],
        ("[ab\\PC]{0,12}", 0..=12_usize, 0..=12_usize).prop_map(|(text, first, second)| {
            let letters: Vec<char> = text.chars().collect();
            let (first, second) = (first.min(letters.len()), second.min(letters.len()));
            let (first, second) = (first.min(second), first.max(second));
            [&letters[..first], &letters[first..second], &letters[second..]].map(|part| part.iter().collect::<String>())
        }),
    ]
}

proptest! {
    #[test]
    fn a_session_is_known_by_all_of_its_parts(one in parts(), other in parts()) {
        let of = |[issuer, subject, session]: &[String; 3]| session_of(&known(issuer, subject), session);
        prop_assert_eq!(of(&one) == of(&other), one == other);
        let same = one.clone();
        prop_assert_eq!(of(&one), of(&same));
        // A text that is cut elsewhere is another.
        let [issuer, subject, session] = &one;
        let moved = [issuer.clone() + subject, String::new(), session.clone()];
        prop_assert_eq!(of(&one) == of(&moved), one == moved);
        // By whatever key the operator calls the issuer, and whatever it says of them.
        let renamed = ExternalIdentity {
            provider: "other".to_owned(),
            name: Some("Ann".to_owned()),
            email_verified: true,
            ..known(issuer, subject)
        };
        prop_assert_eq!(of(&one), session_of(&renamed, session));
    }

    #[test]
    fn who_says_anything_claims_nothing(text in ".*", parts in prop::array::uniform3("[A-Za-z0-9_=+/ -]{0,40}")) {
        prop_assert_eq!(claimed_issuer(&text), None);
        prop_assert_eq!(claimed_issuer(&parts.join(".")), None);
    }

    #[test]
    fn an_issuer_is_what_the_claims_say(issuer in ".*", more in ".*") {
        let desk = Desk::new();
        let mut claims = desk.claims();
        claims["iss"] = json!(issuer);
        claims["more"] = json!(more);
        let token = desk.key.token(&claims);
        prop_assert_eq!(claimed_issuer(&token), Some(issuer));
        for end in [0, 1, token.len() / 2] {
            // Cut anywhere, it is no token, or one of another signature.
            let cut = &token[..end];
            prop_assert_eq!(claimed_issuer(cut), None);
        }
    }

    #[test]
    fn a_path_of_anything_finds_what_it_names(path in "[/~01a]{0,5}|.*", name in "[/~01a]{0,3}|.{0,8}") {
        let mut claims = Map::new();
        claims.insert(name.clone(), json!("found"));
        let escaped = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        prop_assert_eq!(ClaimPath::new(escaped).text(&claims), Some("found"));
        let names = match path.strip_prefix('/') {
            None => path == name,
            Some(inner) if inner.contains('/') => false,
            Some(claim) => claim.replace("~1", "/").replace("~0", "~") == name,
        };
        prop_assert_eq!(ClaimPath::new(path.as_str()).text(&claims).is_some(), names);
    }
}
