//! The command line, by every name of the binary.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use hostile::{input, seed, verdict};

use crate::scene::{PROGRAMS, Scene};

/// What means something to one of the names. Not `drill`: it would move a resource of the machine's cluster, whose configuration
/// the other commands only read.
const WORDS: &str = "\
    start stop monitor status validate-all meta-data usage help methods migrate_to reload-agent show check \
    claim release policy history restore assign --json --timeout --timeout=3 --timeout=0 \
    --timeout=18446744073709551615 --resource --region=eu-west-1 --help --version -h -V -- - \
    --called-as=eipctl --called-as= --called-as=vip 203.0.113.10 eipalloc-0123456789abcdef0 eth0 10.0.1.10 \
    02:00:00:00:00:01 INSTANCE GROUP MASTER BACKUP FAULT 100 restart force-reload interface=eth0 region= = \
    timeout=5";

/// [call-6]
#[test]
fn whatever_is_on_the_command_line() {
    let Some(scene) = Scene::new() else { return };
    let known: Vec<&str> = WORDS.split_whitespace().collect();
    seed::run("words", 150, |rng| {
        let place = scene.place();
        let program = PROGRAMS[rng.usize(..PROGRAMS.len())];
        let mut call = scene.call(program, &[], &place);
        for _ in 0..rng.usize(0..6) {
            let hostile = rng.u8(0..3) == 0;
            let word = if hostile {
                OsString::from_vec(input::bytes(rng, &[]))
            } else {
                input::one_of(rng, &known).into()
            };
            call.arguments.push(word);
        }
        // A tool has a time of its own, which its words may set.
        call.timeout = std::time::Duration::from_secs(25);
        let ended = call.run();
        verdict::judge(&call, &ended, verdict::TOOL)
    });
}
