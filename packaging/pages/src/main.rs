//! Renews the man pages, the shell completion and the table of exit codes.

fn main() -> std::io::Result<()> {
    for path in pages::renew()? {
        println!("renewed: {}", path.display());
    }
    Ok(())
}
