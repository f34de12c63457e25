//! What is true of tenants without any I/O: ids, names, roles, permissions and their inheritance, events.
//!
//! Nothing here knows of HTTP, SQL or a clock. A resource has one file here, and a file of the same name in every
//! crate above that deals with it.

pub mod authorization;
pub mod domains;
pub mod email_changes;
pub mod emails;
pub mod environment;
pub mod events;
pub mod identities;
pub mod ids;
pub mod invitations;
pub mod jobs;
pub mod keywords;
pub mod known_devices;
pub mod links;
pub mod lists;
pub mod members;
pub mod organizations;
pub mod passkeys;
pub mod permissions;
pub mod projects;
pub mod roles;
pub mod second_factors;
pub mod sessions;
pub mod settings;
pub mod sign_on;
pub mod slugs;
pub mod text;
pub mod trace;
pub mod users;
pub mod workspaces;
