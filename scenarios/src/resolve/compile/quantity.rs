//! Numbers, given in the profile or by a parameter.

use std::time::Duration;

use roadblock_censor::policy::{Per, Threshold, ThresholdUnit};

use super::super::arguments::Setting;
use super::Compiler;
use crate::declare::{AfterDeclaration, Argument, BitRate, ByteSize, CountRange};
use crate::diagnostic::{Diagnostic, DiagnosticKind};
use crate::read::Located;

impl Compiler<'_, '_> {
    pub(super) fn probability(&mut self, argument: &Argument<f64>) -> f64 {
        match argument {
            Argument::Literal(value) => *value,
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Probability(value)) => *value,
                other => self.mistyped(name, "a probability", other).unwrap_or_default(),
            },
        }
    }

    pub(super) fn duration(&mut self, argument: &Argument<Duration>) -> Duration {
        match argument {
            Argument::Literal(value) => *value,
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Duration(value)) => *value,
                other => self.mistyped(name, "a duration", other).unwrap_or_default(),
            },
        }
    }

    pub(super) fn size(&mut self, argument: &Argument<ByteSize>) -> u64 {
        match argument {
            Argument::Literal(value) => value.0,
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Size(value)) => value.0,
                other => self.mistyped(name, "a size", other).unwrap_or_default(),
            },
        }
    }

    pub(super) fn rate(&mut self, argument: &Argument<BitRate>) -> u64 {
        match argument {
            Argument::Literal(value) => value.0,
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Rate(value)) => value.0,
                other => self.mistyped(name, "a rate", other).unwrap_or(1),
            },
        }
    }

    /// How much passes first.
    pub(super) fn after(&mut self, after: &AfterDeclaration) -> Option<Threshold> {
        let (unit, (least, most)) = match (&after.packets, &after.bytes, &after.connections) {
            (Some(packets), None, None) => (ThresholdUnit::Packets, self.range(packets)),
            (None, Some(bytes), None) => {
                let bytes = self.size(bytes);
                (ThresholdUnit::Bytes, (bytes, bytes))
            }
            (None, None, Some(connections)) => (ThresholdUnit::Connections, self.range(connections)),
            _ => {
                let message = "either packets, bytes or connections are counted";
                let help = "write `after = { packets = 25 }`, `after = { bytes = \"16KB\" }` or \
                            `after = { connections = 12, per = \"2t\", within = \"60s\" }`";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, after.at(), message).help(help));
                return None;
            }
        };
        if unit == ThresholdUnit::Connections && after.per == Per::Flow {
            let message = "a flow is one connection, so there is nothing to count";
            let help = "say who shares the count: `per = \"client\"`, `\"2t\"` or `\"3t\"`";
            self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, after.at(), message).help(help));
        }
        let within = after.within.as_ref().map(|within| self.duration(within));
        Some(Threshold { unit, least, most, count: after.count, per: after.per, within })
    }

    fn range(&mut self, argument: &Argument<CountRange>) -> (u64, u64) {
        let CountRange { least, most } = self.count(argument);
        (least.into(), most.into())
    }

    fn count(&mut self, argument: &Argument<CountRange>) -> CountRange {
        match argument {
            Argument::Literal(value) => *value,
            Argument::Parameter(name) => match self.setting(name) {
                Some(Setting::Count(value)) => *value,
                other => self.mistyped(name, "a count", other).unwrap_or(CountRange { least: 0, most: 0 }),
            },
        }
    }
}
