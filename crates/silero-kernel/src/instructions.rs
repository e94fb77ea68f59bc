use crate::UnsupportedCpu;
#[cfg(target_arch = "x86_64")]
use crate::simd::{avx2::Avx2, avx512::Avx512};
use std::fmt;

/// An instruction set that this CPU has.
#[derive(Clone, Copy, Debug)]
pub struct Instructions(pub(crate) Set);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Set {
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Instructions {
    /// The fastest of them.
    ///
    /// # Errors
    /// There is none.
    pub fn best() -> Result<Self, UnsupportedCpu> {
        Self::all().next().ok_or(UnsupportedCpu)
    }

    /// All of them, the fastest first.
    pub fn all() -> impl Iterator<Item = Self> {
        Set::all().into_iter().flatten().map(Self)
    }
}

impl Set {
    #[cfg(target_arch = "x86_64")]
    fn all() -> [Option<Self>; 2] {
        [Avx512::detect().map(Self::Avx512), Avx2::detect().map(Self::Avx2)]
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn all() -> [Option<Self>; 0] {
        []
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Avx2(_) => f.write_str("AVX2"),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512(_) => f.write_str("AVX-512"),
        }
    }
}
