//! A hub as one of several instances: the life of the instance, where the channels of the others are, and which of their
//! changes it has applied.

mod applied_facts;
mod life;
mod locations;

pub(crate) use applied_facts::AppliedFacts;
pub(crate) use life::InstanceLife;
pub(crate) use locations::Locations;
