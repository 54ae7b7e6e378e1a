//! What changed between two texts, line by line, as a unified diff. The work is bounded by the length of the texts and by a
//! budget, never by a clock, so that the same texts always give the same diff: its cursor counts lines.
//!
//! What both texts begin and end with is left out first. Few lines are compared by Myers' algorithm. Of many, those that occur
//! as often in one text as in the other are matched in their order, the most that are (patience diff), and what lies between
//! is compared in the same way. What is left when nothing matches or the budget is spent is shown as replaced, and says so.

use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::ops::Range;

use similar::DiffTag;
use similar::algorithms::{Capture, Compact, Replace, myers};

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 3;
/// How many lines, old and new together, are compared by Myers' algorithm, whose work may grow with their square.
const FEW: usize = 4_000;
/// How many lines are compared at all. Each takes some 40 bytes meanwhile.
const MOST: usize = 1_000_000;
/// What all comparing may take: a step of Myers' algorithm is one, looking at a line otherwise is [`LINE`].
const BUDGET: usize = 100_000_000;
const LINE: usize = 32;

/// Stands before what was too much to be compared. Readers of diffs take such a line for a remark.
const REPLACED: &str =
    "\\ Too much has changed to be compared line by line: all of it is shown as replaced.\n";

/// A diff. Its lines are made as they are read, since together they may be as long as both texts.
pub struct Diff<'a> {
    old: Lines<'a>,
    new: Lines<'a>,
    hunks: Vec<Hunk>,
}

/// One line of a diff: its sign and what follows it.
pub type DiffLine<'a> = (&'static str, Cow<'a, str>);

/// Lines of the old text in place of which there are these of the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    old: Range<usize>,
    new: Range<usize>,
    /// Whether the lines were compared at all.
    is_compared: bool,
}

/// Changes that are shown together, and the lines that are, the unchanged ones around them included.
struct Hunk {
    old: Range<usize>,
    new: Range<usize>,
    changes: Vec<Change>,
}

impl<'a> Diff<'a> {
    pub fn between(before: &'a str, after: &'a str) -> Self {
        let (old, new) = (Lines::of(before), Lines::of(after));
        let hunks = hunks(changes(&old, &new), old.len(), new.len());
        Self { old, new, hunks }
    }

    /// All lines, headers of hunks included.
    pub fn lines(&self) -> impl Iterator<Item = DiffLine<'a>> + '_ {
        self.hunks.iter().flat_map(|hunk| self.lines_of(hunk))
    }

    fn lines_of<'d>(&'d self, hunk: &'d Hunk) -> impl Iterator<Item = DiffLine<'a>> + 'd {
        let header = format!("@@ -{} +{} @@\n", numbers(&hunk.old), numbers(&hunk.new));
        let mut shown = hunk.old.start;
        let changes = hunk.changes.iter().flat_map(move |change| {
            let unchanged = std::mem::replace(&mut shown, change.old.end)..change.old.start;
            let remark = (!change.is_compared).then_some(("", Cow::Borrowed(REPLACED)));
            let unchanged = self.old.signed(" ", unchanged);
            let gone = self.old.signed("-", change.old.clone());
            unchanged.chain(remark).chain(gone).chain(self.new.signed("+", change.new.clone()))
        });
        let last = hunk.changes.last().map_or(hunk.old.end, |change| change.old.end);
        let rest = self.old.signed(" ", last..hunk.old.end);
        std::iter::once(("", Cow::Owned(header))).chain(changes).chain(rest)
    }
}

/// Lines as a hunk's header has them: the first, counted from 1, and how many unless it is one.
fn numbers(lines: &Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        count => format!("{},{count}", lines.start + 1),
    }
}

/// A text by its lines, each with its end.
struct Lines<'a> {
    text: &'a str,
    /// Where each line begins, and where the text ends. A text is far shorter than 4 GB.
    starts: Vec<u32>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let last = (!text.ends_with('\n')).then_some(text.len());
        let starts = std::iter::once(0).chain(ends).chain(last.filter(|length| *length > 0));
        Self { text, starts: starts.map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect() }
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn get(&self, line: usize) -> &'a str {
        &self.text[self.starts[line] as usize..self.starts[line + 1] as usize]
    }

    fn signed(&self, sign: &'static str, lines: Range<usize>) -> impl Iterator<Item = DiffLine<'a>> + '_ {
        lines.map(move |line| (sign, Cow::Borrowed(self.get(line))))
    }
}

