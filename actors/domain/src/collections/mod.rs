//! Containers that keep an idle channel small.

mod lazy_box;
mod vec_map;

pub(crate) use lazy_box::{LazyBox, StaticDefault};
pub(crate) use vec_map::VecMap;
