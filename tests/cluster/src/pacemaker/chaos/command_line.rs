//! The arguments of `cluster chaos`.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::builder::RangedU64ValueParser;
use clap::{Arg, ArgAction, ArgMatches, value_parser};

use super::failure::KINDS;
use super::run::ChaosRun;
use crate::pacemaker::ClusterOptions;

/// Returns the arguments that no other sub-command has.
pub fn arguments() -> [Arg; 7] {
    let count = || RangedU64ValueParser::<u32>::new().range(1..=1_000_000);
    [
        Arg::new("rounds")
            .long("rounds")
            .value_name("N")
            .help("How many rounds, for each number of nodes")
            .default_value("30")
            .value_parser(count()),
        Arg::new("first")
            .long("first")
            .value_name("ROUND")
            .help("The number of the first round: 7 plays what would be the seventh")
            .default_value("1")
            .value_parser(count()),
        Arg::new("seed")
            .long("seed")
            .value_name("SEED")
            .help("A number; the same one gives the same rounds [default: another one each time]")
            .value_parser(value_parser!(u64)),
        Arg::new("sizes")
            .long("nodes")
            .value_name("N,N")
            .help("How many nodes: 2 or 3, or both, one after the other")
            .default_value("2,3")
            .value_delimiter(',')
            .value_parser(RangedU64ValueParser::<u8>::new().range(2..=3)),
        Arg::new("kind")
            .long("kind")
            .value_name("FAILURE")
            .help("What each round begins with [default: all kinds in turn]")
            .value_parser(KINDS),
        Arg::new("timeline")
            .long("timeline")
            .help("Tell each round in full, not only a wrong one")
            .action(ArgAction::SetTrue),
        Arg::new("plan").long("plan").help("Only print what would happen").action(ArgAction::SetTrue),
    ]
}

/// Returns what is asked for.
pub fn request(matches: &ArgMatches, options: ClusterOptions, save: PathBuf, record: PathBuf) -> ChaosRun {
    let some = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    ChaosRun {
        rounds: matches.get_one("rounds").copied().unwrap_or(30),
        first: matches.get_one("first").copied().unwrap_or(1),
        seed: matches.get_one("seed").copied().unwrap_or_else(some),
        nodes: matches.get_many("sizes").unwrap_or_default().copied().collect(),
        kind: matches.get_one::<String>("kind").and_then(|name| KINDS.iter().position(|kind| kind == name)),
        timelines: matches.get_flag("timeline"),
        only_plans: matches.get_flag("plan"),
        options,
        save,
        record,
    }
}
