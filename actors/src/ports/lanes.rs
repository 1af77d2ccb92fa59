//! Lanes: the parts into which the webhooks of a shared log are divided, so that each webhook is driven by one instance.

use std::fmt;

use rogerrat_domain::webhook::HookId;

/// Lanes of a log.
pub const LANES: u8 = 16;

/// A lane: some of the webhooks and push subscriptions of a log. Instances that share the log drive the webhooks of the
/// lanes that they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(u8);

impl Lane {
    /// The lane with a number below [`LANES`].
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (number < LANES).then_some(Self(number))
    }

    /// The lane of a hook, from a hash of its id on which all versions of the hub agree.
    #[must_use]
    pub fn of(hook: &HookId) -> Self {
        let hash = hook
            .as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        // Mixed as MurmurHash3 does, because FNV spreads the last bytes badly.
        let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        Self(u8::try_from(mixed >> 60).unwrap_or(0))
    }

    /// Its number, below [`LANES`].
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// A set of lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lanes(u16);

impl Lanes {
    /// Every lane.
    pub const ALL: Self = Self(u16::MAX);
    /// No lane.
    pub const NONE: Self = Self(0);

    /// Whether a lane is in the set.
    #[must_use]
    pub fn contains(self, lane: Lane) -> bool {
        self.0 & (1 << lane.0) != 0
    }

    /// The set with a lane added.
    #[must_use]
    pub fn with(self, lane: Lane) -> Self {
        Self(self.0 | 1 << lane.0)
    }

    /// The lanes of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The lanes of this set that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many lanes are in the set.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether no lane is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as a number, with a bit for each lane.
    #[must_use]
    pub fn bits(self) -> u16 {
        self.0
    }

    /// The set of a number of [`bits`](Self::bits).
    #[must_use]
    pub fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// The lanes of the set, by number.
    pub fn iter(self) -> impl Iterator<Item = Lane> {
        (0..LANES).map(Lane).filter(move |lane| self.contains(*lane))
    }
}

impl FromIterator<Lane> for Lanes {
    fn from_iter<I: IntoIterator<Item = Lane>>(lanes: I) -> Self {
        lanes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_are_spread_over_all_lanes_and_stay_in_theirs() {
        let lanes: Vec<_> = (0..4096).map(|n| Lane::of(&HookId::from_random(n))).collect();
        for lane in Lanes::ALL.iter() {
            let count = lanes.iter().filter(|known| **known == lane).count();
            assert!((128..=512).contains(&count), "{lane}: {count}");
        }
        // All versions of the hub must agree.
        assert_eq!(lanes[..4].iter().map(|lane| lane.number()).collect::<Vec<_>>(), [15, 3, 5, 10]);
    }

    #[test]
    fn a_set_of_lanes() {
        let some: Lanes = [1, 3, 15].into_iter().filter_map(Lane::new).collect();
        assert_eq!((some.len(), Lane::new(16)), (3, None));
        assert_eq!(some.iter().map(Lane::number).collect::<Vec<_>>(), [1, 3, 15]);
        assert_eq!(Lanes::ALL.without(some).len(), 13);
        assert!(Lanes::NONE.is_empty() && some.without(some).is_empty());
    }
}
