//! Random numbers from one seed. Each task has its own stream, so that the choices of one never affect another.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Puts the seeds of neighbouring streams far apart, so that their numbers differ.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

pub(super) struct Rng(StdRng);

impl Rng {
    /// The random numbers of one stream.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        Self(StdRng::seed_from_u64(seed ^ (stream + 1).wrapping_mul(STRIDE)))
    }

    /// Returns a random seed.
    pub(super) fn random_seed() -> u64 {
        rand::random::<u32>().into()
    }

    /// Returns a number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..=high)
    }

    pub(super) fn pick(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// Returns true with a chance in percent.
    pub(super) fn percent(&mut self, chance: u64) -> bool {
        self.between(1, 100) <= chance
    }

    pub(super) fn ms(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_other_streams_differ() {
        let numbers = |seed, stream| {
            let mut rng = Rng::new(seed, stream);
            [(); 8].map(|()| rng.between(0, 1_000_000))
        };
        assert_eq!(numbers(7, 1), numbers(7, 1));
        assert_ne!(numbers(7, 1), numbers(7, 2));
        assert_ne!(numbers(7, 1), numbers(8, 1));
    }
}
