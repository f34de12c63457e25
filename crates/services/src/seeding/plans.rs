//! What a seed is made of, thing by thing.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta};
use tenantry_domain::{
    emails::Email,
    environment::{Environment, Timestamp},
    ids::{UserId, WorkspaceId},
    projects::{ProjectStatus, Visibility},
    roles::BuiltInRole,
    slugs::Slug,
    text::{Description, Name},
    workspaces::Workspace,
};
use tenantry_persistence::seeding::{SeedProject, SeedWorkspace};

use super::{
    Size,
    dice::{self, Dice},
    names,
};
use crate::{
    demo::Account,
    error::{Error, Result},
};

/// The name of the large organization.
const LARGE_NAME: &str = "Colossus";

/// The roles of those who can sign in to the large organization: the first of all people.
pub(super) const LARGE_ROLES: [BuiltInRole; 4] = BuiltInRole::ALL;

/// The host of all addresses: nobody's, ever (RFC 2606).
const HOST: &str = "colossus.example";

/// The most members of the large organization, and of each other one.
const MEMBERS: (usize, usize) = (60, 5);

/// The oldest row: 2024-01-01T00:00:00Z, in milliseconds.
const BEGINNING: i64 = 1_704_067_200_000;

/// The time within which projects come about, in minutes: eighteen months.
const PROJECTS_WITHIN: usize = 60 * 24 * 548;

/// The time within which they are changed for the last time, in minutes: five months.
const CHANGED_WITHIN: usize = 60 * 24 * 150;

/// One organization to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    number: usize,
    /// Whether it is the large one.
    pub(super) large: bool,
    workspaces: usize,
    /// How many projects it has.
    pub(super) projects: usize,
}

/// All organizations, the large one first: it takes the longest.
pub(super) fn plans(size: Size) -> impl Iterator<Item = Plan> {
    let ordinary = (0..size.organizations).map(move |number| Plan {
        number,
        large: false,
        workspaces: size.workspaces,
        projects: size.projects,
    });
    let large = Plan {
        number: size.organizations,
        large: true,
        workspaces: size.large_workspaces,
        projects: size.large_projects,
    };
    [large].into_iter().chain(ordinary)
}

impl Plan {
    /// Of its number and of how much is in it: a seed of another size has organizations of its own.
    fn dice(&self) -> Dice {
        let size =
            Dice::of("workspaces", self.workspaces as u64).roll() ^ Dice::of("projects", self.projects as u64).roll();
        Dice::of("organization", size ^ self.number as u64)
    }

    /// What gives it its ids.
    pub(super) fn environment(&self) -> Environment {
        dice::environment(&self.dice(), self.founded_at())
    }

    /// Its name.
    pub(super) fn name(&self) -> Name {
        Name::from_stored(if self.large {
            LARGE_NAME.to_owned()
        } else {
            names::organization(self.number)
        })
    }

    /// An hour after the one before it.
    fn founded_at(&self) -> Timestamp {
        let hours = i64::try_from(self.number).unwrap_or_default();
        DateTime::from_timestamp_millis(BEGINNING).unwrap_or_default() + TimeDelta::hours(hours)
    }
}

/// What is in an organization.
pub(super) struct Contents {
    plan: Plan,
    dice: Dice,
    /// Its people, the owner first, with their roles.
    pub(super) members: Vec<(UserId, BuiltInRole)>,
    /// What projects are called already, by workspace.
    slugs: Vec<HashSet<String>>,
}

impl Contents {
    /// Of an organization whose members are some of these people.
    pub(super) fn new(plan: Plan, people: &[UserId]) -> Self {
        let mut dice = plan.dice();
        Self {
            members: members(plan, people, &mut dice),
            slugs: vec![HashSet::new(); plan.workspaces],
            plan,
            dice,
        }
    }

    /// Its workspaces, but for the default one.
    pub(super) fn workspaces(&mut self) -> Vec<SeedWorkspace> {
        let default = Slug::derive(Workspace::default_name().as_str());
        let mut slugs = HashSet::from([default.into_string()]);
        let workspaces = (1..self.plan.workspaces).map(|number| {
            let name = names::workspace(&mut self.dice, number);
            SeedWorkspace {
                slug: free_slug(&name, &mut slugs),
                name: Name::from_stored(name),
                created_at: self.plan.founded_at() + minutes(&mut self.dice, PROJECTS_WITHIN),
            }
        });
        workspaces.collect()
    }

