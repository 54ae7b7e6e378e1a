//! One very long page, made the same way every time.

use std::fmt::Write as _;

const SERVICES: &[&str] = &["checkout", "ledger", "webhook-relay", "payouts", "identity", "fax-gateway"];
const CAUSES: &[&str] = &[
    "the connection was closed by the other side",
    "the certificate of the bank has expired",
    "a lock was held for longer than three seconds",
    "the message was delivered twice",
    "the clock of the machine is behind",
    "the queue is full",
    "an amount was negative",
    "the merchant has been suspended",
    "a retry ran into the deadline",
];
const CURES: &[&str] = &[
    "Wait; it heals by itself within two minutes.",
    "Restart one instance, never all of them.",
    "Look at the dashboard of the database first.",
    "Ask the owning team before you touch anything.",
    "Replay the events of the last hour with <code>acmectl events replay</code>.",
    "Ignore it below ten a minute; page the on-call engineer above.",
    "Check whether the change freeze allows a deployment.",
];

/// Log messages of all services: more than 300 KB of storage format.
pub fn log_messages() -> String {
    let mut body = String::from(
        "<ac:structured-macro ac:name=\"toc\" ac:schema-version=\"1\" />\
         <p>Every message that our services log at level warning or above, by number. Use the search of your browser.</p>",
    );
    for (at, service) in SERVICES.iter().enumerate() {
        let first = 1000 + 200 * at;
        let _ = write!(body, "<h1>{service}</h1><p>Numbers E{first} to E{}.</p>", first + 199);
        for number in first..first + 200 {
            entry(&mut body, service, number);
        }
    }
    body.push_str("<h1>Retired numbers</h1><p>E0001 to E0999 belonged to the mainframe. The last line of this page says: <em>mind the gap</em>.</p>");
    body
}

fn entry(body: &mut String, service: &str, number: usize) {
    if number.is_multiple_of(25) {
        let _ = write!(body, "<h2>{service}: E{number} to E{}</h2>", number + 24);
    }
    let cause = match number {
        1742 => "the notary’s clock is ahead of ours",
        _ => CAUSES[number * 7 % CAUSES.len()],
    };
    let (level, cure) =
        (if number.is_multiple_of(3) { "error" } else { "warning" }, CURES[number * 5 % CURES.len()]);
    let _ = write!(
        body,
        "<h3>E{number}</h3><p>Level <strong>{level}</strong>, logged by {service} when {cause}. \
         It carries the fields <code>request_id</code>, <code>merchant</code> and <code>attempt</code>.</p>\
         <ul><li><p>{cure}</p></li><li><p>Seen about {} times a week.</p></li></ul>",
        number * 13 % 97
    );
}
