use std::collections::HashMap;
use std::hash::Hash;

/// Puts rankings together: each gives its n-th, from 1, 1 / (60 + n), and the sums rank. Scores of different kinds need
/// not be compared.
///
/// Reciprocal rank fusion: G. V. Cormack, C. L. A. Clarke and S. Büttcher, "Reciprocal Rank Fusion outperforms Condorcet
/// and individual Rank Learning Methods", SIGIR 2009, <https://doi.org/10.1145/1571941.1572114>.
pub(crate) fn fuse<T: Copy + Eq + Hash + Ord>(rankings: &[Vec<T>]) -> Vec<(T, f32)> {
    let mut sums: HashMap<T, f32> = HashMap::new();
    for ranking in rankings {
        for (rank, item) in ranking.iter().enumerate() {
            *sums.entry(*item).or_default() += 1.0 / (K + 1.0 + rank as f32);
        }
    }
    let mut fused: Vec<_> = sums.into_iter().collect();
    fused.sort_by(|(a, of_a), (b, of_b)| of_b.total_cmp(of_a).then(a.cmp(b)));
    fused
}

/// As the paper found it to be best.
const K: f32 = 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_rankings_like_comes_before_what_one_likes_best() {
        let fused = fuse(&[vec!['a', 'b', 'c'], vec!['d', 'b', 'e']]);
        let order: Vec<_> = fused.iter().map(|(item, _)| *item).collect();
        assert_eq!(order, ['b', 'a', 'd', 'c', 'e']);
        assert!((fused[0].1 - 2.0 / 62.0).abs() < 1e-6);
    }

    #[test]
    fn one_ranking_stays_as_it_is() {
        let order: Vec<_> = fuse(&[vec![3, 1, 2], Vec::new()]).iter().map(|(item, _)| *item).collect();
        assert_eq!(order, [3, 1, 2]);
    }
}