    /// So many more of its projects, in these workspaces; a fifth of all are in the first one.
    pub(super) fn projects(&mut self, workspaces: &[WorkspaceId], count: usize) -> Vec<SeedProject> {
        let projects = (0..count).filter_map(|_| {
            let dice = &mut self.dice;
            let place = if dice.in_hundred(20) {
                0
            } else {
                dice.below(workspaces.len())
            };
            let (&workspace, slugs) = workspaces.get(place).zip(self.slugs.get_mut(place))?;
            let (created_by, _) = *self.members.get(dice.below(self.members.len()))?;
            let name = names::project(dice);
            let after = minutes(dice, PROJECTS_WITHIN);
            // What is archived is old, and has not been touched for long.
            let old = after < TimeDelta::minutes(60 * 24 * 120);
            let archived = old && dice.in_hundred(25);
            let created_at = self.plan.founded_at() + after;
            let unchanged_since = minutes(dice, if archived { 60 * 24 } else { CHANGED_WITHIN });
            Some(SeedProject {
                workspace,
                slug: free_slug(&name, slugs),
                name: Name::from_stored(name),
                description: Description::from_stored(names::description(dice)),
                status: if archived {
                    ProjectStatus::Archived
                } else {
                    ProjectStatus::Active
                },
                visibility: if dice.in_hundred(10) {
                    Visibility::Private
                } else {
                    Visibility::Organization
                },
                created_by,
                created_at,
                updated_at: created_at + unchanged_since,
            })
        });
        projects.collect()
    }
}

fn members(plan: Plan, people: &[UserId], dice: &mut Dice) -> Vec<(UserId, BuiltInRole)> {
    let mut members: Vec<_> = if plan.large {
        people.iter().copied().zip(LARGE_ROLES).collect()
    } else {
        let owner = people.get(plan.number % people.len().max(1));
        owner.map(|&owner| (owner, BuiltInRole::Owner)).into_iter().collect()
    };
    let most = if plan.large { MEMBERS.0 } else { MEMBERS.1 };
    while members.len() < most.min(people.len()) {
        let Some(&person) = people.get(dice.below(people.len())) else {
            break;
        };
        let role = match members.len() {
            1 => BuiltInRole::Admin,
            number if number % 4 == 0 => BuiltInRole::Viewer,
            _ => BuiltInRole::Member,
        };
        if members.iter().all(|&(known, _)| known != person) {
            members.push((person, role));
        }
    }
    members
}

/// A person to be.
pub(super) struct Person {
    /// The address.
    pub(super) email: Email,
    /// The name.
    pub(super) name: Name,
    /// What gives the person an id.
    pub(super) environment: Environment,
}

/// All people, those who can sign in to the large organization first.
pub(super) fn people(size: Size) -> impl Iterator<Item = Result<Person>> {
    (0..size.people.max(LARGE_ROLES.len())).map(|number| {
        let mut dice = Dice::of("person", number as u64);
        let moment = DateTime::from_timestamp_millis(BEGINNING).unwrap_or_default();
        let environment = dice::environment(&dice, moment);
        let name = names::person(&mut dice);
        let email = match LARGE_ROLES.get(number) {
            Some(&role) => account(role).email,
            None => format!("{}-{number}@{HOST}", Slug::derive(&name)),
        };
        Ok(Person {
            email: email.parse().map_err(Error::internal)?,
            name: Name::from_stored(name),
            environment,
        })
    })
}

/// Who signs in to the large organization in a role.
pub(super) fn account(role: BuiltInRole) -> Account {
    Account {
        email: format!("{}@{HOST}", role.key()),
        role,
        organization: LARGE_NAME,
    }
}

fn minutes(dice: &mut Dice, within: usize) -> TimeDelta {
    // To the millisecond, so that few moments are alike.
    TimeDelta::milliseconds(i64::try_from(dice.below(within * 60_000)).unwrap_or_default())
}

/// The slug of a name, with a number where it is taken; taken from now on.
fn free_slug(name: &str, taken: &mut HashSet<String>) -> Slug {
    let base = Slug::derive(name);
    let numbered = (2..).map(|number| base.with_suffix(number));
    let mut candidates = [base.clone()].into_iter().chain(numbered);
    candidates
        .find(|slug| taken.insert(slug.as_str().to_owned()))
        .unwrap_or(base)
}
