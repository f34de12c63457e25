//! What GitHub has: OAuth 2.0, and an interface that tells who signed in.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Answered, Endpoint, Person, Reply, Request, State, refused, sent_back};

/// What is asked for by a path below the URL.
pub(super) fn endpoint(path: &str) -> Option<Endpoint> {
    match path {
        "/login/oauth/authorize" => Some(Endpoint::Authorization),
        "/login/oauth/access_token" => Some(Endpoint::Token),
        "/api/v3/user" => Some(Endpoint::UserInfo),
        "/api/v3/user/emails" => Some(Endpoint::Emails),
        "/elsewhere" => Some(Endpoint::Elsewhere),
        _ => None,
    }
}

impl State {
    pub(super) fn github(&mut self, endpoint: Endpoint, request: &Request) -> Answered {
        match endpoint {
            Endpoint::Authorization => self.github_authorization(request),
            Endpoint::Token => self.github_token(request),
            Endpoint::UserInfo => self.known(request, user),
            Endpoint::Emails => self.known(request, emails),
            _ => Ok(Reply::text(200, "nothing to be read here")),
        }
    }

    fn github_authorization(&mut self, request: &Request) -> Answered {
        self.authorization = request.query.clone();
        if request.method != "GET" || request.repeats {
            return Err(refused(400, "invalid_request", "not a plain navigation"));
        }
        let granted = self.granted(&request.query);
        let back = granted.map_err(|why| refused(400, "invalid_request", why))?;
        Ok(sent_back(&request.query["redirect_uri"], &back))
    }

    fn github_token(&mut self, request: &Request) -> Answered {
        if request.method != "POST" || request.repeats {
            return Err(refused(404, "invalid_request", "not a POST of a form"));
        }
        // What is wrong with a code is told with the status of what is right.
        if !self.is_client(request) {
            return Err(refused(200, "incorrect_client_credentials", "not the client"));
        }
        let redeemed = self.redeemed(request);
        let grant = redeemed.map_err(|why| refused(200, "bad_verification_code", why))?;
        let token = self.access_token(grant.person);
        if request.takes_json() {
            let answer = json!({ "access_token": token, "token_type": "bearer", "scope": "read:user,user:email" });
            return Ok(Reply::json(200, &answer));
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("access_token", &token)
            .append_pair("token_type", "bearer");
        let kind = ("content-type", "application/x-www-form-urlencoded".to_owned());
        Ok(Reply::Whole(200, vec![kind], form.finish().into_bytes()))
    }

    /// Tells something of who a token is for, to callers who say what they are.
    fn known(&self, request: &Request, tell: fn(&Person) -> Value) -> Answered {
        if !request.headers.contains_key("user-agent") {
            return Err(refused(403, "forbidden", "no user-agent"));
        }
        let token = request.bearer().unwrap_or_default();
        let Some(person) = self.tokens.get(token) else {
            return Err(refused(401, "Bad credentials", "no access token of ours"));
        };
        Ok(Reply::json(200, &tell(person)))
    }
}

fn user(person: &Person) -> Value {
    let id: u64 = person.subject().parse().expect("a number is who somebody is at GitHub");
    json!({
        "login": "ann-lee",
        "id": id,
        "type": "User",
        "avatar_url": person.claim("picture"),
        "name": person.claim("name"),
        // What is shown in public, and proven by nothing.
        "email": person.claim("public_email"),
    })
}

fn emails(person: &Person) -> Value {
    let of_their_own = || {
        let verified = person.claim("email_verified") == true;
        json!([{ "email": person.claim("email"), "primary": true, "verified": verified, "visibility": null }])
    };
    person.emails.clone().unwrap_or_else(of_their_own)
}
