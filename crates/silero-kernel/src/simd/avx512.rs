use super::{Simd, Work};
use std::arch::x86_64::*;

/// The CPU has AVX-512F.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(());

impl Avx512 {
    pub fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx512f").then_some(Self(()))
    }
}

macro_rules! instruction {
    ($name:ident, $intrinsic:ident, $($argument:ident),+) => {
        #[inline(always)]
        fn $name(self, $($argument: __m512),+) -> __m512 {
            // SAFETY: `self` is proof of AVX-512F.
            unsafe { $intrinsic($($argument),+) }
        }
    };
}

impl Simd for Avx512 {
    type Vector = __m512;

    const WIDTH: usize = 16;
    const ABREAST: usize = 4;

    fn enable<W: Work>(self, work: W) {
        #[target_feature(enable = "avx512f")]
        fn enabled<W: Work>(simd: Avx512, work: W) {
            work.run(simd);
        }
        // SAFETY: `self` is proof of AVX-512F.
        unsafe { enabled(self, work) }
    }

    #[inline(always)]
    fn splat(self, number: f32) -> __m512 {
        // SAFETY: `self` is proof of AVX-512F.
        unsafe { _mm512_set1_ps(number) }
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m512 {
        let from = from[..Self::WIDTH].as_ptr();
        // SAFETY: `self` is proof of AVX-512F, and `from` points to 16 numbers.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    fn store(self, vector: __m512, to: &mut [f32]) {
        let to = to[..Self::WIDTH].as_mut_ptr();
        // SAFETY: `self` is proof of AVX-512F, and `to` points to 16 numbers that are borrowed alone.
        unsafe { _mm512_storeu_ps(to, vector) }
    }

    instruction!(add, _mm512_add_ps, a, b);
    instruction!(sub, _mm512_sub_ps, a, b);
    instruction!(mul, _mm512_mul_ps, a, b);
    instruction!(div, _mm512_div_ps, a, b);
    instruction!(max, _mm512_max_ps, a, b);
    instruction!(min, _mm512_min_ps, a, b);
    instruction!(mul_add, _mm512_fmadd_ps, a, b, c);
    instruction!(sqrt, _mm512_sqrt_ps, a);

    #[inline(always)]
    fn round(self, a: __m512) -> __m512 {
        // SAFETY: `self` is proof of AVX-512F.
        unsafe { _mm512_roundscale_ps::<_MM_FROUND_TO_NEAREST_INT>(a) }
    }

    #[inline(always)]
    fn power_of_two(self, exponents: __m512) -> __m512 {
        // SAFETY: `self` is proof of AVX-512F.
        unsafe { _mm512_scalef_ps(_mm512_set1_ps(1.0), exponents) }
    }

    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        // SAFETY: `self` is proof of AVX-512F.
        unsafe { _mm512_reduce_add_ps(a) }
    }
}
