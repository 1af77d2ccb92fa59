//! Reads the CPU time of all threads and the resident memory of a process from `/proc`.

use std::io;

/// The unit of the times in `/proc/PID/stat`: `getconf CLK_TCK`, which has always been 100 on Linux.
const CLOCK_TICKS_PER_SECOND: u64 = 100;
const MICROSECONDS_PER_TICK: u64 = 1_000_000 / CLOCK_TICKS_PER_SECOND;

/// A process by its id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process(u32);

impl Process {
    /// Fails if there is no process with this id.
    pub(super) fn find(pid: u32) -> io::Result<Self> {
        let process = Self(pid);
        process.cpu_us()?;
        Ok(process)
    }

    pub(super) fn own() -> Self {
        Self(std::process::id())
    }

    /// User and system time of all threads in microseconds, with a resolution of one tick.
    pub(super) fn cpu_us(self) -> io::Result<u64> {
        let stat = self.read("stat")?;
        cpu_ticks(&stat).map(|ticks| ticks * MICROSECONDS_PER_TICK).ok_or_else(|| unreadable("stat"))
    }

    /// Resident memory in KiB.
    pub(super) fn rss_kib(self) -> io::Result<u64> {
        let status = self.read("status")?;
        resident_kib(&status).ok_or_else(|| unreadable("status"))
    }

    fn read(self, file: &str) -> io::Result<String> {
        let path = format!("/proc/{}/{file}", self.0);
        std::fs::read_to_string(&path).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))
    }
}

fn unreadable(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("/proc/PID/{file} has an unknown format"))
}

/// Returns the sum of utime and stime. The process name before them may contain spaces and brackets, so the fields are
/// counted from the last `)`.
fn cpu_ticks(stat: &str) -> Option<u64> {
    const UTIME_AFTER_NAME: usize = 11;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(UTIME_AFTER_NAME).map(str::parse::<u64>);
    let user = times.next()?.ok()?;
    let system = times.next()?.ok()?;
    Some(user + system)
}

fn resident_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_after_an_unusual_name() {
        let stat =
            "42 (a) (b c) S 1 42 42 0 -1 4194560 120 0 0 0 250 31 7 9 20 0 3 0 500 1000000 200 18446744073709551615";
        assert_eq!(cpu_ticks(stat), Some(281));
        assert_eq!(cpu_ticks("42 (cut off"), None);
        assert_eq!(cpu_ticks("42 (short) S 1 2"), None);
    }

    #[test]
    fn resident_memory_is_found() {
        assert_eq!(resident_kib("Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t   12345 kB\nThreads:\t1\n"), Some(12_345));
        assert_eq!(resident_kib("Name:\tkernel thread\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_process_can_be_read() {
        assert!(Process::own().rss_kib().unwrap() > 0);
        assert!(Process::find(std::process::id()).is_ok());
        assert!(Process::find(u32::MAX).is_err());
    }
}
