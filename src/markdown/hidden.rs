//! Which elements people do not see.

/// What an element's style says about being seen.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Visibility {
    pub(super) hidden: bool,
    /// Whether its text is white, which can be read on a coloured ground only; `None` if it has no colour of its own.
    pub(super) white: Option<bool>,
    /// A ground of another colour than white.
    pub(super) ground: bool,
}

pub(super) fn of_style(style: &str) -> Visibility {
    let mut visibility = Visibility::default();
    let mut flat = false;
    let mut clipped = false;
    for (name, value) in style.split(';').filter_map(|declaration| declaration.split_once(':')) {
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim().trim_end_matches("!important").trim().to_ascii_lowercase();
        match name.as_str() {
            "display" => visibility.hidden |= value == "none",
            "visibility" => visibility.hidden |= value == "hidden" || value == "collapse",
            "opacity" => visibility.hidden |= number(&value).is_some_and(|opacity| opacity < 0.05),
            "font-size" => {
                visibility.hidden |= number(&value).is_some_and(|size| size <= 1.0) && !value.contains("em");
            }
            "left" | "right" | "top" | "text-indent" | "margin-left" => {
                visibility.hidden |= number(&value).is_some_and(|offset| offset <= -900.0);
            }
            "height" | "max-height" | "width" | "max-width" => {
                flat |= number(&value).is_some_and(|size| size < 2.0);
            }
            "overflow" => clipped |= value == "hidden",
            "clip" | "clip-path" => {
                visibility.hidden |= value.starts_with("rect(0") || value.contains("inset(50%");
            }
            "color" => match colour(&value) {
                Some(Colour::Transparent) => visibility.hidden = true,
                colour => visibility.white = colour.map(|colour| colour == Colour::White),
            },
            "background" | "background-color" => visibility.ground |= colour(&value) == Some(Colour::Other),
            _ => {}
        }
    }
    visibility.hidden |= flat && clipped;
    visibility
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Colour {
    White,
    Transparent,
    Other,
}

fn colour(value: &str) -> Option<Colour> {
    if value.is_empty() || value == "inherit" || value == "initial" || value.starts_with("var(") {
        return None;
    }
    if value == "transparent" {
        return Some(Colour::Transparent);
    }
    let channels: Vec<f64> = if let Some(hex) = value.strip_prefix('#') {
        let digits: Vec<f64> = hex.chars().filter_map(|c| c.to_digit(16)).map(f64::from).collect();
        match digits.as_slice() {
            [r, g, b] | [r, g, b, _] => vec![r * 17.0, g * 17.0, b * 17.0],
            [r1, r2, g1, g2, b1, b2, ..] => vec![r1 * 16.0 + r2, g1 * 16.0 + g2, b1 * 16.0 + b2],
            _ => return None,
        }
    } else if let Some(arguments) = value.strip_prefix("rgb").and_then(|rest| rest.split_once('(')) {
        arguments.1.split([',', ' ', '/', ')']).filter_map(number).collect()
    } else if value == "white" {
        return Some(Colour::White);
    } else {
        return Some(Colour::Other);
    };
    if channels.get(3).is_some_and(|alpha| *alpha < 0.05) {
        return Some(Colour::Transparent);
    }
    let white = channels.len() >= 3 && channels[..3].iter().all(|channel| *channel >= 250.0);
    Some(if white { Colour::White } else { Colour::Other })
}

fn number(value: &str) -> Option<f64> {
    let end = value.find(|c: char| !matches!(c, '0'..='9' | '.' | '-' | '+')).unwrap_or(value.len());
    value[..end].parse().ok()
}
