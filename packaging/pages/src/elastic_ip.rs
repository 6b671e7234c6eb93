//! The page of `elastic-ip`: the agent as Heartbeat, init and people call it.

use eip::face::init::settings::{FILE_VARIABLE, FILES};
use eip::params::table::{self, Effect};

use crate::man::Man;

const ACTIONS: &[(&str, &str)] = &[
    (
        "start",
        "Takes the address, from whom it may be, and waits until EC2 shows it here. If it is here, nothing is written.",
    ),
    ("stop", "Lets go of the address if it is here. A node that took it over in the meantime keeps it."),
    (
        "status",
        "Says whether the address is here, in at most 20 s. The metadata service of the instance is asked; EC2 only when \
         that says no, or after a change.",
    ),
    (
        "restart",
        "Stops and starts. After a change of where on this node the address is to be, this moves it.",
    ),
    (
        "force-reload",
        "Starts again if the address is here. There is no daemon that would have to be told of new settings: every call \
         reads them.",
    ),
];

const ARGUMENTS: &[(&str, &str)] = &[
    ("`203.0.113.10`", "The address."),
    ("`eipalloc-0123456789abcdef0`", "The address by its allocation."),
    ("`eth1`, `eni-0123456789abcdef0`, `02:00:00:00:00:01`", "The interface of this node that gets it."),
    ("`NAME=VALUE`", "Any parameter of `ocf_heartbeat_eip`(7)."),
];

const STATUS_CODES: &[(&str, &str)] = &[
    ("0", "The address is here."),
    ("3", "It is not here."),
    ("4", "Nobody can tell: neither EC2 nor the metadata service answers, or the settings make no sense."),
];

const CODES: &[(&str, &str)] = &[
    ("0", "Done, also where there was nothing to do."),
    ("1", "AWS could not be reached, throttled or failed until the time was up."),
    ("2", "The command line makes no sense."),
    ("3", "There is no such action."),
    (
        "4",
        "IAM denies the call, the credentials are missing or rejected, or the settings file may not be read.",
    ),
    ("5", "This is no EC2 instance."),
    (
        "6",
        "The settings make no sense, or not on this node: no such interface or private address, the address not found or \
         another account's.",
    ),
];

const OPTIONS: &str = "`--region` (also the short names eu, us, uswest and ap), `--profile`, `--endpoint-url`, `--ca-bundle`, \
                       `--cli-connect-timeout`, `--cli-read-timeout` and `--role` have an effect. Others are ignored, with a warning in \
                       the log.";

/// Returns the page.
pub(crate) fn page() -> String {
    let mut man = Man::new("elastic-ip", "8", "System administration");
    man.section("NAME");
    man.line("elastic-ip - keeps an AWS Elastic IP on the active node of a Heartbeat cluster");
    man.section("SYNOPSIS");
    man.line("`elastic-ip` [ARGUMENT...] `start` | `stop` | `status` | `restart` | `force-reload`");
    man.section("DESCRIPTION");
    man.paragraph(
        "Moves an Elastic IP to the instance that it is called on, and lets it go. It takes the place of the init script \
         elastic-ip that called the aws command: the same settings, secret file and sentences, and exit codes that say what \
         happened. Heartbeat calls it by its name in haresources, init as a script, and people by hand.",
    );
    list(&mut man, ACTIONS);
    arguments_and_settings(&mut man);
    answers(&mut man);
    man.section("SEE ALSO");
    man.line("`ocf_heartbeat_eip`(7), `eipctl`(8), `heartbeat`(8)");
    man.text()
}

