use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::settings::facility;
use super::*;

/// A test's folder, removed with it, and its captured standard error.
struct LogTest {
    folder: PathBuf,
    stderr: Arc<Mutex<Vec<u8>>>,
    terminal: bool,
}

impl LogTest {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("eip-log-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Self { folder, stderr: Arc::default(), terminal: false }
    }

    fn terminal() -> Self {
        let mut scene = Self::new();
        scene.terminal = true;
        scene
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn log(&self, variables: &[(&str, &str)]) -> Log {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = LogSettings::new(variables.collect(), "eip", "web");
        let process = Process {
            started: Instant::now(),
            stdin_is_terminal: self.terminal,
            stderr: Arc::<Mutex<Vec<u8>>>::clone(&self.stderr),
            syslog: self.folder.join("log"),
        };
        Log::with(&settings, "start", process)
    }

    fn stderr(&self) -> String {
        String::from_utf8(lock(&self.stderr).clone()).unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }
}

impl Drop for LogTest {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn tag() -> String {
    format!("eip(web)[{}]", std::process::id())
}

/// Replaces the leading date, such as `Nov 21 07:42:00`, after checking its format.
fn undated(line: &str) -> String {
    let (date, rest) = line.split_at(15);
    jiff::fmt::strtime::parse("%b %d %T", date).unwrap_or_else(|error| panic!("{line}: {error}"));
    format!("DATE{rest}")
}

#[test]
fn at_a_terminal_lines_go_to_standard_error_and_nowhere_else() {
    let scene = LogTest::terminal();
    let log = scene.log(&[("HA_LOGFILE", &scene.path("file")), ("HA_LOGFACILITY", "daemon")]);
    log.info("moved");
    log.debug("not without HA_debug");
    assert_eq!(scene.stderr(), "INFO: moved\n");
    assert_eq!(scene.read("file"), "");
    log.exit_reason("no");
    assert_eq!(scene.stderr(), "INFO: moved\nocf-exit-reason:no\n", "the reason is not said twice");
    let tagged = LogTest::terminal();
    tagged.log(&[("HA_LOGTAG", "mine"), ("HA_debug", "1")]).debug("why");
    assert_eq!(tagged.stderr(), "mine: DEBUG: why\n");
}

#[test]
fn with_neither_facility_nor_file_lines_go_to_standard_error_with_a_date() {
    for facility in ["", "none"] {
        let scene = LogTest::new();
        let log = scene.log(&[("HA_LOGFACILITY", facility), ("HA_debug", "1")]);
        log.warn("odd");
        log.debug("without a debug log it has no place");
        let stderr = scene.stderr();
        assert_eq!(undated(stderr.trim_end()), "DATE WARNING: odd");
    }
}

#[test]
fn the_files_are_written_as_ocf_log_writes_them() {
    let scene = LogTest::new();
    let (file, debug) = (scene.path("file"), scene.path("debug"));
    let log = scene.log(&[("HA_LOGFILE", &file), ("HA_DEBUGLOG", &debug), ("HA_debug", "1")]);
    log.error("failed");
    log.debug("why");
    let lines: Vec<String> = scene.read("file").lines().map(undated).collect();
    let tag = tag();
    assert_eq!(lines, [format!("DATE  {tag}:    ERROR: failed")]);
    let lines: Vec<String> = scene
        .read("debug")
        .lines()
        .map(|line| line.strip_prefix(&format!("{tag}:\t")).map(undated).unwrap())
        .collect();
    assert_eq!(lines, ["DATE ERROR: failed", "DATE DEBUG: why"]);
    assert_eq!(scene.stderr(), "", "the cluster takes standard error for exit reasons");
}

#[test]
fn a_log_that_is_also_the_debug_log_gets_each_line_once() {
    let scene = LogTest::new();
    let file = scene.path("file");
    let log = scene.log(&[("HA_LOGFILE", &file), ("HA_DEBUGLOG", &file), ("HA_debug", "1")]);
    log.info("one");
    log.debug("two");
    assert_eq!(scene.read("file").lines().count(), 2, "{}", scene.read("file"));
}

#[test]
fn debugging_is_on_unless_ha_debug_is_empty_or_zero() {
    for (value, on) in [("", false), ("0", false), ("1", true), ("pacemaker-execd", true)] {
        let scene = LogTest::new();
        scene.log(&[("HA_debug", value), ("HA_DEBUGLOG", &scene.path("debug"))]).debug("why");
        assert_eq!(!scene.read("debug").is_empty(), on, "HA_debug={value}");
    }
}

#[test]
fn the_system_log_gets_tag_text_and_a_priority_from_the_words() {
    let scene = LogTest::new();
    let socket = UnixDatagram::bind(scene.folder.join("log")).unwrap();
    let log = scene.log(&[("HA_LOGFACILITY", "local3"), ("HA_debug", "1")]);
    log.error("a");
    log.warn("b");
    log.info("c");
    log.debug("e");
    let received: Vec<String> = std::iter::repeat_with(|| {
        let mut buffer = [0; 200];
        let length = socket.recv(&mut buffer).unwrap();
        let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
        let (priority, rest) = text.split_once('>').unwrap();
        format!("{priority}>{}", rest.split_at(16).1)
    })
    .take(4)
    .collect();
    let tag = tag();
    // local3 is 19, times 8; error 3, warning 4, informational 6, debug 7.
    assert_eq!(
        received,
        [
            format!("<155>{tag}: ERROR: a"),
            format!("<156>{tag}: WARNING: b"),
            format!("<158>{tag}: INFO: c"),
            format!("<159>{tag}: DEBUG: e"),
        ]
    );
    assert_eq!(scene.stderr(), "");
}

#[test]
fn the_names_of_facilities_are_those_of_the_system() {
    for (name, number) in
        [("kern", 0), ("daemon", 3), ("DAEMON", 3), ("authpriv", 10), ("local0", 16), ("local7", 23)]
    {
        assert_eq!(facility(name), Some(number), "{name}");
    }
    for name in ["", "local8", "local", "nonsense", "none"] {
        assert_eq!(facility(name), None, "{name}");
    }
}

#[test]
fn destinations_that_are_broken_full_or_unread_neither_fail_nor_hold_up_the_action() {
    let scene = LogTest::new();
    let pipe = scene.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Bound, never read: it fills up.
    let _socket = UnixDatagram::bind(scene.folder.join("log")).unwrap();
    let began = Instant::now();
    for file in [pipe.as_str(), "/nonexistent/folder/file", "/proc/self/mem", "/"] {
        let log = scene.log(&[("HA_LOGFILE", file), ("HA_DEBUGLOG", file), ("HA_LOGFACILITY", "daemon")]);
        for _ in 0..400 {
            log.info("x".repeat(1000));
        }
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn a_message_with_line_breaks_stays_one_line() {
    let scene = LogTest::new();
    let log = scene.log(&[("HA_LOGFILE", &scene.path("file"))]);
    log.info("a\nNov 21 07:42:00  forged: line\u{1b}[2J");
    assert_eq!(scene.read("file").lines().count(), 1);
    assert!(scene.read("file").contains(r"a\nNov"));
}

/// [reason-2]
#[test]
fn an_exit_reason_is_one_short_ascii_line_and_the_log_has_it_whole() {
    let scene = LogTest::new();
    let log = scene.log(&[("HA_LOGFILE", &scene.path("file"))]);
    let text = format!("caf\u{e9}\nUnauthorizedOperation {}", "x".repeat(200));
    log.exit_reason(&text);
    let stderr = scene.stderr();
    let reason = stderr.strip_prefix("ocf-exit-reason:").unwrap().strip_suffix('\n').unwrap();
    assert_eq!(reason.len(), 128);
    assert!(
        reason.starts_with(r"caf\u{e9}\nUnauthorizedOperation xx") && reason.ends_with("x..."),
        "{reason}"
    );
    let file = scene.read("file");
    assert!(
        file.contains(&format!("ERROR: caf\u{e9}\\nUnauthorizedOperation {}\n", "x".repeat(200))),
        "{file}"
    );
}

#[test]
fn an_exit_reason_is_reported_once_if_the_log_is_standard_error_too() {
    let scene = LogTest::new();
    scene.log(&[("OCF_EXIT_REASON_PREFIX", "why=")]).exit_reason("no address");
    assert_eq!(scene.stderr(), "why=no address\n");
}

#[test]
fn a_reason_is_given_up_while_a_blocked_write_occupies_standard_error() {
    let scene = LogTest::new();
    let log = scene.log(&[]);
    let occupied = lock(&scene.stderr);
    let began = Instant::now();
    log.print_reason("no answer in time");
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(occupied.is_empty());
}

#[test]
fn the_watchdog_gives_no_second_reason() {
    let scene = LogTest::new();
    let log = scene.log(&[]);
    log.exit_reason("holder unknown");
    log.print_reason("out of time");
    assert_eq!(scene.stderr().matches("ocf-exit-reason:").count(), 1, "{}", scene.stderr());
    let scene = LogTest::new();
    let log = scene.log(&[]);
    log.print_reason("out of time");
    log.exit_reason("holder unknown");
    assert_eq!(scene.stderr().matches("ocf-exit-reason:").count(), 1, "{}", scene.stderr());
}

/// [log-1]
#[test]
fn a_date_format_of_the_cluster_is_used_if_it_is_valid() {
    for (format, begins) in [("%Y", "20"), ("%!", "DATE")] {
        let scene = LogTest::new();
        scene.log(&[("HA_DATEFMT", format)]).info("moved");
        let line = scene.stderr();
        let shown = if begins == "DATE" { undated(line.trim_end()) } else { line };
        assert!(shown.starts_with(begins), "{format}: {shown}");
    }
}

#[test]
fn secrets_are_kept_out_of_every_line() {
    let log = Log::memory();
    log.keep_secret("");
    log.keep_secret("short");
    log.keep_secret("wJalrXUtnFEMI/K7MDENG");
    log.info("a short key wJalrXUtnFEMI/K7MDENG.");
    log.exit_reason("key wJalrXUtnFEMI/K7MDENG");
    assert_eq!(log.lines(), ["INFO: a short key ***.", "ocf-exit-reason:key ***", "ERROR: key ***"]);
}

/// All files below a folder, with their contents.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read_to_string(&path).unwrap_or_default()));
        }
    }
    found
}

#[test]
fn without_a_request_for_a_trace_there_is_none_and_its_text_is_not_put_together() {
    struct Untouched;
    impl Display for Untouched {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("was put together")
        }
    }
    for wish in ["", "0", "no", "nonsense"] {
        let scene = LogTest::new();
        scene.log(&[("OCF_TRACE_RA", wish), ("OCF_RESKEY_trace_dir", &scene.path(""))]).trace(Untouched);
        assert_eq!(files(&scene.folder), []);
    }
}

