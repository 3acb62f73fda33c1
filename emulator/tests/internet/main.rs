//! The lab's internet on the loopback interface, looked at with the clients that people use.
#![expect(clippy::disallowed_methods, reason = "servers are judged by programs that nobody here wrote")]

mod programs;
mod python;
mod running;

mod datagrams;
mod messengers;
mod names;
mod resolvers;
mod starting;
mod trust;
mod web;
