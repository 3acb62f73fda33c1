//! A time of day.

use core::time::Duration;

use serde::Serialize;

/// Part of each day, where the censor is. It may run over midnight: from 16:00 to 00:00, or from 22:00 to 06:00.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct DailyTime {
    /// The first minute of the day, 0 to 1439.
    pub from: u16,
    /// The minute before which it ends, 1 to 1440.
    pub until: u16,
}

const DAY: u64 = 24 * 60 * 60;

impl DailyTime {
    /// Whether a time since some midnight lies within.
    pub fn contains(&self, since_midnight: Duration) -> bool {
        let minute = since_midnight.as_secs() % DAY / 60;
        let (from, until) = (u64::from(self.from), u64::from(self.until));
        if from < until { (from..until).contains(&minute) } else { minute >= from || minute < until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Midnight does not end a night, and a day begins anew.
    #[test]
    fn runs_over_midnight() {
        let at = |hours: u64| Duration::from_secs(hours * 3600);
        let curfew = DailyTime { from: 16 * 60, until: 24 * 60 };
        let night = DailyTime { from: 22 * 60, until: 6 * 60 };
        let holds = |time: &DailyTime| (0..48).map(|hour| time.contains(at(hour))).collect::<Vec<_>>();
        assert_eq!(holds(&curfew).iter().filter(|holds| **holds).count(), 16);
        assert!(curfew.contains(at(16)) && curfew.contains(at(23)) && !curfew.contains(at(24)));
        assert!(night.contains(at(23)) && night.contains(at(29)) && !night.contains(at(30)) && !night.contains(at(21)));
    }
}