#[test]
fn a_trace_gets_a_file_of_its_own_that_only_root_can_read() {
    let scene = LogTest::new();
    let log = scene.log(&[
        ("OCF_RESKEY_trace_ra", "1"),
        ("OCF_RESKEY_trace_dir", &scene.path("traces")),
        ("OCF_RESOURCE_TYPE", "eip"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ("HTTPS_PROXY", "http://user:hidden@proxy:3128"),
        ("HTTP_PROXY", "user:hidden@proxy:3128"),
        ("HA_LOGFILE", "/dev/null"),
    ]);
    log.trace("ec2 associate: sent");
    log.info("moved");
    log.debug("why");
    let found = files(&scene.folder);
    let [(path, text)] = found.as_slice() else { panic!("{found:?}") };
    let name = path.strip_prefix(&scene.folder).unwrap().to_str().unwrap();
    assert!(
        name.starts_with("traces/eip/web.start.20")
            && name.len() == "traces/eip/web.start.2026-11-21.07:42:00".len()
    );
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!text.contains("hidden"), "{text}");
    let lines: Vec<&str> = text.lines().map(|line| line.split_once(" ms ").unwrap().1).collect();
    let prefix = format!("[{}] +", std::process::id());
    assert!(text.lines().all(|line| line.starts_with(&prefix)), "{text}");
    assert!(lines[0].starts_with("eip ") && lines[0].contains(" start of web at "), "{text}");
    assert!(lines[1..].starts_with(&["env AWS_SECRET_ACCESS_KEY=***", "env HA_LOGFILE=/dev/null"]), "{text}");
    assert!(lines.contains(&"env HTTPS_PROXY=http://***@proxy:3128"), "{text}");
    assert!(lines.contains(&"env HTTP_PROXY=***@proxy:3128"), "{text}");
    assert_eq!(lines[lines.len() - 3..], ["ec2 associate: sent", "INFO: moved", "DEBUG: why"]);
}

