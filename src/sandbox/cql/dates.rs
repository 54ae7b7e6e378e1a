//! Dates of CQL: a literal stands for a whole day or a whole minute.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::Bad;
use super::lexer::Operator;
use super::parser::Value;

/// A stretch of time; its end does not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Stretch {
    pub fn holds(&self, operator: Operator, time: Timestamp) -> bool {
        match operator {
            Operator::Less => time < self.start,
            Operator::LessOrEqual => time < self.end,
            Operator::Greater => time >= self.end,
            Operator::GreaterOrEqual => time >= self.start,
            _ => time >= self.start && time < self.end,
        }
    }
}

pub fn stretch(value: &Value, now: Timestamp) -> Result<Stretch, Bad> {
    match value {
        Value::Literal(text) => literal(text),
        Value::Function { name, arguments } => function(name, arguments, now),
    }
}

fn literal(text: &str) -> Result<Stretch, Bad> {
    let (day, minute) = match text.split_once(' ') {
        Some((day, minute)) => (day, Some(minute)),
        None => (text, None),
    };
    let (date, time) = (date(day), minute.map_or(Some(Time::midnight()), clock));
    let (Some(date), Some(time)) = (date, time) else { return Err(refused(text)) };
    let length = if minute.is_some() { 1.minute() } else { 24.hours() };
    stretch_from(date.to_datetime(time), length).ok_or_else(|| refused(text))
}

fn refused(text: &str) -> Bad {
    Bad::new(format!(
        "The date/time value '{text}' is not valid. Valid formats are: 'yyyy/MM/dd HH:mm', \
         'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd'."
    ))
}

fn stretch_from(start: DateTime, length: Span) -> Option<Stretch> {
    let start = start.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Stretch { start, end: start.checked_add(length).ok()? })
}

fn date(text: &str) -> Option<jiff::civil::Date> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let parts: Vec<_> = text.split(separator).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    jiff::civil::Date::new(digits(year)?, digits(month)?, digits(day)?).ok()
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    if (hour.len(), minute.len()) != (2, 2) {
        return None;
    }
    Time::new(digits(hour)?, digits(minute)?, 0, 0).ok()
}

fn digits<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn function(name: &str, arguments: &[String], now: Timestamp) -> Result<Stretch, Bad> {
    if arguments.len() > 1 {
        return Err(Bad::new(format!("{name}() takes one argument")));
    }
    let shift = arguments.first().map(|argument| offset(argument)).transpose()?;
    let zoned = now.to_zoned(TimeZone::UTC);
    let today = zoned.date();
    let sunday = today.checked_sub(i64::from(today.weekday().to_sunday_zero_offset()).days());
    let base = match name.to_lowercase().as_str() {
        "now" => Some(zoned.datetime()),
        "startofday" => Some(today.to_datetime(Time::midnight())),
        "endofday" => today.tomorrow().ok().map(|day| day.to_datetime(Time::midnight())),
        "startofweek" => sunday.ok().map(|day| day.to_datetime(Time::midnight())),
        "endofweek" => {
            sunday.and_then(|day| day.checked_add(7.days())).ok().map(|day| day.to_datetime(Time::midnight()))
        }
        "startofmonth" => Some(today.first_of_month().to_datetime(Time::midnight())),
        "endofmonth" => today.last_of_month().tomorrow().ok().map(|day| day.to_datetime(Time::midnight())),
        "startofyear" => Some(today.first_of_year().to_datetime(Time::midnight())),
        "endofyear" => today.last_of_year().tomorrow().ok().map(|day| day.to_datetime(Time::midnight())),
        _ => return Err(Bad::new(format!("Unknown function '{name}' for a date"))),
    };
    base.and_then(|base| shift.map_or(Some(base), |shift| base.checked_add(shift).ok()))
        .and_then(|start| {
            let start = start.to_zoned(TimeZone::UTC).ok()?.timestamp();
            Some(Stretch { start, end: start.checked_add(1.millisecond()).ok()? })
        })
        .ok_or_else(|| Bad::new(format!("{name}() is out of range")))
}

/// `-30d`: a number and one of y, M, w, d, h, m.
fn offset(text: &str) -> Result<Span, Bad> {
    let refused = || Bad::new(format!("'{text}' is not a valid period, such as \"-4w\""));
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let unit = rest.chars().last().ok_or_else(refused)?;
    let amount: i64 = digits(&rest[..rest.len() - unit.len_utf8()]).ok_or_else(refused)?;
    let span = Span::new();
    let amount = sign * amount;
    match unit {
        'y' => span.try_years(amount),
        'M' => span.try_months(amount),
        'w' => span.try_weeks(amount),
        'd' => span.try_days(amount),
        'h' => span.try_hours(amount),
        'm' => span.try_minutes(amount),
        _ => return Err(refused()),
    }
    .map_err(|_| refused())
}
