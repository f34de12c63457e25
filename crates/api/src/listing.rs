//! The parameters of lists, and their answers.

use std::str::FromStr;

use actix_web::{HttpRequest, HttpResponse, Responder, body::BoxBody, http::header::CACHE_CONTROL};
use serde::Serialize;
use tenantry_domain::{
    ids::UserId,
    lists::{Direction, ListQuery, Listed, Page, Window},
    text::SearchText,
};
use tenantry_services::{Keyring, Services};
use utoipa::{IntoParams, ToSchema};

use crate::{
    cursors::{self, ListIdentity},
    errors::{ApiError, ApiResult},
    reply::{NO_STORE, PRIVATE},
};

/// Entries of a page where nobody says how many.
pub(crate) const DEFAULT_PAGE_SIZE: u32 = 20;

/// The most entries of a page.
pub(crate) const MAX_PAGE_SIZE: u32 = 100;

/// How far numbered pages reach; a cursor has no such end.
const MAX_NUMBERED: u64 = 10_000;

/// The parameters that every list has, for the document; what it is sorted by is in [`crate::words`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "read by the derive alone: what it documents is parsed by `ListRequest`"
)]
pub(crate) struct ListParameters {
    /// The number of a page, from 1. `page` × `pageSize` is at most 10,000; beyond that use `cursor`.
    #[param(minimum = 1, maximum = 10_000, default = 1, example = 1)]
    page: Option<u32>,
    /// How many entries a page has.
    #[param(rename = "pageSize", minimum = 1, maximum = 100, default = 20, example = 20)]
    page_size: Option<u32>,
    /// The `meta.nextCursor` of the page before, for a walk that writes do not disturb; empty to begin one. Not together
    /// with `page`.
    #[param(max_length = 8192, pattern = "^[A-Za-z0-9_-]*$")]
    cursor: Option<String>,
}

/// A list as it was asked for.
pub(crate) struct ListRequest<F> {
    pub(crate) query: ListQuery<F>,
    identity: ListIdentity,
    parameters: Vec<(String, String)>,
}

/// Which parameters a list has besides those of every list.
#[derive(Clone, Copy)]
pub(crate) struct Filters(pub(crate) &'static [&'static str]);

impl<F: Copy + FromStr> ListRequest<F> {
    /// Parses the query string. `default_order` holds where `sort` is absent.
    pub(crate) fn parse(
        request: &HttpRequest,
        services: &Services,
        caller: UserId,
        default_order: (F, Direction),
        filters: Filters,
    ) -> ApiResult<Self> {
        Self::signed_by(services.keyring(), request, caller, default_order, filters)
    }

    /// The same, its cursor signed by one of these keys.
    pub(crate) fn signed_by(
        keyring: &Keyring,
        request: &HttpRequest,
        caller: UserId,
        default_order: (F, Direction),
        filters: Filters,
    ) -> ApiResult<Self> {
        let parameters = query_parameters(request, &[COMMON, filters.0].concat())?;
        let value = |name: &str| {
            parameters
                .iter()
                .find(|(parameter, _)| parameter == name)
                .map(|(_, value)| value.as_str())
        };
        let page_size = number("pageSize", value("pageSize"), DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE.into())?;
        let order = match value("sort") {
            None => vec![default_order],
            Some(sort) => order(sort)?,
        };
        let search = value("q")
            .map(|text| {
                text.parse::<SearchText>()
                    .map_err(|error| refused("q", &error.to_string()))
            })
            .transpose()?;
        let mut what: Vec<_> = parameters
            .iter()
            .filter(|(name, _)| !WALK.contains(&name.as_str()))
            .cloned()
            .collect();
        what.sort_unstable();
        let identity = ListIdentity {
            path: request.path().to_owned(),
            parameters: what,
            caller,
        };
        let window = match (value("cursor"), value("page")) {
            (Some(_), Some(_)) => return Err(refused("cursor", "must not come together with page")),
            (Some(""), None) => Window::After(None),
            (Some(cursor), None) => {
                let place = cursors::decode(keyring, &identity, cursor);
                Window::After(Some(
                    place.ok_or_else(|| refused("cursor", "is not a cursor of this list"))?,
                ))
            }
            (None, page) => {
                let page = number("page", page, 1, MAX_NUMBERED)?;
                if u64::from(page) * u64::from(page_size) > MAX_NUMBERED {
                    return Err(refused(
                        "page",
                        "times pageSize must be at most 10,000: use a cursor beyond that",
                    ));
                }
                Window::Page(page)
            }
        };
        Ok(Self {
            query: ListQuery {
                order,
                window,
                page_size,
                search,
            },
            identity,
            parameters,
        })
    }

