//! Cursors: places in lists, signed.
//!
//! A cursor is base64url of a signature and of the JSON that it signs: the place, the order, and a digest of whatever else
//! makes the list what it is (path, filters, caller). It is taken back by the same caller for the same list alone.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use tenantry_domain::{ids::UserId, lists::Place};
use tenantry_services::Keyring;

/// What the signature is made for; another purpose's signature is none here.
const PURPOSE: &str = "cursor";

/// The most characters of a cursor: a place holds a few names at the most.
const MAX: usize = 8192;

/// Bytes of the signature.
const SIGNATURE: usize = 16;

/// What a list is: a cursor of another is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListIdentity {
    /// The path, which names the organization.
    pub(crate) path: String,
    /// Sort, search and filters, as they were sent.
    pub(crate) parameters: Vec<(String, String)>,
    /// The caller.
    pub(crate) caller: UserId,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    place: Place,
    list: ListIdentity,
}

pub(crate) fn encode(keyring: &Keyring, list: &ListIdentity, place: Place) -> Option<String> {
    let json = serde_json::to_vec(&Signed {
        place,
        list: list.clone(),
    })
    .ok()?;
    let signature = keyring.sign(PURPOSE, &json);
    let mut bytes = signature.as_bytes().to_vec();
    bytes.extend_from_slice(&json);
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// The place of a cursor, if it is one of this list.
pub(crate) fn decode(keyring: &Keyring, list: &ListIdentity, cursor: &str) -> Option<Place> {
    if cursor.len() > MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (signature, json) = bytes.split_at_checked(SIGNATURE)?;
    if !keyring.verify(PURPOSE, json, signature) {
        return None;
    }
    let signed: Signed = serde_json::from_slice(json).ok()?;
    (signed.list == *list).then_some(signed.place)
}
