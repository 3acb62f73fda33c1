//! Apps as their users know them, with OONI's test keys where OONI has the test.

mod instagram;
mod max;
mod messenger;
mod parts;
mod telegram;
mod whatsapp;

pub(crate) use instagram::Instagram;
pub(crate) use max::Max;
pub(crate) use messenger::Messenger;
pub(crate) use telegram::Telegram;
pub(crate) use whatsapp::WhatsApp;
