//! CRC-32C (Castagnoli), as in RFC 3720: what tells a record that was written from one that was not.

/// The checksum of several pieces, one after the other.
pub fn crc32c(pieces: &[&[u8]]) -> u32 {
    pieces.iter().fold(0, |crc, piece| go_on(crc, piece))
}

/// The checksum of what `crc` is one of, and of more behind it.
pub fn go_on(crc: u32, more: &[u8]) -> u32 {
    crc32c::crc32c_append(crc, more)
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