    /// A filter that is one word of a closed set.
    pub(crate) fn filter<T: FromStr>(&self, name: &'static str) -> ApiResult<Option<T>>
    where
        T::Err: std::fmt::Display,
    {
        let found = self.parameters.iter().find(|(parameter, _)| parameter == name);
        found
            .map(|(_, value)| value.parse().map_err(|error: T::Err| refused(name, &error.to_string())))
            .transpose()
    }

    /// The answer that holds this page.
    pub(crate) fn answer<T, B>(self, services: &Services, page: Page<T>) -> List<B>
    where
        T: Listed<Field = F>,
        B: From<T>,
    {
        self.answer_with(services, page, Into::into)
    }

    /// The answer that holds this page, each entry shown by `view`.
    pub(crate) fn answer_with<T, B>(self, services: &Services, page: Page<T>, view: impl Fn(T) -> B) -> List<B>
    where
        T: Listed<Field = F>,
    {
        let next_cursor = page
            .next_place(&self.query.order)
            .and_then(|place| cursors::encode(services.keyring(), &self.identity, place));
        let number = match self.query.window {
            Window::Page(number) => Some(number),
            Window::After(_) => None,
        };
        let next = match number {
            Some(number) if page.more => {
                let within = (u64::from(number) + 1) * u64::from(self.query.page_size) <= MAX_NUMBERED;
                // Where numbers end, the cursor goes on.
                if within {
                    Some(self.link("page", &(number + 1).to_string()))
                } else {
                    next_cursor.as_ref().map(|cursor| self.link("cursor", cursor))
                }
            }
            Some(_) => None,
            None => next_cursor.as_ref().map(|cursor| self.link("cursor", cursor)),
        };
        let links = Links {
            own: self.own_link(),
            next,
            prev: number
                .filter(|&number| number > 1)
                .map(|number| self.link("page", &(number - 1).to_string())),
        };
        List {
            data: page.items.into_iter().map(view).collect(),
            meta: Meta {
                total: page.total,
                page: number,
                page_size: self.query.page_size,
                next_cursor,
            },
            links,
        }
    }

    fn own_link(&self) -> String {
        reference(
            &self.identity.path,
            self.parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }

    /// This list with one parameter of the walk put in place of those that it had.
    fn link(&self, name: &str, value: &str) -> String {
        let kept = self
            .parameters
            .iter()
            .filter(|(parameter, _)| parameter != "page" && parameter != "cursor");
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        reference(&self.identity.path, kept.chain([(name, value)]))
    }
}

const COMMON: &[&str] = &["page", "pageSize", "cursor", "sort"];

/// Parameters that say where in a list one is, not which list it is.
const WALK: &[&str] = &["page", "pageSize", "cursor"];

/// Refuses all parameters, for paths that have none.
pub(crate) fn no_parameters(request: &HttpRequest) -> ApiResult<()> {
    query_parameters(request, &[]).map(|_| ())
}

/// The parameters of a request, each of which is known and comes once.
pub(crate) fn query_parameters(request: &HttpRequest, known: &[&str]) -> ApiResult<Vec<(String, String)>> {
    let pairs = all_parameters(request)?;
    if let Some((name, _)) = pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(refused(&shown(name), "is not a parameter of this path"));
    }
    each_once(pairs)
}

/// The same where others, who are none of ours, add what they like: that is left out.
pub(crate) fn some_query_parameters(request: &HttpRequest, known: &[&str]) -> ApiResult<Vec<(String, String)>> {
    let mut pairs = all_parameters(request)?;
    pairs.retain(|(name, _)| known.contains(&name.as_str()));
    each_once(pairs)
}

fn all_parameters(request: &HttpRequest) -> ApiResult<Vec<(String, String)>> {
    let malformed = |_| ApiError::malformed("query", "The query string is not understood.");
    let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    Ok(pairs.map_err(malformed)?.into_inner())
}

/// A name as an error shows it.
fn shown(name: &str) -> String {
    name.chars().take(100).collect()
}

fn each_once(pairs: Vec<(String, String)>) -> ApiResult<Vec<(String, String)>> {
    for (index, (name, _)) in pairs.iter().enumerate() {
        if pairs.iter().take(index).any(|(earlier, _)| earlier == name) {
            return Err(refused(&shown(name), "must not come twice"));
        }
    }
    Ok(pairs)
}

/// What is wrong with a parameter.
pub(crate) fn refused(name: &str, problem: &str) -> ApiError {
    ApiError::malformed(format!("query.{name}"), format!("The parameter {name} {problem}."))
}

fn number(name: &str, text: Option<&str>, default: u32, max: u64) -> ApiResult<u32> {
    let Some(text) = text else { return Ok(default) };
    let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = digits.then(|| text.parse::<u32>().ok()).flatten();
    value
        .filter(|&value| value >= 1 && u64::from(value) <= max)
        .ok_or_else(|| refused(name, &format!("must be a whole number from 1 to {max}")))
}

fn order<F: FromStr>(sort: &str) -> ApiResult<Vec<(F, Direction)>> {
    let mut names = Vec::new();
    let mut order = Vec::new();
    for key in sort.split(',') {
        let (name, direction) = match key.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (key, Direction::Ascending),
        };
        let field = name
            .parse()
            .map_err(|_| refused("sort", "names a field that this list is not sorted by"))?;
        if names.contains(&name) {
            return Err(refused("sort", "names a field twice"));
        }
        names.push(name);
        order.push((field, direction));
    }
    Ok(order)
}

