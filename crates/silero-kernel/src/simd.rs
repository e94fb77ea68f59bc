//! Vectors of single-precision numbers, as instruction sets have them.
//!
//! The layers are written once, over [`Simd`]. A value of a type that implements it is made only where the CPU has its
//! instructions, so that having one is proof; [`Simd::enable`] compiles a piece of [`Work`] for them.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;

use std::fmt::Debug;

/// An instruction set.
pub(crate) trait Simd: Copy + Debug {
    /// [`Self::WIDTH`] numbers.
    type Vector: Copy;

    const WIDTH: usize;

    /// Vectors side by side in a tile of a product, the most: with [`ROWS`](crate::product::ROWS) rows of them, as many
    /// as registers hold beside what is multiplied.
    const ABREAST: usize;

    /// Runs `work`, compiled for this instruction set.
    fn enable<W: Work>(self, work: W);

    fn splat(self, number: f32) -> Self::Vector;
    /// The first numbers of `from`, which has enough.
    fn load(self, from: &[f32]) -> Self::Vector;
    /// To the first numbers of `to`, which has room.
    fn store(self, vector: Self::Vector, to: &mut [f32]);

    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn min(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// a * b + c, rounded once.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    fn sqrt(self, a: Self::Vector) -> Self::Vector;
    /// To the nearest whole numbers.
    fn round(self, a: Self::Vector) -> Self::Vector;
    /// Two to the power of whole numbers between -126 and 127.
    fn power_of_two(self, exponents: Self::Vector) -> Self::Vector;
    /// Its numbers added up.
    fn sum(self, a: Self::Vector) -> f32;

    /// e to the power of numbers between -87 and 87, within 2e-7 of their size.
    ///
    /// The polynomial is Cephes' `expf` (<https://www.netlib.org/cephes/>).
    #[inline(always)]
    fn exp(self, x: Self::Vector) -> Self::Vector {
        const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
        const POLYNOMIAL: [f32; 6] =
            [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_66, 0.5];
        let whole = self.round(self.mul(x, self.splat(std::f32::consts::LOG2_E)));
        let rest = self.mul_add(whole, self.splat(-LN_2[0]), x);
        let rest = self.mul_add(whole, self.splat(-LN_2[1]), rest);
        let mut polynomial = self.splat(POLYNOMIAL[0]);
        for factor in &POLYNOMIAL[1..] {
            polynomial = self.mul_add(polynomial, rest, self.splat(*factor));
        }
        let one_and_rest = self.add(rest, self.splat(1.0));
        let power = self.mul_add(polynomial, self.mul(rest, rest), one_and_rest);
        self.mul(power, self.power_of_two(whole))
    }
}

/// Something to be computed with vectors.
///
/// Its `run` must be `#[inline(always)]`, and all that it calls with them; no closure may touch a vector. What is not
/// inlined is compiled without the instruction set, and is ten times as slow.
pub(crate) trait Work {
    fn run<S: Simd>(self, simd: S);
}
