//! A client from outside: HTTP and JSON, nothing of the server's own types.

use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

/// The password of every account that tests make.
pub const PASSWORD: &str = "correct horse battery staple";

/// Someone who calls: anonymous, or with an access token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    headers: HeaderMap,
}

/// An answer, wholly read.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub text: String,
}

/// An account, signed in.
#[derive(Debug, Clone)]
pub struct Account {
    /// The client that calls as this account.
    pub client: Client,
    /// Its id.
    pub user_id: String,
    /// Its address.
    pub email: String,
    /// Its refresh token.
    pub refresh_token: String,
}

impl Client {
    /// A client of the server at `base`, without credentials.
    #[must_use]
    pub fn new(base: String) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        Self {
            http: http.expect("a client"),
            base,
            token: None,
            headers: HeaderMap::new(),
        }
    }

    /// The same with a bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same without credentials.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    /// The same with one more header on each request.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        let name: HeaderName = name.parse().expect("a header's name");
        client
            .headers
            .insert(name, HeaderValue::from_str(value).expect("a header's value"));
        client
    }

    /// The access token.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// A request to be completed and sent by [`send`](Self::send). `path` begins at the root.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .headers(self.headers.clone());
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request and reads its answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.expect("a whole answer"),
        }
    }

    /// `GET`
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    /// Makes an account with a fresh address, which founds an organization where one is named.
    pub async fn register(&self, name: &str, organization: Option<&str>) -> Account {
        let email = format!("{}@example.com", uuid::Uuid::new_v4().simple());
        let mut body = json!({ "email": email, "password": PASSWORD, "name": name });
        if let Some(organization) = organization {
            body["organizationName"] = organization.into();
        }
        let answer = self.anonymous().post("/api/v1/auth/register", &body).await;
        answer.expect(StatusCode::CREATED);
        let data = answer.data();
        Account {
            client: self.with_token(data["accessToken"].as_str().expect("an access token")),
            user_id: text(&data["user"]["id"]),
            email,
            refresh_token: text(&data["refreshToken"]),
        }
    }
}

impl Account {
    /// The id of the account's newest organization.
    pub async fn organization(&self) -> String {
        text(&self.client.get("/api/v1/organizations").await.json()["data"][0]["id"])
    }

    /// The id of the default workspace of an organization.
    pub async fn default_workspace(&self, organization: &str) -> String {
        let path = format!("/api/v1/organizations/{organization}/workspaces?pageSize=100");
        let list = self.client.get(&path).await.json();
        let default = list["data"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|workspace| workspace["isDefault"] == true);
        text(&default.expect("a default workspace")["id"])
    }

    /// Creates a project in a workspace and returns it.
    pub async fn create_project(&self, organization: &str, workspace: &str, body: &Value) -> Value {
        let path = format!("/api/v1/organizations/{organization}/workspaces/{workspace}/projects");
        let answer = self.client.post(&path, body).await;
        answer.expect(StatusCode::CREATED);
        answer.data()
    }
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {:?}", self.status, self.text))
    }

    /// What is under `data`.
    #[must_use]
    pub fn data(&self) -> Value {
        self.json()["data"].clone()
    }

    /// The code of the error envelope.
    #[must_use]
    pub fn code(&self) -> String {
        text(&self.json()["error"]["code"])
    }

    /// The reason of a conflict.
    #[must_use]
    pub fn reason(&self) -> String {
        text(&self.json()["error"]["details"]["reason"])
    }

    /// The fields that were refused, each by its JSON pointer, with the codes that say why; sorted.
    #[must_use]
    pub fn refused_fields(&self) -> Vec<(String, String)> {
        let json = self.json();
        let fields = json["error"]["details"]["fields"].as_array().into_iter().flatten();
        let mut fields: Vec<_> = fields
            .map(|field| (text(&field["field"]), text(&field["code"])))
            .collect();
        fields.sort();
        fields
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Panics with the whole answer where its status is another.
    #[track_caller]
    pub fn expect(&self, status: StatusCode) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Panics with the whole answer where its body is not the refusal of just these fields, by their JSON pointers.
    #[track_caller]
    pub fn expect_refused(&self, fields: &[&str]) -> &Self {
        self.expect_error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        let mut refused: Vec<String> = self.refused_fields().into_iter().map(|(field, _)| field).collect();
        refused.dedup();
        let mut fields = fields.to_vec();
        fields.sort_unstable();
        assert_eq!(refused, fields, "{}", self.text);
        self
    }

    /// Panics with the whole answer where it is not this error.
    #[track_caller]
    pub fn expect_error(&self, status: StatusCode, code: &str) -> &Self {
        self.expect(status);
        assert_eq!(self.code(), code, "{}", self.text);
        self
    }
}

/// A JSON string's text.
#[must_use]
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a string: {value}"))
        .to_owned()
}