/// A reference to a path of this API with these parameters.
fn reference<'a>(path: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Where lists are of a person and how they sign in: nobody keeps those.
const OF_A_PERSON: [&str; 2] = ["/api/v1/auth/", "/api/v1/me/"];

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The entries.
    #[schema(max_items = 100)]
    pub(crate) data: Vec<T>,
    /// How many, and where.
    pub(crate) meta: Meta,
    /// Where else.
    pub(crate) links: Links,
}

/// How many entries, and where in the list they are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Meta {
    /// How many entries the list has in all; `null` in a walk by cursor, which counts nothing.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64, example = 42)]
    pub(crate) total: Option<u64>,
    /// The number of this page; `null` in a walk by cursor.
    #[schema(minimum = 1, maximum = 10_000, example = 1)]
    pub(crate) page: Option<u32>,
    /// How many entries a page has.
    #[schema(minimum = 1, maximum = 100, example = 20)]
    pub(crate) page_size: u32,
    /// What to ask for to get the next page; `null` at the end.
    #[schema(max_length = 8192)]
    pub(crate) next_cursor: Option<String>,
}

/// References to this page and its neighbours, each beginning with `/api/v1/`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Links {
    /// This page.
    #[serde(rename = "self")]
    #[schema(
        format = "uri-reference",
        max_length = 16_384,
        example = "/api/v1/organizations?page=1"
    )]
    pub(crate) own: String,
    /// The next page; `null` at the end.
    #[schema(format = "uri-reference", max_length = 16_384)]
    pub(crate) next: Option<String>,
    /// The page before; `null` on the first and in a walk by cursor.
    #[schema(format = "uri-reference", max_length = 16_384)]
    pub(crate) prev: Option<String>,
}

impl<T> List<T> {
    /// A list that is told in one answer: one that the program itself knows, and that no write makes longer.
    pub(crate) fn whole(data: Vec<T>, path: &str) -> Self {
        let meta = Meta {
            total: Some(data.len() as u64),
            page: Some(1),
            page_size: MAX_PAGE_SIZE,
            next_cursor: None,
        };
        let links = Links {
            own: path.to_owned(),
            next: None,
            prev: None,
        };
        Self { data, meta, links }
    }
}

impl<T: Serialize> Responder for List<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<BoxBody> {
        let path = request.match_info().as_str();
        let is_of_a_person = OF_A_PERSON.iter().any(|start| path.starts_with(start));
        let kept = if is_of_a_person { NO_STORE } else { PRIVATE };
        HttpResponse::Ok().insert_header((CACHE_CONTROL, kept)).json(self)
    }
}
