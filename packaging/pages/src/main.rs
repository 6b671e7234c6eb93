//! Renews the man pages and the shell completion below `packaging/`.

fn main() -> std::io::Result<()> {
    for path in pages::renew()? {
        println!("renewed: packaging/{}", path.display());
    }
    Ok(())
}
