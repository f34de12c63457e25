//! The resources: one file each, with its bodies, its handlers and its routes.

pub(crate) mod authentication;
pub(crate) mod context;
pub(crate) mod dev_mail;
pub(crate) mod discovery;
pub(crate) mod docs;
pub(crate) mod domains;
pub(crate) mod health;
pub(crate) mod identities;
pub(crate) mod identity_providers;
pub(crate) mod invitations;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod organizations;
pub(crate) mod passkeys;
pub(crate) mod permissions;
pub(crate) mod projects;
pub(crate) mod second_factors;
pub(crate) mod sessions;
pub(crate) mod sign_on;
pub(crate) mod trusted_devices;
pub(crate) mod workspaces;
