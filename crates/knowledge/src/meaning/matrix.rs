/// Embeddings of equal length, each of the length 1, one a row.
#[derive(Debug, Default)]
pub(crate) struct Matrix {
    width: usize,
    numbers: Vec<f32>,
}

impl Matrix {
    /// Rows of this many numbers.
    pub(crate) const fn new(width: usize) -> Self {
        Self { width, numbers: Vec::new() }
    }

    /// One more row; `false`, and nothing done, when it is of another length.
    pub(crate) fn push(&mut self, row: impl ExactSizeIterator<Item = f32>) -> bool {
        let fits = self.width > 0 && row.len() == self.width;
        if fits {
            self.numbers.extend(row);
        }
        fits
    }

    /// How many rows.
    pub(crate) const fn rows(&self) -> usize {
        match self.width {
            0 => 0,
            width => self.numbers.len() / width,
        }
    }

    /// The rows that point most in this direction, and how much, best first: at most `most`, and all of them at least
    /// `least` alike. Every row is looked at: 10,000 of 384 numbers are 15 MB and 3.84 million multiplications.
    pub(crate) fn nearest(&self, direction: &[f32], most: usize, least: f32) -> Vec<(usize, f32)> {
        if self.width == 0 || direction.len() != self.width || most == 0 {
            return Vec::new();
        }
        let rows = self.numbers.chunks_exact(self.width).enumerate();
        let mut near: Vec<_> = rows
            .map(|(at, row)| (at, dot(row, direction)))
            .filter(|(_, likeness)| *likeness >= least)
            .collect();
        let best_first =
            |(a, of_a): &(usize, f32), (b, of_b): &(usize, f32)| of_b.total_cmp(of_a).then(a.cmp(b));
        if near.len() > most {
            near.select_nth_unstable_by(most - 1, best_first);
            near.truncate(most);
        }
        near.sort_unstable_by(best_first);
        near
    }
}

/// Of the length 1, so that a product is a cosine; `None` when it has no direction.
pub(crate) fn normal(mut vector: Vec<f32>) -> Option<Vec<f32>> {
    let length = dot(&vector, &vector).sqrt();
    if !length.is_normal() {
        return None;
    }
    vector.iter_mut().for_each(|number| *number /= length);
    Some(vector)
}

/// In eight sums, which the compiler keeps in one register of vectors.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: usize) -> Vec<f32> {
        let mut row = vec![0.0; 19];
        row[at] = 3.0;
        row[at + 1] = 1.0;
        normal(row).unwrap()
    }

    #[test]
    fn the_nearest_rows_come_first_and_strangers_not_at_all() {
        let mut matrix = Matrix::new(19);
        assert!((0..18).all(|at| matrix.push(row(at).into_iter())));
        let near = matrix.nearest(&row(4), 2, 0.0);
        assert_eq!(near.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [4, 3]);
        assert!((near[0].1 - 1.0).abs() < 1e-6 && (near[1].1 - 0.3).abs() < 1e-6, "{near:?}");
        assert_eq!(matrix.nearest(&row(4), 20, 0.2).len(), 3);
    }

    #[test]
    fn rows_and_questions_of_another_length_are_left_out() {
        let mut matrix = Matrix::new(19);
        assert!(!matrix.push([1.0].into_iter()));
        assert!(matrix.push(row(0).into_iter()));
        assert_eq!(matrix.rows(), 1);
        assert_eq!(matrix.nearest(&[1.0], 3, -1.0), []);
        assert!(Matrix::default().nearest(&[], 3, -1.0).is_empty());
    }

    #[test]
    fn what_points_nowhere_has_no_direction() {
        assert_eq!(normal(vec![0.0; 4]), None);
        assert_eq!(normal(vec![f32::NAN; 4]), None);
    }
}
