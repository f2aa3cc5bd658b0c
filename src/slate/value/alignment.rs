//! What two lists have in common, in the same order in both.

/// Which items of two lists are the same ones.
pub struct Alignment {
    /// So many at the beginning of both.
    pub start: usize,
    /// Between beginning and end: where in the one list and where in the other.
    pub pairs: Vec<(usize, usize)>,
    /// So many at the end of both.
    pub end: usize,
}

/// As many items as can be, in order (a longest common subsequence). What lies between the beginnings and the ends that
/// are equal is compared each with each; where those are more than `most` pairs, nothing of it counts as the same.
pub fn align<T>(old: &[T], new: &[T], most: usize, same: impl Fn(&T, &T) -> bool) -> Alignment {
    let start = old.iter().zip(new).take_while(|(a, b)| same(a, b)).count();
    let rest = old[start..].iter().rev().zip(new[start..].iter().rev());
    let end = rest.take_while(|(a, b)| same(a, b)).count();
    let middle = common(&old[start..old.len() - end], &new[start..new.len() - end], most, same);
    Alignment { start, pairs: middle.into_iter().map(|(i, j)| (start + i, start + j)).collect(), end }
}

fn common<T>(old: &[T], new: &[T], most: usize, same: impl Fn(&T, &T) -> bool) -> Vec<(usize, usize)> {
    if old.is_empty() || new.is_empty() || old.len().saturating_mul(new.len()) > most {
        return Vec::new();
    }
    let width = new.len() + 1;
    let mut best = vec![0u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            best[i * width + j] = if same(&old[i], &new[j]) {
                best[(i + 1) * width + j + 1] + 1
            } else {
                best[(i + 1) * width + j].max(best[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut pairs = Vec::new();
    while i < old.len() && j < new.len() {
        if same(&old[i], &new[j]) {
            pairs.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if best[(i + 1) * width + j] >= best[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(old: &str, new: &str, most: usize) -> (usize, String, usize) {
        let (old, new): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
        let Alignment { start, pairs, end } = align(&old, &new, most, |a, b| a == b);
        assert!(pairs.iter().all(|(i, j)| old[*i] == new[*j]), "{pairs:?}");
        assert!(pairs.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1), "{pairs:?}");
        (start, pairs.iter().map(|(i, _)| old[*i]).collect(), end)
    }

    #[test]
    fn as_many_as_can_be_are_the_same() {
        assert_eq!(aligned("", "", 9), (0, String::new(), 0));
        assert_eq!(aligned("same", "same", 9), (4, String::new(), 0));
        // What both begin and end with is counted once.
        assert_eq!(aligned("aa", "aaa", 9), (2, String::new(), 0));
        assert_eq!(aligned("(abcbdab)", "(bdcaba)", 100), (1, "bdab".into(), 1));
        assert_eq!(aligned("(one)", "(two)", 9), (1, "o".into(), 1));
    }

    #[test]
    fn what_would_take_too_long_is_not_compared() {
        assert_eq!(aligned("(one)", "(two)", 8), (1, String::new(), 1));
    }
}
