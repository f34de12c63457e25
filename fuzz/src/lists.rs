//! The parameters of lists: what is accepted is within its bounds, and a cursor is one of the service's own.

use actix_web::{http::Uri, test::TestRequest};
use tenantry_api::parsers::{self, List};
use tenantry_domain::lists::{Place, SortValue, Window};
use uuid::Uuid;

use super::setting::{KEYRING, caller};

const PATH: &str = "/api/v1/organizations/acme/projects";

/// Where the bytes want a cursor that is good for the list without parameters.
const CURSOR: &str = "CURSOR";

/// The bytes are a query string.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let place = Place {
        values: vec![SortValue::Text("Rocket skates".to_owned())],
        id: Uuid::from_u128(7),
    };
    let cursor = List::new(PATH, Vec::new(), caller()).cursor(&KEYRING, place.clone());
    let query = text.replace(CURSOR, &cursor.unwrap_or_default());
    let uri = format!("{PATH}?{query}");
    if uri.parse::<Uri>().is_err() {
        return;
    }
    let request = TestRequest::get().uri(&uri).to_http_request();
    let Ok(list) = parsers::list_query(&request, &KEYRING, caller()) else {
        return;
    };

    assert!((1..=100).contains(&list.page_size));
    assert!(!list.order.is_empty());
    for (index, (field, _)) in list.order.iter().enumerate() {
        assert!(!list.order.iter().take(index).any(|(earlier, _)| earlier == field));
    }
    match list.window {
        Window::Page(page) => assert!(page >= 1 && page * list.page_size <= 10_000),
        Window::After(None) => {}
        Window::After(Some(after)) => {
            assert_eq!(after, place);
            let mut names = url::form_urlencoded::parse(request.query_string().as_bytes());
            assert!(names.all(|(name, _)| matches!(&*name, "cursor" | "pageSize")));
        }
    }
    if let Some(search) = list.search {
        assert!((1..=255).contains(&search.as_str().chars().count()));
        assert!(!search.as_str().contains(char::is_control));
    }
}
