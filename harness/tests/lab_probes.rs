//! The probes that pin what is sent, in a lab.

mod support;

use support::{can_run_labs, data, run, table};

#[test]
fn what_is_pinned_is_sent_and_what_is_done_to_it_is_seen() {
    if !can_run_labs() {
        return;
    }
    insta::assert_snapshot!(table(&run(&data("probes.toml"))));
}
