//! The client commands in a shell against a real hub: output, stored profiles, and errors.

mod chat;
mod commands;
mod guide;
mod https;
mod identity;
mod kit;
mod pages;
mod profiles;
mod proxies;
mod recipes;
mod refusals;
mod remote;
mod tasks;
mod work;
