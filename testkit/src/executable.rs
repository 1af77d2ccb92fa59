//! The path of the `rogerrat` executable under test.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The executable of this build. Cargo names it to the integration tests it runs; a test binary that was started by
/// hand finds it in the folder above its own.
pub fn executable() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(path) = env::var_os("CARGO_BIN_EXE_rogerrat") {
            return path.into();
        }
        let test = env::current_exe().unwrap();
        test.ancestors().nth(2).unwrap().join(format!("rogerrat{}", env::consts::EXE_SUFFIX))
    });
    &PATH
}
