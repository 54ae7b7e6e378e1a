use jiff::civil::Date;

use super::CqlError;

/// One end of a range of days, as the person wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateBound(Bound);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Bound {
    Day(Date),
    Ago { count: u16, unit: Unit },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Days,
    Weeks,
    Months,
    Years,
}

const EARLIEST_YEAR: i16 = 1970;

impl DateBound {
    /// Reads `YYYY-MM-DD`, or `-N` with d, w, m or y. `parameter` is what an error calls it.
    pub fn parse(parameter: &'static str, input: &str) -> Result<Self, CqlError> {
        let bound = match input.strip_prefix('-') {
            Some(ago) => parse_ago(ago),
            None => parse_day(input),
        };
        bound.map(Self).ok_or_else(|| CqlError::BadDate { parameter, found: excerpt(input) })
    }

    /// `lastmodified` from this bound on, its own day included.
    pub(super) fn at_or_after(&self) -> String {
        match &self.0 {
            Bound::Day(day) => format!("lastmodified >= \"{day}\""),
            Bound::Ago { count, unit } => format!("lastmodified >= now(\"-{count}{}\")", unit.letter()),
        }
    }

    /// `lastmodified` up to this bound, its own day included.
    pub(super) fn at_or_before(&self) -> String {
        match &self.0 {
            // To CQL a date is its first moment, so the whole day ends where the next one begins.
            Bound::Day(day) => match day.tomorrow() {
                Ok(next) => format!("lastmodified < \"{next}\""),
                // The last day that there is.
                Err(_) => "lastmodified <= \"9999/12/31 23:59\"".to_owned(),
            },
            Bound::Ago { count, unit } => format!("lastmodified <= now(\"-{count}{}\")", unit.letter()),
        }
    }

    /// Whether this bound is the later one on any day of the year. Without a clock a date and a time ago cannot
    /// be compared, nor 30 days and one month: then the answer is no.
    pub(super) fn is_certainly_later_than(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Bound::Day(one), Bound::Day(other)) => one > other,
            (Bound::Ago { count, unit }, Bound::Ago { count: other_count, unit: other_unit }) => {
                match (unit.months(), other_unit.months()) {
                    (Some(one), Some(other)) => count * one < other_count * other,
                    _ => unit.longest(*count) < other_unit.shortest(*other_count),
                }
            }
            _ => false,
        }
    }
}

fn parse_day(input: &str) -> Option<Bound> {
    let digits_and_hyphens = input.bytes().enumerate().all(|(index, byte)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if input.len() != 10 || !digits_and_hyphens {
        return None;
    }
    let (year, month, day) = (input[..4].parse().ok()?, input[5..7].parse().ok()?, input[8..].parse().ok()?);
    Date::new(year, month, day).ok().filter(|date| date.year() >= EARLIEST_YEAR).map(Bound::Day)
}

fn parse_ago(ago: &str) -> Option<Bound> {
    let (count, unit) = ago.split_at_checked(ago.len().checked_sub(1)?)?;
    let unit = match unit {
        "d" => Unit::Days,
        "w" => Unit::Weeks,
        "m" => Unit::Months,
        "y" => Unit::Years,
        _ => return None,
    };
    if count.is_empty() || count.len() > 4 || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count = count.parse().ok()?;
    (1..=unit.limit()).contains(&count).then_some(Bound::Ago { count, unit })
}

impl Unit {
    /// CQL's letter. There `m` is a minute and `M` a month; people mean the month.
    fn letter(self) -> char {
        match self {
            Self::Days => 'd',
            Self::Weeks => 'w',
            Self::Months => 'M',
            Self::Years => 'y',
        }
    }

    /// A hundred years, or as much of them as four digits hold.
    fn limit(self) -> u16 {
        match self {
            Self::Days => 9_999,
            Self::Weeks => 5_200,
            Self::Months => 1_200,
            Self::Years => 100,
        }
    }

    fn months(self) -> Option<u16> {
        match self {
            Self::Days | Self::Weeks => None,
            Self::Months => Some(1),
            Self::Years => Some(12),
        }
    }

    fn shortest(self, count: u16) -> u32 {
        u32::from(count)
            * match self {
                Self::Days => 1,
                Self::Weeks => 7,
                Self::Months => 28,
                Self::Years => 365,
            }
    }

    fn longest(self, count: u16) -> u32 {
        u32::from(count)
            * match self {
                Self::Days => 1,
                Self::Weeks => 7,
                Self::Months => 31,
                Self::Years => 366,
            }
    }
}

fn excerpt(input: &str) -> String {
    input.chars().take(40).collect()
}
