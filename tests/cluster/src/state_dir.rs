//! The folder with a run's state, removed on drop.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{HarnessError, Result};
use crate::topology::RunId;

/// A folder in the system's temporary folder, named after the run.
#[derive(Debug)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Creates the folder of `run`.
    ///
    /// # Errors
    /// If it cannot be created, or this process already has a run.
    pub fn create(run: &RunId) -> Result<Self> {
        let path = std::env::temp_dir().join(run.to_string());
        fs::create_dir(&path).map_err(HarnessError::io(format_args!("making {}", path.display())))?;
        Ok(Self(path))
    }

    /// Absolute path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it, with its parent folders, and returns the file's path.
    ///
    /// # Errors
    /// If a folder or the file cannot be written.
    pub fn write(&self, name: &str, contents: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        let folder = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder).map_err(HarnessError::io(format_args!("making {}", folder.display())))?;
        fs::write(&path, contents).map_err(HarnessError::io(format_args!("writing {}", path.display())))?;
        Ok(path)
    }
}

impl Drop for StateDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cluster: removing {}: {error}", self.0.display());
        }
    }
}
