//! The words of a text.

/// The words of a text, lower case, in order. Scripts that put no spaces between words come as pairs of characters that
/// stand next to each other. Where Markdown links lead is not read.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    without_targets(text)
        .flat_map(split)
        .flat_map(|word| if is_dense(word) { pairs(word) } else { vec![lower(word)] })
}

/// The same, with the words of those scripts as they stand between spaces.
pub fn whole(text: &str) -> impl Iterator<Item = String> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(lower)
}

/// The pieces of Markdown that are read: `[text](target)` without the target.
fn without_targets(text: &str) -> impl Iterator<Item = &str> {
    let mut pieces = text.split("](");
    let first = pieces.next();
    let after = pieces.map(|piece| {
        let end = piece.find([')', '\n']).unwrap_or(0);
        &piece[end..]
    });
    first.into_iter().chain(after)
}

/// Runs of letters and digits, of one kind of script each.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let runs = text.split(|character: char| !character.is_alphanumeric()).filter(|run| !run.is_empty());
    runs.flat_map(|run| {
        let mut rest = run;
        std::iter::from_fn(move || {
            let dense = is_dense(rest);
            let end = rest.find(|character| is_dense_character(character) != dense).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after;
            (!word.is_empty()).then_some(word)
        })
    })
}

fn lower(word: &str) -> String {
    word.to_lowercase()
}

fn pairs(word: &str) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    match characters.as_slice() {
        [one] => vec![one.to_string()],
        several => several.windows(2).map(|pair| pair.iter().collect()).collect(),
    }
}

fn is_dense(word: &str) -> bool {
    word.chars().next().is_some_and(is_dense_character)
}

/// Chinese, Japanese, Korean, whose words carry their particles, and the scripts of South-East Asia.
fn is_dense_character(character: char) -> bool {
    matches!(
        u32::from(character),
        0x0e00..=0x0eff | 0x1000..=0x11ff | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3130..=0x318f | 0x3400..=0x9fff
            | 0xac00..=0xd7af | 0xf900..=0xfaff | 0x2_0000..=0x3_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_stands_between_other_characters() {
        let found = |text: &str| words(text).collect::<Vec<_>>().join(" ");
        assert_eq!(found("**Lock\\_timeout** = '3s', SEV1!"), "lock timeout 3s sev1");
        assert_eq!(found("see [the guide](https://a.example/x) or [b](c"), "see the guide or b c");
        assert_eq!(found("포트는 12시 東京x"), "포트 트는 12 시 東京 x");
        assert_eq!(whole("포트는 a-b").collect::<Vec<_>>(), ["포트는", "a", "b"]);
        assert_eq!(found(""), "");
    }
}
