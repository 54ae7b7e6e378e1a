//! The choice among ranked texts: the best, spread over pages, and none twice.

use std::collections::HashSet;

use super::words::words;

/// A text that has been ranked.
pub struct Candidate<'a> {
    pub body: &'a str,
    /// The number of its page.
    pub page: usize,
    pub score: f32,
}

/// What is this far below the best is noise.
const FAR_BELOW_BEST: f32 = 0.25;
/// What each text already chosen from the same page leaves of a text's score, while others are to be chosen.
const SAME_PAGE: f32 = 0.85;
/// Two texts are the same when they share this much of their runs of three words.
const SAME_TEXT: f64 = 0.85;

/// The numbers of the `limit` best candidates, best first. No page has more than half of them while others match too, and
/// of texts that are nearly the same the first by rank is chosen alone. Equals stay in order.
pub fn choose(candidates: &[Candidate<'_>], limit: usize) -> Vec<usize> {
    let best = candidates.iter().map(|candidate| candidate.score).fold(0.0, f32::max);
    let good = |at: &usize| candidates[*at].score > best * FAR_BELOW_BEST;
    let mut left: Vec<usize> = (0..candidates.len()).filter(good).collect();
    let mut chosen: Vec<(usize, HashSet<u64>)> = Vec::new();
    while chosen.len() < limit {
        let Some(place) = next(candidates, &left, &chosen, limit.div_ceil(2)) else { break };
        let at = left.remove(place);
        let runs = runs(candidates[at].body);
        if !chosen.iter().any(|(_, known)| are_same(known, &runs)) {
            chosen.push((at, runs));
        }
    }
    let mut numbers: Vec<usize> = chosen.into_iter().map(|(at, _)| at).collect();
    numbers.sort_by(|a, b| candidates[*b].score.total_cmp(&candidates[*a].score).then(a.cmp(b)));
    numbers
}

/// The place in `left` of what to choose next.
fn next(
    candidates: &[Candidate<'_>],
    left: &[usize],
    chosen: &[(usize, HashSet<u64>)],
    most: usize,
) -> Option<usize> {
    let taken = |at: usize| {
        let page = candidates[at].page;
        chosen.iter().filter(|(other, _)| candidates[*other].page == page).count()
    };
    // A page that has had its share comes after all others.
    let rank = |at: usize| {
        let taken = taken(at);
        (taken < most, candidates[at].score * SAME_PAGE.powi(i32::try_from(taken).unwrap_or(i32::MAX)))
    };
    let places = (0..left.len()).rev();
    places.max_by(|a, b| {
        let (a, b) = (rank(left[*a]), rank(left[*b]));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    })
}

/// Hashes of the words of a text, three by three.
fn runs(text: &str) -> HashSet<u64> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let hash = |run: &[String]| {
        let mut hasher = DefaultHasher::new();
        run.hash(&mut hasher);
        hasher.finish()
    };
    let words: Vec<String> = words(text).collect();
    if words.len() < 3 { HashSet::from([hash(&words)]) } else { words.windows(3).map(hash).collect() }
}

#[expect(clippy::cast_precision_loss)]
fn are_same(one: &HashSet<u64>, other: &HashSet<u64>) -> bool {
    let shared = one.intersection(other).count();
    shared as f64 >= SAME_TEXT * (one.len() + other.len() - shared) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(candidates: &[(&str, usize, f32)], limit: usize) -> Vec<usize> {
        let candidates: Vec<Candidate<'_>> = candidates
            .iter()
            .map(|(body, page, score)| Candidate { body, page: *page, score: *score })
            .collect();
        choose(&candidates, limit)
    }

    #[test]
    fn the_best_come_first_and_noise_not_at_all() {
        assert_eq!(chosen(&[("a", 1, 2.0), ("b", 2, 9.0), ("c", 3, 0.0), ("d", 4, 1.0)], 5), [1]);
        assert_eq!(chosen(&[("a", 1, 4.0), ("b", 2, 9.0), ("c", 3, 4.0)], 5), [1, 0, 2]);
        assert_eq!(chosen(&[("a", 1, 4.0), ("b", 2, 9.0), ("c", 3, 4.0)], 1), [1]);
        assert!(chosen(&[("a", 1, 0.0)], 5).is_empty() && chosen(&[], 5).is_empty());
    }

    #[test]
    fn a_page_takes_half_at_the_most_while_others_match() {
        let long = [("a", 1, 9.0), ("b", 1, 8.9), ("c", 1, 8.8), ("d", 1, 8.7), ("e", 2, 3.0), ("f", 3, 3.0)];
        assert_eq!(chosen(&long, 4), [0, 1, 4, 5]);
        assert_eq!(chosen(&long, 5), [0, 1, 2, 4, 5]);
        assert_eq!(chosen(&long, 6).len(), 6);
    }

    #[test]
    fn what_stands_in_two_pages_is_chosen_once() {
        let text = "Hand in expenses within thirty days in the portal; they are paid with the next salary.";
        let same =
            "> hand in **expenses** within thirty days in the portal; they are paid with the next salary";
        let other =
            "Hand in nothing at all within thirty days in the portal; it is paid with the next salary.";
        assert_eq!(chosen(&[(text, 1, 5.0), (same, 2, 6.0), (other, 3, 4.0)], 5), [1, 2]);
    }
}
