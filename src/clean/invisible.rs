//! Which characters nobody sees, and which of them belong to the text nevertheless.
//!
//! People who read a page do not see these characters and a model does: whoever writes can speak past the reader with them,
//! or turn the order of what the reader sees. The one definition, for whatever comes from elsewhere.

/// What Unicode lets displays ignore (`Default_Ignorable_Code_Point`), controls, separators of lines, marks of direction,
/// annotations, tags, blanks that count as letters or symbols, and what is no character at all. Some of them belong to what
/// they follow (see [`belongs`]).
pub fn is_invisible(character: char) -> bool {
    matches!(character,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
        || u32::from(character) & 0xfffe == 0xfffe
}

/// Whether an invisible character belongs to the text where it stands: joiners and selectors that change how their
/// neighbours look. Anywhere else they are as good as any other invisible character for hiding something.
/// `before` is the last character that was kept.
pub fn belongs(character: char, before: Option<char>, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match character {
        '\u{200d}' if is_emoji(before) || before == '\u{fe0f}' => after.is_some_and(is_emoji),
        '\u{200c}' | '\u{200d}' => is_of_joining_script(before),
        '\u{fe0e}' | '\u{fe0f}' if matches!(before, '0'..='9' | '#' | '*') => after == Some('\u{20e3}'),
        '\u{fe0e}' | '\u{fe0f}' => is_emoji(before),
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        '\u{2800}' => matches!(before, '\u{2801}'..='\u{28ff}'),
        '\u{13430}'..='\u{1343f}' => matches!(before, '\u{13000}'..='\u{1342f}' | '\u{13460}'..='\u{143fa}'),
        _ => false,
    }
}

/// Whether a character can belong to a text at all, wherever it stands.
pub fn may_belong(character: char) -> bool {
    matches!(
        character,
        '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}' | '\u{2800}' | '\u{fe0e}' | '\u{fe0f}'
    ) || matches!(character, '\u{13430}'..='\u{1343f}')
}

/// Whether a text is of printable ASCII and line ends alone, as most are: quicker to tell than what is invisible.
pub fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & matches!(byte, b'\t' | b'\n' | b' '..=b'~'))
}

/// Emoji, and symbols that can be shown as one.
fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21ff}'
        | '\u{2300}'..='\u{23ff}' | '\u{24c2}' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}'
        | '\u{1f000}'..='\u{1faff}')
}

/// Letters and marks of scripts in which joiners change how words look: Arabic and its relatives, those of India and of
/// South East Asia, Mongolian, Adlam.
fn is_of_joining_script(character: char) -> bool {
    matches!(character,
        '\u{600}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1700}'..='\u{18af}' | '\u{1900}'..='\u{1cff}'
        | '\u{a800}'..='\u{aaff}' | '\u{abc0}'..='\u{abff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'
        | '\u{10a00}'..='\u{10a5f}' | '\u{10d00}'..='\u{10d3f}' | '\u{10f00}'..='\u{10fff}'
        | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
        && !is_invisible(character)
}
