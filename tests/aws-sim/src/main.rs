//! The simulator as a program, for scripts and experiments.

use std::{error::Error, fs, io, io::Read, net::SocketAddr, path::PathBuf, process::ExitCode};

use aws_sim::{Bind, InstanceId, Sim, Tls, Validity};
use clap::{Args, Parser, Subcommand};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// A small EC2, STS and `IMDSv2` with faults, for tests.
#[derive(Debug, Parser)]
#[command(name = "aws-sim", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Serve until SIGTERM or SIGINT.
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// Address at which EC2, STS and the control API are served over HTTP.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    ec2: SocketAddr,
    /// Address at which the same is served over HTTPS, with a certificate for localhost and that address.
    #[arg(long, value_name = "ADDR:PORT")]
    ec2_tls: Option<SocketAddr>,
    /// File to write the certificate of the HTTPS authority to.
    #[arg(long, value_name = "FILE", requires = "ec2_tls")]
    ca: Option<PathBuf>,
    /// The initial account: instances, addresses, route tables.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// Serve the metadata of an instance.
    #[arg(long, value_name = "INSTANCE=ADDR:PORT", value_parser = imds)]
    imds: Vec<(InstanceId, SocketAddr)>,
    /// Print one line of JSON with all addresses once all servers are listening.
    #[arg(long)]
    print_ready: bool,
    /// Also end when standard input ends.
    #[arg(long)]
    until_eof: bool,
}

fn imds(text: &str) -> Result<(InstanceId, SocketAddr), String> {
    let (id, addr) = text.split_once('=').ok_or("expected INSTANCE=ADDR:PORT")?;
    let id = id.parse().map_err(|error| format!("'{id}': {error}"))?;
    Ok((id, addr.parse().map_err(|error| format!("'{addr}': {error}"))?))
}

fn main() -> ExitCode {
    let CliCommand::Serve(options) = Cli::parse().command;
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("aws-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Serve) -> Result<(), Box<dyn Error>> {
    let sim = Sim::start()?;
    if let Some(path) = &options.world {
        let name = |error: &dyn Error| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| name(&error))?;
        sim.cloud().build(&text).map_err(|error| name(&error))?;
    }
    let ec2 = sim.serve_ec2(Bind::from(options.ec2))?;
    let tls = options.ec2_tls.map(|addr| serve_tls(&sim, addr, options.ca.as_ref())).transpose()?;
    let mut metadata = serde_json::Map::new();
    for (id, addr) in &options.imds {
        metadata.insert(id.to_string(), json!(sim.serve_imds(id, Bind::from(*addr))?));
    }
    if options.print_ready {
        println!("{}", json!({ "ec2": ec2, "ec2_tls": tls, "imds": metadata }));
    }
    wait(options.until_eof)?;
    Ok(())
}

fn serve_tls(sim: &Sim, addr: SocketAddr, ca: Option<&PathBuf>) -> io::Result<SocketAddr> {
    let tls = Tls::new(&["localhost", &addr.ip().to_string()], Validity::Now)?;
    if let Some(path) = ca {
        fs::write(path, tls.ca_pem())?;
    }
    sim.serve_ec2_tls(Bind::from(addr), &tls)
}

/// Waits for SIGTERM or SIGINT or, if requested, the end of standard input.
fn wait(until_eof: bool) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (ended, end) = tokio::sync::oneshot::channel();
        if until_eof {
            // In its own thread: a blocked read of standard input cannot be cancelled.
            std::thread::spawn(move || {
                let _ = io::copy(&mut io::stdin().lock().by_ref(), &mut io::sink());
                let _ = ended.send(());
            });
        }
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
            _ = end, if until_eof => {}
        }
        Ok(())
    })
}
