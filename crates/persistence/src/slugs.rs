//! Slugs of things whose name many others have.

use tenantry_domain::environment::Environment;

use crate::error::Result;

/// How many slugs are looked for in one round trip.
const AT_ONCE: u32 = 64;

/// How many suffixes are tried in order.
const MOST_SUFFIXES: u32 = 512;

/// How often is looked, whatever others take meanwhile.
const MOST_LOOKS: u32 = 64;

/// How the slugs of a kind of thing are made from its name, tried and taken.
pub(crate) trait SlugSpace {
    /// The slug.
    type Slug: Clone;
    /// What is inserted with it.
    type Resource;

    /// The slug of a name.
    fn derive(name: &str) -> Self::Slug;

    /// The slug with a number at its end.
    fn numbered(slug: &Self::Slug, number: u32) -> Self::Slug;

    /// Which of these nobody has, in the same order; some of them are enough.
    async fn free(&self, candidates: Vec<Self::Slug>) -> Result<Vec<Self::Slug>>;

    /// Inserts the thing under a slug. `None` where somebody has it.
    async fn insert(&self, slug: Self::Slug) -> Result<Option<Self::Resource>>;
}

/// Inserts a thing under the slug that was given, or one that is made from its name. `None` where the given one is taken.
pub(crate) async fn insert<S: SlugSpace>(
    space: &S,
    environment: &Environment,
    name: &str,
    given: Option<S::Slug>,
) -> Result<Option<S::Resource>> {
    if let Some(slug) = given {
        return space.insert(slug).await;
    }
    let base = S::derive(name);
    let mut first = 1;
    for _ in 0..MOST_LOOKS {
        if first > MOST_SUFFIXES {
            break;
        }
        let candidates: Vec<_> = (first..first + AT_ONCE)
            .map(|number| {
                if number == 1 {
                    base.clone()
                } else {
                    S::numbered(&base, number)
                }
            })
            .collect();
        let free = space.free(candidates).await?;
        if free.is_empty() {
            first += AT_ONCE;
        }
        for slug in free {
            // Between the look and the insert somebody else may have taken it: then the next one, or another look.
            if let Some(resource) = space.insert(slug).await? {
                return Ok(Some(resource));
            }
        }
    }
    // So many of one name: a number that nobody else can have taken.
    space.insert(S::numbered(&base, random_suffix(environment))).await
}

/// A suffix that nobody else has, as good as certainly: a random number of nine or ten digits.
fn random_suffix(environment: &Environment) -> u32 {
    u32::from_be_bytes(environment.random()) | 1 << 30
}
