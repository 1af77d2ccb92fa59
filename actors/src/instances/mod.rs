//! A hub as one of several instances: the life of the instance, and where the channels of the others are.

mod life;
mod locations;

pub(crate) use life::InstanceLife;
pub(crate) use locations::Locations;
