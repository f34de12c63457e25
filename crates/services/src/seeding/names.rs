//! Names of organizations, people, workspaces and projects, of many languages and scripts: made of `words.txt`.

use std::{collections::HashMap, sync::LazyLock};

use super::dice::Dice;

/// The lists of words by their names.
static WORDS: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lists = include_str!("words.txt")
        .lines()
        .filter_map(|line| line.split_once(": "));
    lists.map(|(name, words)| (name, words.split('|').collect())).collect()
});

/// The languages of projects: each has its list of things, and one of what is done about them.
const LANGUAGES: [(&str, &str); 10] = [
    ("things.en", "acts.en"),
    ("things.de", "acts.de"),
    ("things.es", "acts.es"),
    ("things.fr", "acts.fr"),
    ("things.pl", "acts.pl"),
    ("things.ru", "acts.ru"),
    ("things.ar", "acts.ar"),
    ("things.ja", "acts.ja"),
    ("things.zh", "acts.zh"),
    ("things.hi", "acts.hi"),
];

fn words(list: &str) -> &'static [&'static str] {
    WORDS.get(list).map(Vec::as_slice).unwrap_or_default()
}

/// The name of the organization of this number, unlike that of any other below a thousand.
pub(super) fn organization(number: usize) -> String {
    let (firsts, lasts) = (words("organization_firsts"), words("organization_lasts"));
    let part = |words: &[&'static str], index| words.get(index).copied().unwrap_or_default();
    let first = part(firsts, number % firsts.len());
    let last = part(lasts, number / firsts.len() % lasts.len());
    format!("{first} {last}")
}

/// The name of a person.
pub(super) fn person(dice: &mut Dice) -> String {
    format!(
        "{} {}",
        dice.pick(words("given_names")),
        dice.pick(words("family_names"))
    )
}

/// The name of the workspace of this number in its organization.
pub(super) fn workspace(dice: &mut Dice, number: usize) -> String {
    let name = dice.pick(words("workspaces"));
    match number {
        0..8 => name.to_owned(),
        _ => format!("{name} {}", city(dice)),
    }
}

/// The name of a project.
pub(super) fn project(dice: &mut Dice) -> String {
    let (things, acts) = dice.pick(&LANGUAGES);
    let name = dice.pick(words(acts)).replace("{}", dice.pick(words(things)));
    match dice.below(10) {
        0..3 => name,
        3..6 => format!("{name} {}", city(dice)),
        6..8 => format!("{name} Q{} {}", 1 + dice.below(4), 2023 + dice.below(4)),
        8 => format!("{name} #{}", 1000 + dice.below(9000)),
        _ => format!("{name} ({}, {})", city(dice), 2 + dice.below(7)),
    }
}

/// What a project is about.
pub(super) fn description(dice: &mut Dice) -> String {
    dice.pick(words("descriptions")).to_owned()
}

fn city(dice: &mut Dice) -> &'static str {
    dice.pick(words("cities"))
}

#[cfg(test)]
mod tests;
