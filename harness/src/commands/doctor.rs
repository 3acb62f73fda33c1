//! `roadblock doctor`.

use roadblock_emulator::sandbox::{self, Check, Diagnosis, Machine};
use serde::Serialize;

use super::{print, print_json};
use crate::cli::Format;
use crate::output::Paint;
use crate::run::Table;
use crate::status;

/// `roadblock.doctor/1`.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    ok: bool,
    machine: &'a Machine,
    checks: &'a [Finding],
}

/// One operation that a lab needs, tried.
#[derive(Serialize)]
struct Finding {
    name: String,
    ok: bool,
    /// Whether there can be no lab without it.
    needed: bool,
    /// What was found, or what failed.
    what: String,
    /// The lines to paste; those that begin with `#` say where.
    advice: Option<String>,
}

impl From<Check> for Finding {
    fn from(Check { name, needed, result, advice }: Check) -> Self {
        let ok = result.is_ok();
        let what = result.unwrap_or_else(|failed| failed);
        Self { name, ok, needed, what, advice }
    }
}

/// Says what this machine is and tries each operation that a lab needs.
pub(super) fn doctor(format: Format) -> u8 {
    let diagnosis = sandbox::diagnose();
    let ok = diagnosis.can_run_labs();
    let Diagnosis { machine, checks } = diagnosis;
    let checks: Vec<Finding> = checks.into_iter().map(Finding::from).collect();
    let status = if ok { status::OK } else { status::NO_LAB };
    match format {
        Format::Human => print(&human(machine, ok, &checks, Paint::for_stdout()), status),
        Format::Json => print_json(&Document { schema: "roadblock.doctor/1", ok, machine, checks: &checks }, status),
    }
}

fn human(machine: &Machine, can_run_labs: bool, checks: &[Finding], paint: Paint) -> String {
    let mut table = Table::default();
    for Finding { name, ok, needed, what, .. } in checks {
        let word = match (ok, needed) {
            (true, _) => ("ok", paint.good("ok").to_string()),
            (false, true) => ("failed", paint.bad("failed").to_string()),
            (false, false) => ("no", "no".to_owned()),
        };
        let plain = |text: &str| (text.to_owned(), text.to_owned());
        table.painted_row([plain(name), (word.0.to_owned(), word.1), plain(what)]);
    }
    let mut advice: Vec<String> = checks.iter().filter_map(|check| check.advice.clone()).collect();
    advice.dedup();
    let advice = advice.join("\n").replace('\n', "\n  ");
    let conclusion = match (can_run_labs, advice.is_empty()) {
        (true, true) => "this machine can run labs\n".to_owned(),
        (true, false) => format!("this machine can run labs; better with:\n  {advice}\n"),
        (false, true) => "this machine cannot run labs\n".to_owned(),
        (false, false) => format!("this machine cannot run labs; paste:\n  {advice}\n"),
    };
    format!("{machine}\n\n{}\n{conclusion}", table.render(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(name: &str, ok: bool, what: &str, advice: Option<&str>) -> Finding {
        let needed = !name.starts_with("/dev");
        Finding { name: name.to_owned(), ok, needed, what: what.to_owned(), advice: advice.map(str::to_owned) }
    }

    fn machine(document: &str) -> Machine {
        serde_json::from_str(document).expect("a machine")
    }

    #[test]
    fn a_machine_that_can_and_one_that_cannot() {
        let debian =
            machine(r#"{"system": "Debian GNU/Linux 12 (bookworm)", "kernel": "6.1.0-28-amd64", "surroundings": []}"#);
        let able = [finding("user namespace", true, "full map", None), finding("NFQUEUE", true, "xt target", None)];
        insta::assert_snapshot!("doctor-able", human(&debian, true, &able, Paint::none()));
        let docker = machine(
            r#"{"system": "Alpine Linux v3.20", "kernel": "6.8.0-45-generic", "surroundings": ["docker", "github-runner"]}"#,
        );
        let advice = "# in the container's `docker run`\n--device /dev/net/tun";
        let without_tunnels = [
            finding("user namespace", true, "full map", None),
            finding("/dev/net/tun, for VPNs", false, "No such file or directory", Some(advice)),
        ];
        insta::assert_snapshot!("doctor-without-tunnels", human(&docker, true, &without_tunnels, Paint::none()));
        let ubuntu = machine(r#"{"system": "Ubuntu 24.04.1 LTS", "kernel": "6.8.0-45-generic", "surroundings": []}"#);
        let advice = Some("# until the next start\nsudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
        let unable = [
            finding("user namespace", false, "Operation not permitted", advice),
            finding("NFQUEUE", false, "needs a user namespace", None),
        ];
        insta::assert_snapshot!("doctor-unable", human(&ubuntu, false, &unable, Paint::none()));
    }
}
