use super::{Machine, Manager, Package, advice, choose, newest_postgres};

const NOTHING: Machine = Machine {
    has_apt: false,
    has_brew: false,
    has_sudo: false,
    is_root: false,
};

#[test]
fn apt_is_used_by_root_and_through_sudo_only() {
    let debian = Machine {
        has_apt: true,
        ..NOTHING
    };
    assert_eq!(
        choose(Machine {
            is_root: true,
            ..debian
        }),
        Some(Manager::Apt { sudo: false })
    );
    assert_eq!(
        choose(Machine {
            is_root: true,
            has_sudo: true,
            ..debian
        }),
        Some(Manager::Apt { sudo: false })
    );
    assert_eq!(
        choose(Machine {
            has_sudo: true,
            ..debian
        }),
        Some(Manager::Apt { sudo: true })
    );
    assert_eq!(choose(debian), None);
}

#[test]
fn brew_is_never_used_as_root() {
    let mac = Machine {
        has_brew: true,
        has_sudo: true,
        ..NOTHING
    };
    assert_eq!(choose(mac), Some(Manager::Brew));
    assert_eq!(choose(Machine { is_root: true, ..mac }), None);
}

#[test]
fn an_unknown_system_is_left_alone() {
    assert_eq!(choose(NOTHING), None);
    assert_eq!(
        choose(Machine {
            is_root: true,
            has_sudo: true,
            ..NOTHING
        }),
        None
    );
}

#[test]
fn the_newest_postgres_that_apt_knows_is_taken() {
    let lines = "postgresql-9 - old\npostgresql-15 - The World's Most Advanced\npostgresql-17 - The same\n";
    assert_eq!(newest_postgres(lines).unwrap(), "postgresql-17");
}

#[test]
fn where_apt_knows_only_old_ones_the_way_to_newer_is_told() {
    for lines in ["postgresql-14 - The World's Most Advanced\n", ""] {
        let error = newest_postgres(lines).unwrap_err().to_string();
        assert!(error.contains("apt.postgresql.org.sh"), "{error}");
    }
}

#[test]
fn advice_names_just_what_is_missing() {
    let redis = advice(&[Package::Redis]);
    assert!(
        redis.contains("redis-server") && !redis.contains("PostgreSQL"),
        "{redis}"
    );
    let both = advice(&[Package::Postgres, Package::Redis]);
    assert!(
        both.contains("TENANTRY_POSTGRES_BIN") && both.contains("TENANTRY_REDIS_BIN"),
        "{both}"
    );
}
