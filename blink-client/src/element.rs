//! What buffers are made of.

use alloc::vec::Vec;

/// A number of a vertex or index buffer, or an array of them.
pub trait Element: Copy {
    /// Appends its bytes, least first, as the server reads them.
    fn append(self, bytes: &mut Vec<u8>);
}

macro_rules! number {
    ($($number:ty)*) => {$(
        impl Element for $number {
            fn append(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

number!(u8 i8 u16 i16 u32 i32 f32 f64);

impl<E: Element, const N: usize> Element for [E; N] {
    fn append(self, bytes: &mut Vec<u8>) {
        for element in self {
            element.append(bytes);
        }
    }
}

pub(crate) fn bytes_of<E: Element>(data: &[E]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_val(data));
    for &element in data {
        element.append(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_as_the_server_reads_them() {
        assert_eq!(bytes_of(&[0x0102_u16, 0xfffe]), [2, 1, 0xfe, 0xff]);
        assert_eq!(bytes_of(&[[1.0_f32, -2.0]]), [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
        assert_eq!(bytes_of(&[7_u8, 8]), [7, 8]);
        assert_eq!(bytes_of(&[-2_i32]), [0xfe, 0xff, 0xff, 0xff]);
    }
}
