use super::{Simd, Work};
use std::arch::x86_64::*;

/// The CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }
}

macro_rules! instruction {
    ($name:ident, $intrinsic:ident, $($argument:ident),+) => {
        #[inline(always)]
        fn $name(self, $($argument: __m256),+) -> __m256 {
            // SAFETY: `self` is proof of AVX2 and FMA.
            unsafe { $intrinsic($($argument),+) }
        }
    };
}

impl Simd for Avx2 {
    type Vector = __m256;

    const WIDTH: usize = 8;
    const ABREAST: usize = 2;

    fn enable<W: Work>(self, work: W) {
        #[target_feature(enable = "avx2,fma")]
        fn enabled<W: Work>(simd: Avx2, work: W) {
            work.run(simd);
        }
        // SAFETY: `self` is proof of AVX2 and FMA.
        unsafe { enabled(self, work) }
    }

    #[inline(always)]
    fn splat(self, number: f32) -> __m256 {
        // SAFETY: `self` is proof of AVX2 and FMA.
        unsafe { _mm256_set1_ps(number) }
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m256 {
        let from = from[..Self::WIDTH].as_ptr();
        // SAFETY: `self` is proof of AVX2 and FMA, and `from` points to 8 numbers.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    fn store(self, vector: __m256, to: &mut [f32]) {
        let to = to[..Self::WIDTH].as_mut_ptr();
        // SAFETY: `self` is proof of AVX2 and FMA, and `to` points to 8 numbers that are borrowed alone.
        unsafe { _mm256_storeu_ps(to, vector) }
    }

    instruction!(add, _mm256_add_ps, a, b);
    instruction!(sub, _mm256_sub_ps, a, b);
    instruction!(mul, _mm256_mul_ps, a, b);
    instruction!(div, _mm256_div_ps, a, b);
    instruction!(max, _mm256_max_ps, a, b);
    instruction!(min, _mm256_min_ps, a, b);
    instruction!(mul_add, _mm256_fmadd_ps, a, b, c);
    instruction!(sqrt, _mm256_sqrt_ps, a);

    #[inline(always)]
    fn round(self, a: __m256) -> __m256 {
        // SAFETY: `self` is proof of AVX2 and FMA.
        unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a) }
    }

    /// The exponent's field of a number is its exponent and 127, above 23 bits of fraction.
    #[inline(always)]
    fn power_of_two(self, exponents: __m256) -> __m256 {
        // SAFETY: `self` is proof of AVX2 and FMA.
        unsafe {
            let exponents = _mm256_add_epi32(_mm256_cvtps_epi32(exponents), _mm256_set1_epi32(127));
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponents))
        }
    }

    #[inline(always)]
    fn sum(self, a: __m256) -> f32 {
        let mut numbers = [0.0; Self::WIDTH];
        self.store(a, &mut numbers);
        numbers.iter().sum()
    }
}