/// What has changed, in order.
fn changes(old: &Lines<'_>, new: &Lines<'_>) -> Vec<Change> {
    let most = old.len().min(new.len());
    let start = (0..most).take_while(|at| old.get(*at) == new.get(*at)).count();
    let end = (1..=most - start).take_while(|back| old.get(old.len() - back) == new.get(new.len() - back));
    let end = end.count();
    let (old_range, new_range) = (start..old.len() - end, start..new.len() - end);
    if old_range.len() + new_range.len() > MOST {
        return vec![Change { old: old_range, new: new_range, is_compared: false }];
    }
    // A line is as good as its hash here: nobody knows the key.
    let key = RandomState::new();
    let hashes = |lines: &Lines<'_>, range: Range<usize>| -> Vec<u64> {
        range.map(|line| key.hash_one(lines.get(line))).collect()
    };
    let (old, new) = (hashes(old, old_range), hashes(new, new_range));
    let mut comparison = Comparison { old: &old, new: &new, budget: BUDGET, changes: Vec::new() };
    comparison.compare(0..old.len(), 0..new.len());
    let moved = |range: Range<usize>| range.start + start..range.end + start;
    let moved = |change: Change| Change { old: moved(change.old), new: moved(change.new), ..change };
    comparison.changes.into_iter().map(moved).collect()
}

struct Comparison<'a> {
    old: &'a [u64],
    new: &'a [u64],
    budget: usize,
    changes: Vec<Change>,
}

impl Comparison<'_> {
    /// Compares these lines, and what is found between lines that match.
    fn compare(&mut self, old: Range<usize>, new: Range<usize>) {
        let mut left = vec![(old, new)];
        while let Some((old, new)) = left.pop() {
            let (old, new) = self.trimmed(old, new);
            let lines = old.len() + new.len();
            if old.is_empty() || new.is_empty() {
                self.found(old, new, true);
            } else if lines <= FEW && self.spend(lines * lines) {
                self.compare_few(old, new);
            } else if self.spend(lines * LINE) {
                let matched = self.matched(&old, &new);
                if matched.is_empty() {
                    self.found(old, new, false);
                } else {
                    // The last comes first off the stack: what is found is found in order.
                    left.extend(between(&matched, old, new).into_iter().rev());
                }
            } else {
                self.found(old, new, false);
            }
        }
    }

    fn spend(&mut self, work: usize) -> bool {
        let left = self.budget.checked_sub(work);
        self.budget = left.unwrap_or(self.budget);
        left.is_some()
    }

    /// Without what both begin and end with.
    fn trimmed(&self, old: Range<usize>, new: Range<usize>) -> (Range<usize>, Range<usize>) {
        let (gone, come) = (&self.old[old.clone()], &self.new[new.clone()]);
        let start = gone.iter().zip(come).take_while(|(gone, come)| gone == come).count();
        let (gone, come) = (&gone[start..], &come[start..]);
        let end = gone.iter().rev().zip(come.iter().rev()).take_while(|(gone, come)| gone == come).count();
        (old.start + start..old.end - end, new.start + start..new.end - end)
    }

    /// Notes a change; one that follows another at once is the same.
    fn found(&mut self, old: Range<usize>, new: Range<usize>, is_compared: bool) {
        if old.is_empty() && new.is_empty() {
            return;
        }
        match self.changes.last_mut() {
            Some(last) if last.old.end == old.start && last.new.end == new.start => {
                (last.old.end, last.new.end) = (old.end, new.end);
                last.is_compared &= is_compared;
            }
            _ => self.changes.push(Change { old, new, is_compared }),
        }
    }

    fn compare_few(&mut self, old: Range<usize>, new: Range<usize>) {
        let (gone, come) = (&self.old[old.clone()], &self.new[new.clone()]);
        // The kinder calls of the crate, which take the algorithm as a value, bring all algorithms along.
        let mut found = Compact::new(Replace::new(Capture::new()), gone, come);
        let Ok(()) = myers::diff(&mut found, gone, 0..gone.len(), come, 0..come.len());
        for part in found.into_inner().into_inner().into_ops() {
            if part.tag() != DiffTag::Equal {
                let moved = |range: Range<usize>, by: usize| range.start + by..range.end + by;
                self.found(moved(part.old_range(), old.start), moved(part.new_range(), new.start), true);
            }
        }
    }

    /// Pairs of lines that are the same, in the order of both texts: of the lines that occur equally often, as many as can be.
    fn matched(&self, old: &Range<usize>, new: &Range<usize>) -> Vec<(usize, usize)> {
        let sorted = |lines: &[u64], range: &Range<usize>| {
            let mut sorted: Vec<usize> = range.clone().collect();
            sorted.sort_unstable_by_key(|at| (lines[*at], *at));
            sorted
        };
        let (gone, come) = (sorted(self.old, old), sorted(self.new, new));
        let mut come = come.chunk_by(|one, other| self.new[*one] == self.new[*other]).peekable();
        let mut pairs = Vec::new();
        for gone in gone.chunk_by(|one, other| self.old[*one] == self.old[*other]) {
            let hash = self.old[gone[0]];
            while come.next_if(|come| self.new[come[0]] < hash).is_some() {}
            let same = come.next_if(|come| self.new[come[0]] == hash && come.len() == gone.len());
            pairs.extend(gone.iter().copied().zip(same.unwrap_or_default().iter().copied()));
        }
        pairs.sort_unstable();
        longest_rising(&pairs)
    }
}

