//! Where in which lab a test runs.

use std::ffi::OsString;
use std::fmt;

/// What the attribute's brackets say.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// A scenario of the library, or a path.
    pub scenario: &'static str,
    /// The phase; the last one if `None`.
    pub phase: Option<&'static str>,
    /// The vantage; the first one if `None`.
    pub vantage: Option<&'static str>,
    /// What is looked up before the built-in library.
    pub library: Option<&'static str>,
    /// Parameters of the scenario, `NAME=VALUE`.
    pub set: &'static [&'static str],
    /// What all chance comes from; roadblock's own choice if `None`.
    pub seed: Option<u64>,
    /// Whether the test is root inside.
    pub root: bool,
    /// What becomes of the test where there can be no lab.
    pub unsupported: Unsupported,
}

/// What becomes of a test on a machine that cannot run labs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unsupported {
    /// It fails.
    Fail,
    /// It passes, and says on stderr that it did not run.
    Skip,
}

impl Seat {
    /// The arguments of `roadblock` that run a command in this seat, up to the command itself.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        let mut option = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                arguments.push(OsString::from(format!("--{name}={value}")));
            }
        };
        option("library", self.library.map(str::to_owned));
        option("phase", self.phase.map(str::to_owned));
        option("vantage", self.vantage.map(str::to_owned));
        option("seed", self.seed.map(|seed| seed.to_string()));
        for set in self.set {
            option("set", Some((*set).to_owned()));
        }
        if self.root {
            arguments.push("--root".into());
        }
        [vec!["exec".into()], arguments, vec![self.scenario.into(), "--".into()]].concat()
    }
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.scenario)?;
        if let Some(phase) = self.phase {
            write!(f, ", phase {phase}")?;
        }
        if let Some(vantage) = self.vantage {
            write!(f, ", vantage {vantage}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_left_to_roadblock() {
        let plain = Seat {
            scenario: "cn/dns",
            phase: None,
            vantage: None,
            library: None,
            set: &[],
            seed: None,
            root: false,
            unsupported: Unsupported::Fail,
        };
        assert_eq!(plain.arguments(), ["exec", "cn/dns", "--"]);
        assert_eq!(plain.to_string(), "cn/dns");
        let full = Seat {
            phase: Some("later"),
            vantage: Some("home"),
            library: Some("mine"),
            set: &["a=1", "b=[\"x\"]"],
            seed: Some(7),
            root: true,
            ..plain
        };
        let expected =
            "exec --library=mine --phase=later --vantage=home --seed=7 --set=a=1 --set=b=[\"x\"] --root cn/dns --";
        assert_eq!(full.arguments().join(" ".as_ref()), *expected);
        assert_eq!(full.to_string(), "cn/dns, phase later, vantage home");
    }
}
