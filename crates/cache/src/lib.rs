//! What a node remembers for a short while, in its own memory: how often somebody tried, and what was just looked up.
//!
//! Nothing here is the truth of anything: it may all vanish at any moment, and the service goes on. All of it is bounded
//! in number and in time. To add something: a module of its own whose type holds a bounded [`moka`] cache and whose
//! decisions are made by the time that is passed in.

pub mod freshness;
pub mod limits;
pub mod recent;