/// What lies before, between and after lines that match.
fn between(
    matched: &[(usize, usize)],
    old: Range<usize>,
    new: Range<usize>,
) -> Vec<(Range<usize>, Range<usize>)> {
    let (mut old_at, mut new_at) = (old.start, new.start);
    let mut gaps = Vec::new();
    for (old_line, new_line) in matched.iter().copied().chain([(old.end, new.end)]) {
        if old_at < old_line || new_at < new_line {
            gaps.push((old_at..old_line, new_at..new_line));
        }
        (old_at, new_at) = (old_line + 1, new_line + 1);
    }
    gaps
}

/// Of pairs in the order of their first, as many as can be of which the second rise too.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the pair that such a run may end with, of all of them the one with the least second.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, (_, second)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *second);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut run: Vec<usize> = std::iter::successors(ends.last().copied(), |at| before[*at]).collect();
    run.reverse();
    run.into_iter().map(|at| pairs[at]).collect()
}

/// Changes with so few lines between them that they are shown together.
fn hunks(changes: Vec<Change>, old_lines: usize, new_lines: usize) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    for change in changes {
        let ends = (change.old.end + CONTEXT).min(old_lines)..(change.new.end + CONTEXT).min(new_lines);
        match hunks.last_mut() {
            Some(last) if change.old.start <= last.old.end + CONTEXT => {
                (last.old.end, last.new.end) = (ends.start, ends.end);
                last.changes.push(change);
            }
            _ => {
                let above = CONTEXT.min(change.old.start);
                let (old, new) = (change.old.start - above, change.new.start - above);
                hunks.push(Hunk { old: old..ends.start, new: new..ends.end, changes: vec![change] });
            }
        }
    }
    hunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unified(before: &str, after: &str) -> String {
        text_of(&Diff::between(before, after))
    }

    fn text_of(diff: &Diff<'_>) -> String {
        diff.lines().flat_map(|(sign, text)| [Cow::Borrowed(sign), text]).collect()
    }

    fn joined(lines: impl Iterator<Item = String>) -> String {
        lines.flat_map(|line| [line, "\n".to_owned()]).collect()
    }

    /// The old text as the diff makes it the new one: what patch does.
    fn patched(before: &str, diff: &str) -> String {
        let old: Vec<&str> = before.split_inclusive('\n').collect();
        let (mut at, mut new) = (0, String::new());
        for line in diff.split_inclusive('\n') {
            let (sign, text) = line.split_at(1);
            match sign {
                "@" => {
                    let numbers = text.split(['-', ' ']).nth(2).unwrap();
                    let (first, count) = numbers.split_once(',').unwrap_or((numbers, "1"));
                    let first: usize = first.parse().unwrap();
                    let start = if count == "0" { first } else { first - 1 };
                    new.extend(old[at..start].iter().copied());
                    at = start;
                }
                "+" => new.push_str(text),
                "-" | " " => {
                    assert_eq!(old[at], text);
                    new.push_str(if sign == " " { text } else { "" });
                    at += 1;
                }
                _ => assert_eq!(line, REPLACED),
            }
        }
        new.extend(old[at..].iter().copied());
        new
    }

    fn numbered(word: &str, count: usize) -> String {
        joined((0..count).map(|number| format!("{word} {number}")))
    }

    #[test]
    fn a_diff_reads_as_everybody_writes_it() {
        let before = numbered("line", 20);
        let after = before.replace("line 4\n", "line four\n").replace("line 18\n", "");
        assert_eq!(
            unified(&before, &after),
            "@@ -2,7 +2,7 @@\n line 1\n line 2\n line 3\n-line 4\n+line four\n line 5\n line 6\n line 7\n\
             @@ -16,5 +16,4 @@\n line 15\n line 16\n line 17\n-line 18\n line 19\n"
        );
        assert_eq!(unified("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(unified(&before, &before), "");
    }

    #[test]
    fn a_few_changes_in_a_long_text_are_found_however_often_its_lines_repeat() {
        let before = numbered("| a | b |\n\npart", 40_000);
        let after = before.replace("part 7777\n", "part of it\n").replace("part 15000\n", "");
        let diff = unified(&before, &after);
        assert_eq!(patched(&before, &diff), after);
        assert!(diff.contains("\n-part 7777\n+part of it\n") && diff.lines().count() < 30, "{diff}");
    }

    #[test]
    fn what_is_too_different_is_shown_as_replaced_and_says_so() {
        let random = |seed: u32| -> String {
            let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
            joined(std::iter::successors(Some(seed), next).take(20_000).map(|at| (at >> 29).to_string()))
        };
        let (before, after) = (random(1), random(7));
        let diff = unified(&before, &after);
        assert_eq!(patched(&before, &diff), after);
        assert_eq!(diff.matches(REPLACED).count(), 1);
        assert!(!unified(&numbered("a", 1000), &numbered("b", 1000)).contains(REPLACED));
    }

    #[test]
    fn however_large_two_texts_are_the_work_is_bounded() {
        let (before, after) =
            (numbered("some more words of the old text", 170_000), numbered("new", 600_000));
        let (old, new) = (Lines::of(&before), Lines::of(&after));
        let changes = changes(&old, &new);
        assert_eq!(changes, [Change { old: 0..170_000, new: 0..600_000, is_compared: false }]);
    }

    proptest! {
        #[test]
        fn a_diff_makes_the_old_text_the_new_one(
            before in proptest::collection::vec(0..9_u8, 0..60),
            after in proptest::collection::vec(0..9_u8, 0..60),
            few in any::<bool>(),
        ) {
            let text = |lines: &[u8]| joined(lines.iter().map(u8::to_string));
            let (old, new) = (text(&before), text(&after));
            prop_assert_eq!(&patched(&old, &unified(&old, &new)), &new);
            // The same where there is no budget for anything but matching.
            let wide = |lines: &[u8]| lines.iter().map(|line| u64::from(*line)).collect::<Vec<_>>();
            let (old_lines, new_lines) = (wide(&before), wide(&after));
            let budget = if few { 600 } else { 4_000 };
            let mut comparison =
                Comparison { old: &old_lines, new: &new_lines, budget, changes: Vec::new() };
            comparison.compare(0..before.len(), 0..after.len());
            let hunks = hunks(comparison.changes, before.len(), after.len());
            let diff = Diff { old: Lines::of(&old), new: Lines::of(&new), hunks };
            let diff = text_of(&diff);
            prop_assert_eq!(&patched(&old, &diff), &new);
        }
    }
}
