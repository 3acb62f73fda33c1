//! Tests that need a lab.
//!
//! A sandbox is made by a process with one thread, and a lab belongs to its process. So each trial runs this program again,
//! with the name of the one test that it is to run in a sandbox of its own.
#![expect(clippy::disallowed_methods, reason = "each lab needs a process of its own, and is looked at with ip and nft")]
#![expect(clippy::print_stderr, reason = "a test program says on stderr why it failed")]

mod denied;
mod echoes;
mod fragments;
mod isolation;
mod kernel_state;
mod lifetime;
mod offload;
mod phases;
mod ranges;
mod support;
mod translators;

use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use roadblock_emulator::sandbox;

/// A test: it panics or it does not.
type Test = fn();

const TESTS: &[(&str, Test)] = &[
    ("isolation::only_planned_links_exist", isolation::only_planned_links_exist),
    ("isolation::host_addresses_are_out_of_reach", isolation::host_addresses_are_out_of_reach),
    (
        "kernel_state::links_addresses_and_routes_are_as_planned",
        kernel_state::links_addresses_and_routes_are_as_planned,
    ),
    ("kernel_state::ruleset_is_as_planned", kernel_state::ruleset_is_as_planned),
    ("offload::a_passed_flow_is_no_longer_looked_at", offload::a_passed_flow_is_no_longer_looked_at),
    ("offload::every_fragment_is_looked_at", offload::every_fragment_is_looked_at),
    ("offload::every_v6_fragment_is_looked_at", offload::every_v6_fragment_is_looked_at),
    ("offload::a_port_used_again_is_looked_at", offload::a_port_used_again_is_looked_at),
    ("offload::udp_does_not_ride_on_a_pass_of_tcp", offload::udp_does_not_ride_on_a_pass_of_tcp),
    ("offload::a_phase_change_ends_a_pass", offload::a_phase_change_ends_a_pass),
    ("offload::a_full_set_is_counted", offload::a_full_set_is_counted),
    ("echoes::ir_2025_1_pings_cost_a_client_everything", echoes::ir_2025_1_pings_cost_a_client_everything),
    ("fragments::tspu_11_fragments_wait_for_each_other", fragments::tspu_11_fragments_wait_for_each_other),
    ("fragments::tspu_11_more_than_may_wait_are_dropped", fragments::tspu_11_more_than_may_wait_are_dropped),
    ("translators::rulesets_are_as_planned", translators::rulesets_are_as_planned),
    ("translators::no_hop_tracks_connections", translators::no_hop_tracks_connections),
    ("translators::nothing_comes_in_unasked", translators::nothing_comes_in_unasked),
    ("phases::a_download_goes_through_ten_changes", phases::a_download_goes_through_ten_changes),
    ("phases::a_change_that_one_hop_refuses_changes_nothing", phases::a_change_that_one_hop_refuses_changes_nothing),
    ("phases::a_file_read_again_is_played_under_a_download", phases::a_file_read_again_is_played_under_a_download),
    ("phases::lists_longer_than_a_transaction_come_and_go", phases::lists_longer_than_a_transaction_come_and_go),
    ("ranges::ru_call_1_a_range_of_ports_is_cut", ranges::ru_call_1_a_range_of_ports_is_cut),
];

/// Tests that look at labs from outside.
const OUTSIDE_TESTS: &[(&str, Test)] = &[
    ("lifetime::killing_the_outer_process_leaves_nothing", lifetime::killing_the_outer_process_leaves_nothing),
    ("lifetime::killing_init_leaves_nothing", lifetime::killing_init_leaves_nothing),
    ("lifetime::killing_the_lab_leaves_nothing", lifetime::killing_the_lab_leaves_nothing),
    ("lifetime::fifty_labs_one_after_the_other_leave_nothing", lifetime::fifty_labs_one_after_the_other_leave_nothing),
    ("lifetime::eight_labs_at_once_do_not_clash", lifetime::eight_labs_at_once_do_not_clash),
    (
        "denied::without_user_namespaces_there_is_a_line_to_paste",
        denied::without_user_namespaces_there_is_a_line_to_paste,
    ),
    (
        "denied::without_capabilities_in_them_there_is_a_line_to_paste",
        denied::without_capabilities_in_them_there_is_a_line_to_paste,
    ),
    ("denied::without_nfqueue_there_is_a_line_to_paste", denied::without_nfqueue_there_is_a_line_to_paste),
];

/// What those tests have this program do besides.
const ERRANDS: &[(&str, Test)] = &[("lifetime::hold", lifetime::hold), ("lifetime::in_turn", lifetime::in_turn)];

/// Run the named test or errand in a sandbox.
pub(crate) const IN_SANDBOX: &str = "--in-sandbox";
/// Run the named errand as it is.
pub(crate) const OUTSIDE: &str = "--outside";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [how, what] if how == IN_SANDBOX => return run_in_sandbox(what),
        [how, filter, what] if how == denied::DENIED => {
            denied::apply(filter);
            return run_in_sandbox(what);
        }
        [how, what] if how == OUTSIDE => {
            find(what)();
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let inside = TESTS.iter().map(|(name, _)| Trial::test(*name, move || run_again(name)));
    let outside = OUTSIDE_TESTS.iter().map(|(name, test)| {
        Trial::test(*name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), inside.chain(outside).collect()).exit_code()
}

fn find(wanted: &str) -> Test {
    let all = TESTS.iter().chain(ERRANDS);
    all.clone().find(|(name, _)| *name == wanted).unwrap_or_else(|| panic!("no test is called {wanted}")).1
}

/// Runs one test in this process.
fn run_in_sandbox(wanted: &str) -> ExitCode {
    let test = find(wanted);
    let ended = sandbox::run(|| {
        support::limit(Duration::from_secs(60));
        test();
        0
    });
    match ended {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("{error}\nadvice: {}", error.advice().unwrap_or_default());
            ExitCode::from(3)
        }
    }
}

/// Runs one test in a process of its own.
fn run_again(name: &str) -> Result<(), Failed> {
    let program = std::env::current_exe()?;
    let output = Command::new(program).args([IN_SANDBOX, name]).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}\n{said}", output.status).into())
}
