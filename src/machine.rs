//! The machine under the hub: open files, its name, its addresses on the local network.
//!
//! It only asks and raises; what to do with the answers is decided by who asked.

use std::net::{IpAddr, Ipv6Addr};
use std::{fs, io};

use if_addrs::Interface;
use rlimit::Resource;

/// How many files (and so connections) the process may have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenFiles {
    /// Before it was raised.
    pub before: u64,
    /// Now.
    pub now: u64,
}

/// Raises the soft limit of open files to the hard one.
pub(crate) fn raise_open_files() -> io::Result<OpenFiles> {
    let before = Resource::NOFILE.get_soft()?;
    let now = rlimit::increase_nofile_limit(u64::MAX)?;
    Ok(OpenFiles { before, now })
}

/// What the process uses of its machine, as far as the system says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Files it may have open.
    pub open_files_limit: Option<u64>,
    /// Files it has open.
    pub open_files: Option<u64>,
    /// Resident memory.
    pub resident_bytes: Option<u64>,
}

/// Asks what the process uses; cheap enough to be asked often.
pub(crate) fn usage() -> Usage {
    Usage { open_files_limit: Resource::NOFILE.get_soft().ok(), open_files: open_files(), resident_bytes: resident() }
}

/// Linux since 6.2 tells the number as the size of the folder, an older one has it counted.
fn open_files() -> Option<u64> {
    let folder = "/proc/self/fd";
    match fs::metadata(folder).ok()?.len() {
        0 => fs::read_dir(folder).ok().map(|files| files.count() as u64),
        files => Some(files),
    }
}

fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// This machine's name, in lower case.
pub(crate) fn hostname() -> String {
    gethostname::gethostname().to_string_lossy().to_lowercase()
}

/// The addresses others on the network may reach this machine by: IPv4 before IPv6, real cards before virtual ones.
pub(crate) fn lan_addresses() -> Vec<IpAddr> {
    let mut interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces.retain(|interface| interface.is_oper_up() && is_reachable(interface.ip()));
    interfaces.sort_by_key(|interface| (interface.ip().is_ipv6(), is_virtual(interface)));
    let mut addresses = interfaces.iter().map(Interface::ip).collect::<Vec<_>>();
    addresses.dedup();
    addresses
}

fn is_reachable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => is_global(v6),
    }
}

/// 2000::/3, all that is handed out for use between networks.
fn is_global(v6: Ipv6Addr) -> bool {
    v6.segments()[0] & 0xe000 == 0x2000
}

/// Bridges of containers and virtual machines, which nobody else is on.
fn is_virtual(interface: &Interface) -> bool {
    ["docker", "br-", "veth", "virbr", "vmnet", "bridge"].iter().any(|prefix| interface.name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_only_rise() {
        let files = raise_open_files().unwrap();
        assert!(files.now >= files.before);
        assert_eq!(raise_open_files().unwrap().before, files.now);
    }

    #[test]
    fn the_name_is_lower_case() {
        assert_eq!(hostname(), hostname().to_lowercase());
    }

    #[test]
    fn only_addresses_others_reach_are_shown() {
        for reachable in ["192.168.1.5", "10.0.0.1", "2001:db8::1"] {
            assert!(is_reachable(reachable.parse().unwrap()), "{reachable}");
        }
        for not in ["127.0.0.1", "169.254.3.4", "0.0.0.0", "::1", "fe80::1", "fd00::1", "ff02::1"] {
            assert!(!is_reachable(not.parse().unwrap()), "{not}");
        }
        assert!(lan_addresses().into_iter().all(is_reachable));
    }
}
