//! What a provider does otherwise than it should.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde_json::Value;

use crate::{http_server::Fault, signing_keys::Signer};

/// What it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// What it tells of itself.
    Metadata,
    /// The keys that it signs with.
    Keys,
    /// Where browsers are sent.
    Authorization,
    /// Where a code is given for tokens.
    Token,
    /// What it knows of who signed in.
    UserInfo,
    /// The addresses of who signed in, at GitHub.
    Emails,
    /// Keys that are not its own, for those who follow an address in a token.
    ForeignKeys,
    /// A place that it sends callers on to.
    Elsewhere,
}

/// How a provider behaves from now on.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// What is otherwise in the metadata; a null is left out.
    pub metadata: Vec<(&'static str, Value)>,
    /// The ways in which a client may show its secret.
    pub client_auth: Vec<&'static str>,
    /// Whether a client has no secret at all.
    pub public_client: bool,
    /// What the browser is sent back with instead of a code.
    pub refusal: Option<&'static str>,
    /// What the browser is sent back with besides.
    pub remarks: Vec<(&'static str, &'static str)>,
    /// Whether the metadata promise that the browser is sent back with the issuer.
    pub announces_issuer: bool,
    /// Whether it is sent back without.
    pub omits_issuer: bool,
    /// The issuer that it is sent back with, where it is another's.
    pub other_issuer: Option<String>,
    /// Who signs ID tokens.
    pub signer: Signer,
    /// What is otherwise in ID tokens; a null is left out.
    pub id_token: Vec<(&'static str, Value)>,
    /// Whether there is no ID token.
    pub omits_id_token: bool,
    /// How long ago ID tokens are said to be made; less than nothing is in the future.
    pub age: TimeDelta,
    /// For how long they are good.
    pub life: TimeDelta,
    /// Whether ID tokens tell nothing of who signed in but the subject.
    pub tells_in_userinfo: bool,
    /// What userinfo tells otherwise; a null is left out.
    pub userinfo: Vec<(&'static str, Value)>,
    /// What goes wrong, and where.
    pub faults: HashMap<Endpoint, Fault>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            metadata: Vec::new(),
            client_auth: vec!["client_secret_basic", "client_secret_post"],
            public_client: false,
            refusal: None,
            remarks: Vec::new(),
            announces_issuer: true,
            omits_issuer: false,
            other_issuer: None,
            signer: Signer::Own,
            id_token: Vec::new(),
            omits_id_token: false,
            age: TimeDelta::zero(),
            life: TimeDelta::minutes(5),
            tells_in_userinfo: false,
            userinfo: Vec::new(),
            faults: HashMap::new(),
        }
    }
}