#[test]
fn a_trace_goes_to_the_file_or_stream_that_is_named() {
    let scene = LogTest::new();
    let file = scene.path("below/trace");
    for text in ["one", "two"] {
        scene.log(&[("OCF_TRACE_RA", "1"), ("OCF_TRACE_FILE", &file)]).trace(text);
    }
    assert!(
        scene.read("below/trace").contains(" ms one\n") && scene.read("below/trace").contains(" ms two\n")
    );
    scene.log(&[("OCF_TRACE_RA", "1"), ("OCF_TRACE_FILE", "/dev/stderr")]).trace("three");
    assert!(scene.stderr().contains(" ms three\n"));
    let terminal = LogTest::terminal();
    terminal.log(&[("OCF_TRACE_RA", "yes")]).trace("four");
    assert!(terminal.stderr().contains(" ms four\n"));
}

#[test]
fn a_trace_that_cannot_be_written_is_a_warning() {
    let scene = LogTest::new();
    let blocked = scene.path("file/below");
    fs::write(scene.folder.join("file"), "").unwrap();
    let dir = scene.path("traces");
    for (file, warning, traced) in [
        (blocked.as_str(), "no trace: ", false),
        ("trace.log", "OCF_TRACE_FILE=trace.log: expected a descriptor", true),
        ("/trace.log", "OCF_TRACE_FILE=/trace.log: expected a descriptor", true),
        ("1", "OCF_TRACE_FILE=1: expected a descriptor", true),
    ] {
        lock(&scene.stderr).clear();
        let _ = fs::remove_dir_all(&dir);
        let variables =
            [("OCF_TRACE_RA", "1"), ("OCF_TRACE_FILE", file), ("OCF_RESKEY_trace_dir", dir.as_str())];
        scene.log(&variables).trace("line");
        assert!(scene.stderr().contains(&format!("WARNING: {warning}")), "{file}: {}", scene.stderr());
        assert_eq!(!files(Path::new(&dir)).is_empty(), traced, "{file}");
    }
}

