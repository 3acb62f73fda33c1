//! The lab's internet on the loopback interface, looked at with the clients that people use.
#![expect(clippy::disallowed_methods, reason = "servers are judged by programs that nobody here wrote")]

mod programs;
mod running;

mod names;
mod starting;
mod trust;
mod web;
