//! Chance from one seed. Everybody who rolls has rng of their own, so that what one does never changes another's luck.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Far apart, so that neighbours never share a stream of numbers.
const STRIDE: u64 = 0x9E37_79B9_7F4A_7C15;

pub(super) struct Rng(StdRng);

impl Rng {
    /// The rng of the `who`-th to roll.
    pub(super) fn new(seed: u64, who: u64) -> Self {
        Self(StdRng::seed_from_u64(seed ^ (who + 1).wrapping_mul(STRIDE)))
    }

    /// A seed nobody chose.
    pub(super) fn any_seed() -> u64 {
        rand::random::<u32>().into()
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..=high)
    }

    pub(super) fn pick(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

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
    fn a_seed_repeats_itself_and_neighbours_differ() {
        let rolls = |seed, who| {
            let mut rng = Rng::new(seed, who);
            [(); 8].map(|()| rng.between(0, 1_000_000))
        };
        assert_eq!(rolls(7, 1), rolls(7, 1));
        assert_ne!(rolls(7, 1), rolls(7, 2));
        assert_ne!(rolls(7, 1), rolls(8, 1));
    }
}
