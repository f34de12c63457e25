//! Whether a statement carries the organization's filter for every tenant table that it names.

/// What a statement does with the tenant tables that it names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Use<'t> {
    /// Those that it reads, changes or deletes from.
    pub(super) reached: Vec<&'t str>,
    /// Those of them that it does not filter by organization.
    pub(super) unfiltered: Vec<&'t str>,
}

/// Reads a statement. One that inserts reaches no row that is there already.
pub(super) fn of<'t>(statement: &str, tables: &[&'t str]) -> Use<'t> {
    let words = words(statement);
    let mut found = Use::default();
    for &table in tables {
        let mut named = false;
        let mut inserted = false;
        for (index, word) in words.iter().enumerate() {
            if word != table {
                continue;
            }
            let before = index.checked_sub(1).map_or("", |before| words[before].as_str());
            let after = words.get(index + 1).map_or("", String::as_str);
            match before.to_ascii_lowercase().as_str() {
                "into" => inserted = true,
                "from" | "join" | "update" | "only" | "using" | "," if after != "." || before == "," => named = true,
                _ => {}
            }
            // A column of it: of a statement that inserts and returns, no more than that.
            named |= after == "." && before != "." && !inserted;
        }
        if named {
            found.reached.push(table);
            let column = if table == "organizations" {
                "id"
            } else {
                "organization_id"
            };
            let filter = [table, ".", column, "=", "$"];
            if !words.windows(filter.len()).any(|window| window == filter) {
                found.unfiltered.push(table);
            }
        }
    }
    found
}

/// Names, without their quotes, and marks, each by itself. Statements hold placeholders in place of values.
fn words(statement: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in statement.chars() {
        if character.is_alphanumeric() || character == '_' {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !character.is_whitespace() && character != '"' {
            words.push(character.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[test]
fn a_missing_filter_is_noticed() {
    let tables = ["projects", "roles", "grants", "organizations", "events"];
    for (statement, reached, unfiltered) in [
        (
            r#"SELECT "projects"."id" FROM "projects" WHERE "projects"."organization_id" = $1 AND "projects"."id" = $2"#,
            vec!["projects"],
            vec![],
        ),
        (
            r#"SELECT "projects"."organization_id" FROM "projects" WHERE "projects"."id" = $1 LIMIT $2"#,
            vec!["projects"],
            vec!["projects"],
        ),
        (
            r#"DELETE FROM "grants" WHERE "user_id" = $1"#,
            vec!["grants"],
            vec!["grants"],
        ),
        (
            "delete from only grants where organization_id = $1",
            vec!["grants"],
            vec!["grants"],
        ),
        (
            r#"UPDATE "organizations" SET "name" = $1 WHERE "organizations"."id" = $2"#,
            vec!["organizations"],
            vec![],
        ),
        (
            r#"SELECT "roles"."key" FROM "projects" LEFT JOIN "roles" ON TRUE WHERE "projects"."organization_id" = $1"#,
            vec!["projects", "roles"],
            vec!["roles"],
        ),
        (
            "select 1 from projects, roles where projects.organization_id = $1",
            vec!["projects", "roles"],
            vec!["roles"],
        ),
        (
            r#"INSERT INTO "projects" ("organization_id", "id") VALUES ($1, $2) ON CONFLICT ("id") DO NOTHING"#,
            vec![],
            vec![],
        ),
        (
            "insert into events select g.organization_id from grants g",
            vec!["grants"],
            vec!["grants"],
        ),
        ("select m.grants from lookup.membership($1, $2) m", vec![], vec![]),
    ] {
        assert_eq!(of(statement, &tables), Use { reached, unfiltered }, "{statement}");
    }
}
