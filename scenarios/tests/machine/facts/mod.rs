//! Facts that middleboxes perform, each with its profile and without its rule.

mod russia;
