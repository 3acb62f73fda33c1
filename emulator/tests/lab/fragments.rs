//! Fragments, from the profile through the kernel to the machine and back.

use std::process::Command;

use roadblock_emulator::lab::{Lab, LabOptions};

use crate::support::{SCENARIO, WIKIPEDIA, WIKIPEDIA_V6, at, client, lab_with, seen};

/// TSPU-11: a ping of three fragments each way waits until it is complete and goes on, through a box that has no rules at all.
pub(crate) fn tspu_11_fragments_wait_for_each_other() {
    ping("censors/queue-45", true, 6);
}

/// TSPU-11: where no more than two of a packet may wait, none of three goes on.
pub(crate) fn tspu_11_more_than_may_wait_are_dropped() {
    ping("censors/queue-2", false, 3);
}

/// Sends a ping by either family, through a box of this profile, and counts the packets that it sees.
fn ping(profile: &str, is_answered: bool, packets: u64) {
    let lab = lab_of(profile);
    let from = client(&lab);
    for (family, server, from) in [("-4", WIKIPEDIA, from.v4.to_string()), ("-6", WIKIPEDIA_V6, from.v6.to_string())] {
        let before = seen(&lab);
        assert_eq!(answers(&lab, family, from, server), is_answered, "{family}");
        assert_eq!(seen(&lab) - before, packets, "{family}");
    }
    assert_eq!(lab.counters("box").expect("the box looks at packets").held, 0);
}

fn lab_of(profile: &str) -> Lab {
    let text = SCENARIO
        .replacen("censors/tspu-2026", profile, 1)
        .replacen("sni-1 = [\"whatsapp.com\"]\n", "", 1)
        .replacen("ip-drop = [\"157.240.0.0/16\", \"2a03:2880::/32\"]\n", "", 1);
    let (text, _) = text.split_once("[[phase]]\nid = \"two\"").expect("it has a second phase");
    lab_with(text, LabOptions::default())
}

/// Whether a ping of 4,000 bytes is answered within a second.
fn answers(lab: &Lab, family: &'static str, from: String, to: &'static str) -> bool {
    at(lab, "inside", move || {
        let ping = Command::new("ping").args(["-n", "-q", "-c1", "-W1", "-s4000", family, "-I", &from, to]).output();
        ping.expect("the program is installed").status.success()
    })
}
