use std::collections::HashSet;

use super::*;

#[test]
fn organizations_have_names_of_their_own() {
    let names: HashSet<String> = (0..1000).map(organization).collect();
    assert_eq!(names.len(), 1000);
}

#[test]
fn every_list_is_there_and_has_words() {
    for list in [
        "organization_firsts",
        "organization_lasts",
        "given_names",
        "family_names",
        "cities",
        "workspaces",
        "descriptions",
    ] {
        assert!(words(list).len() >= 8, "{list}");
    }
    for (things, acts) in LANGUAGES {
        assert_eq!((words(things).len(), words(acts).len()), (10, 6), "{things}");
        assert!(words(acts).iter().all(|act| act.contains("{}")), "{acts}");
    }
}

#[test]
fn names_are_the_same_each_time_and_varied() {
    let names = || {
        let mut dice = Dice::of("test", 7);
        let names: Vec<String> = (0..1000).map(|_| project(&mut dice)).collect();
        names
    };
    assert_eq!(names(), names());
    let different: HashSet<String> = names().into_iter().collect();
    assert!(different.len() > 900, "{}", different.len());
}
