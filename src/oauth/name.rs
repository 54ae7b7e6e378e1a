//! What a client calls itself, as it can be shown.

/// The longest name that is shown, in characters.
const MAX_LEN: usize = 80;

/// A name in one short line, without characters that nobody sees or that change how the text around them reads; nothing where
/// nothing is left.
pub fn display_name(text: &str) -> Option<String> {
    let visible = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_invisible(*c));
    // What is cut off is never looked at: a name may be as long as a request.
    let visible: String = visible.take(MAX_LEN * 4).collect();
    let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut name: String = line.chars().take(MAX_LEN).collect();
    if line.chars().count() > MAX_LEN {
        name.push('\u{2026}');
    }
    Some(name).filter(|name| !name.is_empty())
}

/// Control and format characters (Cc, Cf, Zl, Zp), what is ignorable by default (`Default_Ignorable_Code_Point`, Unicode 17),
/// private use, and the empty Braille pattern.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_name_is_one_short_line_of_visible_characters() {
        let name = |text: &str| display_name(text);
        assert_eq!(name("  Wiki\n\tHelper  2 ").as_deref(), Some("Wiki Helper 2"));
        assert_eq!(name("Chat\u{202e}TPG\u{200b}").as_deref(), Some("ChatTPG"));
        for invisible in [
            '\u{0}',
            '\u{1b}',
            '\u{7f}',
            '\u{ad}',
            '\u{34f}',
            '\u{600}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180e}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{206f}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{110bd}',
            '\u{13430}',
            '\u{1bca0}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{e000}',
        ] {
            assert_eq!(name(&format!("a{invisible}b")).as_deref(), Some("ab"), "{:x}", u32::from(invisible));
            assert_eq!(name(&invisible.to_string().repeat(5)), None, "{:x}", u32::from(invisible));
        }
        for empty in ["", " ", "\u{a0}\u{3000}\u{2003}"] {
            assert_eq!(name(empty), None);
        }
        assert_eq!(
            name("Jos\u{e9} \u{65e5}\u{672c} \u{1f527}").as_deref(),
            Some("Jos\u{e9} \u{65e5}\u{672c} \u{1f527}")
        );
        assert_eq!(name(&"x".repeat(81)), Some("x".repeat(80) + "\u{2026}"));
        assert_eq!(name(&"x".repeat(80)), Some("x".repeat(80)));
        assert_eq!(name(&format!("{}x", "\u{200b}".repeat(10_000))).as_deref(), Some("x"));
    }
}
