//! Numbers, given in the profile or by a parameter.

use std::time::Duration;

use roadblock_censor::policy::{Threshold, ThresholdUnit};

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
        let (unit, (least, most)) = match (&after.packets, &after.bytes) {
            (Some(packets), None) => {
                let CountRange { least, most } = self.count(packets);
                (ThresholdUnit::Packets, (least.into(), most.into()))
            }
            (None, Some(bytes)) => {
                let bytes = self.size(bytes);
                (ThresholdUnit::Bytes, (bytes, bytes))
            }
            _ => {
                let message = "either packets or bytes are counted";
                let help = "write `after = { packets = 25 }` or `after = { bytes = \"16KB\" }`";
                self.errors.push(Diagnostic::new(DiagnosticKind::BadValue, after.at(), message).help(help));
                return None;
            }
        };
        Some(Threshold { unit, count: after.count, ..Threshold::packets(least, most) })
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
