//! Sign-ins at a provider, made beside the API: what the server would have sealed had a browser been there and back.

use std::sync::LazyLock;

use secrecy::ExposeSecret as _;
use tenantry::system::SystemSource;
use tenantry_auth::{
    identity_providers::{
        codes::SignInCode,
        flow::{BrowserToken, Flow, Wanted},
    },
    vault::Vault,
};
use tenantry_domain::identities::ExternalIdentity;
use tenantry_tests::{
    app::{Options, keyring},
    identity_provider::IdentityProvider,
};

use super::{Person, Tenant, new_id, new_text};

/// The key of the provider that people sign in through.
pub(crate) const PROVIDER: &str = "acme-id";

/// Who vouches for people in the codes and the rows that are made here.
const ISSUER: &str = "https://id.acme.example";

/// Where sign-ins return to.
pub(super) const REDIRECT_URI: &str = "https://app.acme.example/signed-in";

/// What an app proves by that it began a sign-in, and the challenge that it began it with (RFC 7636, appendix B).
pub(crate) const CODE_VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CODE_CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The browser in which every sign-in of this process began.
static BROWSER: LazyLock<BrowserToken> = LazyLock::new(|| BrowserToken::generate(&SystemSource::environment()));

/// Options of an application in which people sign in through this provider, too.
pub(crate) fn options(provider: &IdentityProvider) -> Options {
    Options {
        identity_providers: provider.configured(PROVIDER),
        redirect_uris: vec![REDIRECT_URI.to_owned()],
        ..Options::default()
    }
}

/// What the browser shows that it is the one, at an address without TLS.
pub(crate) fn browser_cookie() -> String {
    format!("tenantry-sign-in={}", BROWSER.secret().expose_secret())
}

/// What the browser carries through a sign-in that it has just begun.
pub(super) fn flow_state() -> String {
    let environment = SystemSource::environment();
    let wanted = Wanted {
        redirect_uri: REDIRECT_URI.to_owned(),
        state: None,
        code_challenge: Some(CODE_CHALLENGE.to_owned()),
    };
    let flow = Flow::begin(PROVIDER, wanted, &BROWSER, &environment);
    flow.seal(&vault(), &environment).unwrap()
}

/// The code of a sign-in that has just come to this subject, for whoever has the verifier.
pub(crate) fn sign_in_code(subject: &str, email: &str) -> String {
    let identity = ExternalIdentity {
        connection: None,
        provider: PROVIDER.to_owned(),
        issuer: ISSUER.to_owned(),
        subject: subject.to_owned(),
        email: Some(email.parse().unwrap()),
        email_verified: true,
        name: None,
        picture: None,
        locale: None,
    };
    let challenge = Some(CODE_CHALLENGE.to_owned());
    let code = SignInCode::issue(&vault(), &SystemSource::environment(), identity, challenge);
    code.unwrap().expose_secret().to_owned()
}

fn vault() -> Vault {
    Vault::new(keyring(), keyring())
}

impl Tenant {
    /// An identity of somebody's that signs nobody in.
    pub(super) async fn new_identity(&self, person: &Person) -> String {
        let id = new_id();
        self.sql(&identity(&person.id, &id, &new_text())).await;
        id
    }

    /// A code for an operation of somebody's: of an identity of theirs, or of one that is nobody's yet and is to be linked.
    pub(super) async fn vouched_for(&self, person: &Person, operation: &str) -> String {
        let subject = new_text();
        if operation != "linkIdentity" {
            self.sql(&identity(&person.id, &new_id(), &subject)).await;
        }
        sign_in_code(&subject, &person.email)
    }
}

/// Gives somebody an identity of this id, whom the provider means by this subject.
pub(super) fn identity(user: &str, id: &str, subject: &str) -> String {
    format!(
        "insert into identities (user_id, id, provider, issuer, subject, email, created_at)
         values ('{user}', '{id}', '{PROVIDER}', '{ISSUER}', '{subject}', '{subject}@acme.example', now());"
    )
}

/// What will be an identity of somebody's once they follow a link.
pub(super) fn pending_identity(person: &Person, link: &str) -> String {
    let Person { id, email } = person;
    let subject = new_text();
    format!(
        "insert into pending_identities (user_id, link_id, provider, issuer, subject, email)
         values ('{id}', '{link}', '{PROVIDER}', '{ISSUER}', '{subject}', '{email}');"
    )
}
