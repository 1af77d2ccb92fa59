//! Which fields are left out of JSON.

/// Whether a number is zero.
pub(crate) fn is_zero<N: Default + PartialEq>(n: &N) -> bool {
    *n == N::default()
}