fn arguments_and_settings(man: &mut Man) {
    man.section("ARGUMENTS");
    man.paragraph(
        "They are known by their form and go before the settings. In haresources they are joined by two colons: \
         elastic-ip::203.0.113.10::eth1 arrives as `elastic-ip 203.0.113.10 eth1 start`.",
    );
    for (form, meaning) in ARGUMENTS {
        man.item(form, &[meaning]);
    }
    man.section("SETTINGS");
    let [debian, rhel] = FILES;
    man.paragraph(&format!(
        "They are in `{debian}`, or where that is not there in `{rhel}`, one NAME=VALUE a line. The file has the shell's syntax: \
         quotes, comments, export and line continuation mean what they mean to a shell. But it is read as data. What only a \
         shell could turn into text (`$(...)`, backquotes, variables) is refused where it matters, with its line; any other \
         command is ignored, with a warning in the log. A file that \
         others may write to, or that belongs to anybody but root and the caller, is refused."
    ));
    man.item("`ELASTIC_IP`", &["The address."]);
    man.item("`AWS_PARAMS`", &["Options of the aws command.", OPTIONS]);
    man.item(
        "`TIMEOUT`",
        &["Seconds for a start or a stop, and at most 20 of them for a status. The default is 60."],
    );
    let used = table::EIP.iter().filter(|spec| spec.effect == Effect::Used && spec.name != "elastic_ip");
    let names: Vec<String> = used.map(|spec| format!("`{}`", spec.name.to_ascii_uppercase())).collect();
    man.item(&names.join(", "), &["The parameters of `ocf_heartbeat_eip`(7) by their names in upper case."]);
    man.item(
        "`TRACE_RA`",
        &["1: a trace of every decision, request and answer, below `/var/lib/heartbeat/trace_ra`."],
    );
    man.paragraph(
        "MY_ID and DESC of the old script are not needed. ELASTIC_IP and AWS_PARAMS are also taken from the environment where \
         neither an argument nor the file sets them.",
    );
    man.section("CREDENTIALS");
    man.paragraph(
        "As for every AWS tool, and after `~/.aws` and before the role of the instance also from `~/.awssecret` and \
         `/root/.awssecret`: the access key id on line 1, the secret access key on line 2. A file that others can read is not \
         used, and the log says so.",
    );
}

fn answers(man: &mut Man) {
    man.section("OUTPUT");
    man.paragraph(
        "Standard output has the sentences of the old script, with the words that Heartbeat looks for below:",
    );
    man.verbatim(
        "elastic-ip remapper: I have 203.0.113.10\nelastic-ip remapper: running\n\nelastic-ip remapper: I do not have \
         203.0.113.10\nelastic-ip remapper: not running",
    );
    man.paragraph(
        "Where nobody can tell it is \"unknown\", which Heartbeat takes for stopped; a start that follows changes nothing \
         where the address is here. With each failure goes one line to standard error: what failed, on what, and what was \
         answered. The log goes where Heartbeat says, else to syslog as daemon, and to standard error at a terminal.",
    );
    man.section("EXIT STATUS");
    man.paragraph("Those of the Linux Standard Base. Of status:");
    list(man, STATUS_CODES);
    man.paragraph("Of the other actions:");
    list(man, CODES);
    man.section("NOTES");
    man.paragraph(
        "Heartbeat reboots a node where a stop fails eleven times and status still says \"running\". So a stop fails only \
         where AWS refuses, with ON_STOP=strict, which ALLOW_REASSOCIATION=false implies, and where the settings cannot be \
         used (status then says \"unknown\"). Where AWS cannot be reached it says so in the log and succeeds, because the next \
         start takes the address over in any case. With ON_STOP=leave it never lets go.",
    );
    man.section("ENVIRONMENT");
    man.item(&format!("`{FILE_VARIABLE}`"), &["Another settings file, to try something out."]);
    man.section("FILES");
    man.item(
        "`/etc/ha.d/resource.d/elastic-ip`",
        &["Where Heartbeat finds it, before a script in `/etc/init.d`."],
    );
    man.item(
        "`/usr/share/doc/eip/heartbeat`",
        &["Examples: haresources, ha.cf, authkeys, and units for a machine by itself."],
    );
    man.item(
        "`/var/lib/eip`, `/run/resource-agents/eip`",
        &["What this node remembers, a file for each address."],
    );
}

fn list(man: &mut Man, entries: &[(&str, &str)]) {
    for (term, meaning) in entries {
        man.item(&format!("`{term}`"), &[meaning]);
    }
}
