//! CRC-32C (Castagnoli), as in RFC 3720: what tells a record that was written from one that was not.

/// The polynomial, bit-reversed.
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// For each byte what it does to the remainder, eight bytes at a time.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = (rest >> 1) ^ (POLYNOMIAL & (rest & 1).wrapping_neg());
            bit += 1;
        }
        tables[0][byte] = rest;
        byte += 1;
    }
    let mut place = 1;
    while place < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[place - 1][byte];
            tables[place][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
            byte += 1;
        }
        place += 1;
    }
    tables
}

/// The checksum of several pieces, one after the other.
pub fn crc32c(pieces: &[&[u8]]) -> u32 {
    pieces.iter().fold(0, |crc, piece| go_on(crc, piece))
}

/// The checksum of what `crc` is one of, and of more behind it.
pub fn go_on(crc: u32, more: &[u8]) -> u32 {
    let mut rest = !crc;
    let (eights, tail) = more.as_chunks::<8>();
    for eight in eights {
        let [a, b, c, d, e, f, g, h] = (u64::from_le_bytes(*eight) ^ u64::from(rest)).to_le_bytes();
        rest = TABLES[7][usize::from(a)]
            ^ TABLES[6][usize::from(b)]
            ^ TABLES[5][usize::from(c)]
            ^ TABLES[4][usize::from(d)]
            ^ TABLES[3][usize::from(e)]
            ^ TABLES[2][usize::from(f)]
            ^ TABLES[1][usize::from(g)]
            ^ TABLES[0][usize::from(h)];
    }
    for byte in tail {
        rest = (rest >> 8) ^ TABLES[0][((rest ^ u32::from(*byte)) & 0xFF) as usize];
    }
    !rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, B.4, and the customary check value.
    #[test]
    fn the_published_values_come_out() {
        let rising: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        for (bytes, expected) in [
            (&[0; 32][..], 0x8A91_36AA),
            (&[0xFF; 32], 0x62A8_AB43),
            (&rising, 0x46DD_794E),
            (&falling, 0x113F_DB5C),
            (b"123456789", 0xE306_9283),
            (b"", 0),
        ] {
            assert_eq!(crc32c(&[bytes]), expected, "{bytes:?}");
        }
    }

    #[test]
    fn pieces_are_as_good_as_the_whole() {
        let bytes: Vec<u8> = (0..100).collect();
        for cut in 0..100 {
            assert_eq!(crc32c(&[&bytes[..cut], &bytes[cut..]]), crc32c(&[&bytes]), "{cut}");
        }
    }
}
