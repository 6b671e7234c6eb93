//! Renews the man pages and the shell completion below `packaging/`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match pages::renew(pages::folder()) {
        Ok(renewed) => {
            for path in renewed {
                println!("renewed: packaging/{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("pages: {error}");
            ExitCode::FAILURE
        }
    }
}
