//! Cursors: a place comes back as it was, to its own list alone, and nobody else makes one.

use chrono::DateTime;
use tenantry_api::parsers::List;
use tenantry_domain::lists::{Place, SortValue};
use uuid::Uuid;

use super::setting::{KEYRING, caller};

const PATH: &str = "/api/v1/organizations/018c2d5e-0000-7000-8000-000000000001/projects";

/// As many values as the longest order has, each as long as a name may be: such a cursor must come back, too.
const MAX_VALUES: usize = 3;
const MAX_CHARACTERS: usize = 255;

/// The bytes are a cursor, after `!`; or three bytes that say what is tampered with, and lines: a search, then the values of
/// a place.
pub fn run(data: &[u8]) {
    match data {
        [b'!', forged @ ..] => refuse(&String::from_utf8_lossy(forged)),
        [at_high, at_low, with, place @ ..] => {
            tamper(
                u16::from_be_bytes([*at_high, *at_low]),
                *with,
                &String::from_utf8_lossy(place),
            );
        }
        _ => {}
    }
}

fn refuse(forged: &str) {
    assert_eq!(List::new(PATH, Vec::new(), caller()).place(&KEYRING, forged), None);
}

fn tamper(at: u16, with: u8, text: &str) {
    let mut lines = text.split('\n');
    let search = bounded(lines.next().unwrap_or_default());
    let parameters = vec![("q".to_owned(), search)];
    let place = Place {
        values: lines.take(MAX_VALUES).map(value).collect(),
        id: Uuid::from_u128(u128::from(at)),
    };
    let list = List::new(PATH, parameters.clone(), caller());
    let Some(cursor) = list.cursor(&KEYRING, place.clone()) else {
        panic!("every place has a cursor");
    };
    assert_eq!(list.place(&KEYRING, &cursor), Some(place));

    let stranger = Uuid::from_u128(u128::MAX).into();
    for other in [
        List::new("/api/v1/organizations", parameters.clone(), caller()),
        List::new(PATH, Vec::new(), caller()),
        List::new(PATH, parameters, stranger),
    ] {
        assert_eq!(other.place(&KEYRING, &cursor), None);
    }
    let mut bytes = cursor.into_bytes();
    let index = usize::from(at) % bytes.len();
    if let Some(byte) = bytes.get_mut(index)
        && *byte != with
    {
        *byte = with;
        assert_eq!(list.place(&KEYRING, &String::from_utf8_lossy(&bytes)), None);
    }
}

fn bounded(line: &str) -> String {
    line.chars().take(MAX_CHARACTERS).collect()
}

/// A moment where the line is a number of milliseconds, else text.
fn value(line: &str) -> SortValue {
    let moment = line.parse().ok().and_then(DateTime::from_timestamp_millis);
    moment.map_or_else(|| SortValue::Text(bounded(line)), SortValue::Time)
}
