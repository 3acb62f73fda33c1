//! The lab's internet on the loopback interface, looked at with the clients that people use.

mod programs;
mod running;

mod names;
mod starting;
mod trust;
mod web;
