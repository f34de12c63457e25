//! The endpoints of OpenID Connect.

use serde_json::{Map, Value, json};

use super::{Answered, Endpoint, Grant, Reply, Request, State, refused, sent_back};
use crate::signing_keys::otherwise;

/// What is asked for by a path below the issuer.
pub(super) fn endpoint(path: &str) -> Option<Endpoint> {
    match path {
        "/.well-known/openid-configuration" => Some(Endpoint::Metadata),
        "/keys" => Some(Endpoint::Keys),
        "/authorize" => Some(Endpoint::Authorization),
        "/token" => Some(Endpoint::Token),
        "/userinfo" => Some(Endpoint::UserInfo),
        "/foreign-keys" => Some(Endpoint::ForeignKeys),
        "/elsewhere" => Some(Endpoint::Elsewhere),
        _ => None,
    }
}

impl State {
    pub(super) fn openid(&mut self, endpoint: Endpoint, request: &Request) -> Answered {
        match endpoint {
            Endpoint::Metadata => Ok(Reply::json(200, &self.metadata())),
            Endpoint::Keys => Ok(Reply::json(200, &self.keys.published())),
            Endpoint::ForeignKeys => Ok(Reply::json(200, &self.keys.published_elsewhere())),
            Endpoint::Authorization => self.openid_authorization(request),
            Endpoint::Token => self.openid_token(request),
            Endpoint::UserInfo => self.userinfo(request),
            Endpoint::Emails | Endpoint::Elsewhere => Ok(Reply::text(200, "nothing to be read here")),
        }
    }

    /// OpenID Connect Discovery 1.0, section 3.
    fn metadata(&self) -> Value {
        let mut metadata = json!({
            "issuer": self.issuer,
            "authorization_endpoint": self.url("/authorize"),
            "token_endpoint": self.url("/token"),
            "userinfo_endpoint": self.url("/userinfo"),
            "jwks_uri": self.url("/keys"),
            "scopes_supported": ["openid", "email", "profile"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": self.behaviour.client_auth,
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": ["sub", "email", "email_verified", "name", "picture", "locale"],
        });
        if self.behaviour.public_client {
            metadata["token_endpoint_auth_methods_supported"] = json!(["none"]);
        }
        if self.behaviour.announces_issuer {
            metadata["authorization_response_iss_parameter_supported"] = true.into();
        }
        otherwise(metadata, &self.behaviour.metadata)
    }

    fn openid_authorization(&mut self, request: &Request) -> Answered {
        let query = &request.query;
        self.authorization = query.clone();
        let is = |name: &str, value: &str| query.get(name).is_some_and(|told| told == value);
        let scopes = query.get("scope").map(String::as_str).unwrap_or_default();
        let wrong = if request.method != "GET" || request.repeats {
            Some("not a plain navigation")
        } else if !is("response_type", "code") {
            Some("a response_type that is not code")
        } else if !scopes.split(' ').any(|scope| scope == "openid") {
            Some("no scope openid")
        } else if query.get("nonce").is_none_or(|nonce| nonce.len() < 16) {
            Some("no nonce that nobody guesses")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return Err(refused(400, "invalid_request", wrong));
        }
        let granted = self.granted(query).map_err(|why| refused(400, "invalid_request", why));
        let mut back = granted?;
        // RFC 9207: with a refusal as with a code.
        if !self.behaviour.omits_issuer {
            let issuer = self.behaviour.other_issuer.as_ref().unwrap_or(&self.issuer);
            back.push(("iss", issuer.clone()));
        }
        Ok(sent_back(&query["redirect_uri"], &back))
    }

    fn openid_token(&mut self, request: &Request) -> Answered {
        if request.method != "POST" || request.repeats {
            return Err(refused(400, "invalid_request", "not a POST of a form"));
        }
        if request.form.get("grant_type").map(String::as_str) != Some("authorization_code") {
            return Err(refused(400, "unsupported_grant_type", "another grant_type"));
        }
        if !self.is_client(request) {
            return Err(refused(401, "invalid_client", "not the client"));
        }
        let redeemed = self.redeemed(request).map_err(|why| refused(400, "invalid_grant", why));
        let grant = redeemed?;
        let mut answer = json!({
            "access_token": self.access_token(grant.person.clone()),
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "openid email profile",
        });
        if !self.behaviour.omits_id_token {
            answer["id_token"] = self.id_token(&grant).into();
        }
        Ok(Reply::json(200, &answer))
    }

    /// OpenID Connect Core 1.0, section 2.
    fn id_token(&self, grant: &Grant) -> String {
        let behaviour = &self.behaviour;
        let issued = self.clock.environment().now() - behaviour.age;
        let mut claims = Map::new();
        if behaviour.tells_in_userinfo {
            claims.insert("sub".to_owned(), grant.person.subject().into());
        } else {
            claims.clone_from(&grant.person.claims);
        }
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("aud", json!(self.client_id)),
            ("iat", json!(issued.timestamp())),
            ("exp", json!((issued + behaviour.life).timestamp())),
            ("nonce", json!(grant.nonce)),
        ] {
            // What is known of somebody may say otherwise, as their tenant does.
            claims.entry(name).or_insert(value);
        }
        let claims = otherwise(Value::Object(claims), &behaviour.id_token);
        self.keys.signed(behaviour.signer, &self.url("/foreign-keys"), &claims)
    }

    /// OpenID Connect Core 1.0, section 5.3.
    fn userinfo(&self, request: &Request) -> Answered {
        let token = request.bearer().unwrap_or_default();
        let Some(person) = self.tokens.get(token) else {
            return Err(refused(401, "invalid_token", "no access token of ours"));
        };
        let known = Value::Object(person.claims.clone());
        Ok(Reply::json(200, &otherwise(known, &self.behaviour.userinfo)))
    }
}
