//! `roadblock doctor`.

use roadblock_emulator::sandbox::{self, Check};
use serde::Serialize;

use super::{print, print_json};
use crate::cli::Format;
use crate::output::Paint;
use crate::run::Table;
use crate::status;

/// `roadblock.doctor/1`.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    ok: bool,
    checks: Vec<Finding>,
}

/// One operation that a lab needs, tried.
#[derive(Serialize)]
struct Finding {
    name: String,
    ok: bool,
    /// What was found, or what failed.
    what: String,
    /// The line to paste.
    advice: Option<String>,
}

impl From<Check> for Finding {
    fn from(Check { name, result, advice }: Check) -> Self {
        let ok = result.is_ok();
        let what = result.unwrap_or_else(|failed| failed);
        Self { name, ok, what, advice }
    }
}

/// Tries each operation that a lab needs.
pub(super) fn doctor(format: Format) -> u8 {
    let checks: Vec<Finding> = sandbox::diagnose().into_iter().map(Finding::from).collect();
    let ok = checks.iter().all(|check| check.ok);
    let status = if ok { status::OK } else { status::NO_LAB };
    match format {
        Format::Human => print(&human(&checks, Paint::for_stdout()), status),
        Format::Json => print_json(&Document { schema: "roadblock.doctor/1", ok, checks }, status),
    }
}

fn human(checks: &[Finding], paint: Paint) -> String {
    let mut table = Table::default();
    for Finding { name, ok, what, .. } in checks {
        let word = if *ok { ("ok", paint.good("ok").to_string()) } else { ("failed", paint.bad("failed").to_string()) };
        let plain = |text: &str| (text.to_owned(), text.to_owned());
        table.painted_row([plain(name), (word.0.to_owned(), word.1), plain(what)]);
    }
    let advice: Vec<&str> = checks.iter().filter_map(|check| check.advice.as_deref()).collect();
    let conclusion = match (checks.iter().all(|check| check.ok), advice.is_empty()) {
        (true, true) => "\nthis machine can run labs\n".to_owned(),
        (true, false) => format!("\nthis machine can run labs; better with:\n  {}\n", advice.join("\n  ")),
        (false, true) => "\nthis machine cannot run labs\n".to_owned(),
        (false, false) => format!("\nthis machine cannot run labs; paste:\n  {}\n", advice.join("\n  ")),
    };
    table.render("") + &conclusion
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(name: &str, ok: bool, what: &str, advice: Option<&str>) -> Finding {
        Finding { name: name.to_owned(), ok, what: what.to_owned(), advice: advice.map(str::to_owned) }
    }

    #[test]
    fn a_machine_that_can_and_one_that_cannot() {
        let able = [finding("user namespace", true, "full map", None), finding("NFQUEUE", true, "xt target", None)];
        insta::assert_snapshot!("doctor-able", human(&able, Paint::none()));
        let advice = Some("sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
        let unable = [
            finding("user namespace", false, "Operation not permitted", advice),
            finding("NFQUEUE", false, "needs a user namespace", None),
        ];
        insta::assert_snapshot!("doctor-unable", human(&unable, Paint::none()));
    }
}
