//! Numbers as Python's `repr` writes them: <https://docs.python.org/3/library/functions.html#repr>.

/// The shortest digits that are read as the same number, with a point, or with an exponent of two digits at least when
/// it is below -4 or from 16 on.
pub(super) fn repr(number: f64) -> String {
    if !number.is_finite() {
        return nameless(number);
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').expect("an exponent was asked for");
    let exponent: i32 = exponent.parse().expect("an exponent is a number");
    if (-4..16).contains(&exponent) {
        // Without an exponent Rust writes the same digits, but no point behind whole numbers.
        let plain = number.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn nameless(number: f64) -> String {
    match number {
        f64::INFINITY => "inf",
        f64::NEG_INFINITY => "-inf",
        _ => "nan",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by python3: `for bits in ...: print(hex(bits), repr(struct.unpack("<d", struct.pack("<Q", bits))[0]))`.
    const VECTORS: &str = include_str!("python_floats.txt");

    #[test]
    fn every_number_is_written_as_python_writes_it() {
        let mut seen = 0;
        for line in VECTORS.lines() {
            let (bits, expected) = line.split_once(' ').expect("bits and what Python writes");
            let number = f64::from_bits(u64::from_str_radix(bits, 16).expect("hexadecimal digits"));
            assert_eq!(repr(number), expected, "{bits}");
            seen += 1;
        }
        assert!(seen > 200, "{seen}");
    }
}