/// Root would otherwise append to a file of the attacker's choice.
#[test]
fn a_trace_does_not_follow_what_others_have_planted_in_its_folder() {
    let scene = LogTest::new();
    let (open, sticky, elsewhere) = (scene.path("open"), scene.path("sticky"), scene.path("elsewhere"));
    for (folder, mode) in [(&open, 0o777), (&sticky, 0o1777), (&elsewhere, 0o755)] {
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(format!("{elsewhere}/target"), "").unwrap();
    let (link, second) = (format!("{sticky}/link"), format!("{sticky}/second"));
    std::os::unix::fs::symlink(format!("{elsewhere}/target"), &link).unwrap();
    fs::hard_link(format!("{elsewhere}/target"), &second).unwrap();
    let named = format!("{open}/trace");
    for (variable, value, warning) in [
        ("OCF_RESKEY_trace_dir", open.as_str(), "is writable by others"),
        ("OCF_TRACE_FILE", named.as_str(), "is writable by others"),
        ("OCF_TRACE_FILE", link.as_str(), "symbolic link"),
        ("OCF_TRACE_FILE", second.as_str(), "second hard link"),
    ] {
        let scene = LogTest::new();
        scene.log(&[("OCF_TRACE_RA", "1"), (variable, value)]).trace("line");
        assert!(
            scene.stderr().contains("no trace: ") && scene.stderr().contains(warning),
            "{}",
            scene.stderr()
        );
    }
    assert_eq!(files(Path::new(&open)), []);
    assert_eq!(fs::read_to_string(format!("{elsewhere}/target")).unwrap(), "");
    let own = format!("{sticky}/own");
    scene.log(&[("OCF_TRACE_RA", "1"), ("OCF_TRACE_FILE", &own)]).trace("line");
    assert!(fs::read_to_string(own).unwrap().contains(" ms line\n"));
}

#[test]
fn a_resource_name_with_slashes_does_not_lead_a_trace_out_of_its_folder() {
    let scene = LogTest::new();
    let dir = scene.path("traces");
    scene.log(&[("OCF_TRACE_RA", "1"), ("OCF_RESKEY_trace_dir", &dir), ("OCF_RESOURCE_INSTANCE", "../../x")]);
    let found = files(&scene.folder);
    assert_eq!(found.len(), 1);
    assert!(found[0].0.starts_with(Path::new(&dir).join("eip")), "{found:?}");
}
