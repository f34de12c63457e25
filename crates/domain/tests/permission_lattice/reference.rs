//! The rules of roles and permissions once more: strings and sets instead of bits, each rule as the contract words it,
//! applied until nothing new follows. Slow and plain, and sharing no line with what it is compared to.

use std::{collections::BTreeSet, sync::LazyLock};

pub(crate) type Names = BTreeSet<String>;

/// The contract's table: a resource, then its actions.
const CATALOGUE: &str = "
    organization    view update delete manage
    member          view invite update remove manage
    role            view manage
    workspace       view create update delete manage
    project         view create update delete manage update:own delete:own
    api_key         view manage
    webhook         view manage
    integration     view manage
    settings        view manage
    billing         view manage
    audit_log       view export
    security_event  view
    analytics       view
    usage           view
    document        view create update delete manage
    file            view create update delete manage
";

const ADMIN: &str = "
    organization    view update manage
    member          view invite update remove manage
    role            view manage
    workspace       view create update delete manage
    project         view create update delete manage update:own delete:own
    api_key         view manage
    webhook         view manage
    integration     view manage
    settings        view manage
    billing         view
    audit_log       view export
    security_event  view
    analytics       view
    usage           view
    document        view create update delete manage
    file            view create update delete manage
";

const MEMBER: &str = "
    organization    view
    member          view
    workspace       view
    project         view create update:own delete:own
    document        view create
    file            view create
    analytics       view
";

const VIEWER: &str = "
    organization    view
    workspace       view
    project         view
    document        view
    file            view
    analytics       view
";

fn table(text: &str) -> Names {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let resource = words.next()?;
            Some(words.map(move |action| format!("{resource}:{action}")))
        })
        .flatten()
        .collect()
}

/// Every permission, `*` included.
pub(crate) fn catalogue() -> &'static Names {
    static ALL: LazyLock<Names> = LazyLock::new(|| &table(CATALOGUE) | &Names::from(["*".to_owned()]));
    &ALL
}

/// What the holder of a built-in role has, written out.
pub(crate) fn role(key: &str) -> Names {
    match key {
        "owner" => catalogue().clone(),
        "admin" => table(ADMIN),
        "member" => table(MEMBER),
        "viewer" => table(VIEWER),
        _ => Names::new(),
    }
}

/// What the contract says that `held` gives, taken by itself and one step far.
fn follows(held: &str) -> Names {
    let catalogue = catalogue();
    if held == "*" {
        return catalogue.clone();
    }
    let Some((resource, action)) = held.split_once(':') else {
        return Names::new();
    };
    let mut implied = vec![format!("{resource}:view")];
    match action {
        "update" => implied.push(format!("{resource}:update:own")),
        "delete" => implied.extend([format!("{resource}:update"), format!("{resource}:delete:own")]),
        "delete:own" => implied.push(format!("{resource}:update:own")),
        "manage" => implied.extend(
            catalogue
                .iter()
                .filter(|name| name.starts_with(&format!("{resource}:")) && *name != "organization:delete")
                .cloned(),
        ),
        _ => {}
    }
    if held == "organization:manage" {
        implied.extend(["member", "role", "workspace", "project"].map(|other| format!("{other}:manage")));
    }
    implied.into_iter().filter(|name| catalogue.contains(name)).collect()
}

/// Everything that `held` gives.
pub(crate) fn closure(held: &Names) -> Names {
    let mut all = held.clone();
    let mut unread = held.clone();
    while let Some(name) = unread.pop_first() {
        unread.extend(follows(&name).into_iter().filter(|implied| all.insert(implied.clone())));
    }
    all
}

/// Where a role may be granted, seen from the project that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Organization,
    ItsWorkspace,
    AnotherWorkspace,
    ItsProject,
    AnotherProject,
}

/// A caller before a project.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) grants: Vec<(Place, Names)>,
    pub(crate) private: bool,
    pub(crate) created: bool,
}

impl Scene {
    fn held(&self, places: &[Place]) -> Names {
        let granted = self.grants.iter().filter(|(place, _)| places.contains(place));
        closure(&granted.flat_map(|(_, names)| names.clone()).collect())
    }

    /// What the caller is told, as the status of an answer: 404, 403 or 200.
    pub(crate) fn project(&self, permission: &str) -> u16 {
        let held = self.held(&[Place::Organization, Place::ItsWorkspace, Place::ItsProject]);
        let named = self
            .grants
            .iter()
            .any(|(place, _)| matches!(place, Place::ItsWorkspace | Place::ItsProject));
        if !held.contains("project:view") {
            return 404;
        }
        if self.private && !self.created && !named && !held.contains("project:manage") {
            return 404;
        }
        if held.contains(permission) {
            return 200;
        }
        if self.created && held.contains(&format!("{permission}:own")) {
            200
        } else {
            403
        }
    }

    pub(crate) fn workspace(&self, permission: &str) -> u16 {
        let held = self.held(&[Place::Organization, Place::ItsWorkspace]);
        match (held.contains("workspace:view"), held.contains(permission)) {
            (false, _) => 404,
            (true, true) => 200,
            (true, false) => 403,
        }
    }

    /// The organization is known to every member; what they may do is by what they hold in all of it.
    pub(crate) fn organization(&self, permission: &str) -> u16 {
        let held = self.held(&[Place::Organization]);
        if held.contains(permission) { 200 } else { 403 }
    }
}
