//! What domains look like, and what is sent to add one.

use serde::Serialize;
use tenantry_domain::{
    domains::{Domain, DomainName, DomainStatus},
    environment::Timestamp,
    ids::DomainId,
};
use utoipa::ToSchema;

use crate::{
    fields::{Fields, FromFields},
    rules, timestamps, words,
};

/// A domain that an organization says is its own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Domain)]
pub(in crate::resources) struct DomainView {
    #[schema(value_type = uuid::Uuid)]
    id: DomainId,
    /// Its name as the DNS knows it: in ASCII (IDNA) and lower case.
    #[schema(value_type = String, min_length = 3, max_length = 243, example = "example.com")]
    domain: DomainName,
    #[schema(value_type = words::DomainStatusName)]
    status: DomainStatus,
    /// The record that proves it.
    record: DomainRecordView,
    /// When that record was found; `null` as long as it was not.
    #[serde(serialize_with = "timestamps::optional::serialize")]
    #[schema(value_type = Option<String>, format = DateTime, max_length = 24, example = "2026-01-31T09:45:00.123Z")]
    verified_at: Option<Timestamp>,
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:30:00.123Z")]
    created_at: Timestamp,
    /// When it was added, or else verified.
    #[serde(serialize_with = "timestamps::serialize")]
    #[schema(value_type = String, format = DateTime, max_length = 24, example = "2026-01-31T09:45:00.123Z")]
    updated_at: Timestamp,
}

/// A record in the DNS that proves a domain.
#[derive(Serialize, ToSchema)]
#[schema(as = DomainRecord)]
pub(in crate::resources) struct DomainRecordView {
    /// Where it is to be.
    #[schema(max_length = 263, example = "_tenantry.example.com")]
    name: String,
    /// What kind of record it is: `TXT`.
    #[serde(rename = "type")]
    #[schema(value_type = words::DomainRecordType)]
    kind: &'static str,
    /// What it is to say, to the character.
    #[schema(
        max_length = 255,
        example = "tenantry-domain-verification=000102030405060708090a0b0c0d0e0f"
    )]
    value: String,
}

impl From<Domain> for DomainView {
    fn from(domain: Domain) -> Self {
        Self {
            status: domain.status(),
            record: DomainRecordView {
                name: domain.record_name(),
                kind: "TXT",
                value: domain.record_value(),
            },
            id: domain.id,
            domain: domain.name,
            verified_at: domain.verified_at,
            created_at: domain.created_at,
            updated_at: domain.updated_at,
        }
    }
}

/// A domain to add.
#[derive(ToSchema)]
#[schema(example = json!({"domain": "example.com"}))]
pub(in crate::resources) struct DomainAddBody {
    /// Its name, in whatever letters and case: of two labels at least, and no address of the network. A dot at its end goes.
    #[schema(value_type = String, min_length = 3, max_length = 244)]
    domain: DomainName,
}

impl FromFields for DomainAddBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let domain = fields.required("domain", rules::text);
        Some(Self { domain: domain? })
    }
}

impl From<DomainAddBody> for DomainName {
    fn from(body: DomainAddBody) -> Self {
        body.domain
    }
}
