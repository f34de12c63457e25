//! The tenant transaction, SeaORM entities and the repositories that exist only on it.
//!
//! A row is reached along one typed way: [`admit`](tenant::admit) asks the domain whether the caller could ever do what a
//! route is about and gives an [`Access`](tenant::Access); that begins a [`TenantTx`](tenant::TenantTx), whose settings tell
//! PostgreSQL the tenant; that loads a resource and decides over it, giving an [`Authorized`](tenant::Authorized) proof;
//! repositories take the proof, and add the organization's filter to every statement through [`scope`]. What was
//! written ends with [`commit`](tenant::TenantTx::commit), which takes the event that names it.
//!
//! What belongs to a person and to no tenant goes through [`UserTx`](user::UserTx); what precedes both, through
//! [`SystemTx`](system::SystemTx). Each capability has a file of its name here, with its entity in [`entities`].

mod connection;
pub mod database;
pub mod doctor;
mod domains;
mod email_changes;
mod entities;
pub mod error;
pub mod events;
pub mod idempotency;
mod identities;
pub mod invitations;
pub mod jobs;
mod known_devices;
mod links;
pub mod lists;
pub mod members;
pub mod organizations;
pub mod projects;
pub mod roles;
mod scope;
mod search;
mod second_factors;
pub mod seeding;
pub mod sessions;
pub mod sign_on;
mod slugs;
pub mod system;
pub mod tenant;
pub mod user;
pub mod users;
pub mod workspaces;

pub use database::Database;
pub use error::{Error, Result};
