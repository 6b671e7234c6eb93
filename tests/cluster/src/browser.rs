//! Drill and demo reports in a real browser: what is drawn, and whether it can be read.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use eip::face::ctl::drill::page::ReportPage;
use eip::face::ctl::drill::report::{Drill, Move};
use eip::face::ctl::drill::sightings::{
    ClusterSighting, ClusterState, ConnectionAttempt, HolderQuery, Observations,
};

use crate::chronicle::Chronicle;
use crate::pacemaker::demo;
use crate::timeline::{Gap, Marks};

/// Measures what the browser has drawn: a line for each flaw, then how much there is.
const RULER: &str = r#"<script>
const found = [], name = (e) => (e.textContent.trim() || e.getAttribute("class")).slice(0, 60);
const channels = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map((part) => {
  const value = part / 255;
  return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});
const luminance = (colour) => channels(colour).reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
const contrast = (one, other) => {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
};
for (const svg of document.querySelectorAll("svg.timeline")) {
  const view = svg.viewBox.baseVal, texts = [...svg.querySelectorAll("text")], bars = [...svg.querySelectorAll("rect")];
  const card = getComputedStyle(svg.closest("figure")).backgroundColor;
  for (const part of [...texts, ...bars, ...svg.querySelectorAll("path")]) {
    const box = part.getBBox();
    if (box.x < -0.5 || box.y < -0.5 || box.x + box.width > view.width + 0.5 || box.y + box.height > view.height + 0.5)
      found.push("outside the view box: " + name(part));
  }
  texts.forEach((text, at) => {
    const box = text.getBBox();
    for (const other of texts.slice(at + 1).map((one) => [one, one.getBBox()])) {
      const b = other[1];
      if (box.x < b.x + b.width - 0.5 && b.x < box.x + box.width - 0.5 && box.y < b.y + b.height - 3 && b.y < box.y + box.height - 3)
        found.push("overlap: " + name(text) + " and " + name(other[0]));
    }
    const style = getComputedStyle(text), behind = text.matches(".in") && !text.matches(".work") ? style.stroke : card;
    if (!text.matches(".work") && contrast(style.fill, behind) < 4.5) found.push("too pale: " + name(text));
    if (text.matches(".in")) {
      const around = bars.map((bar) => bar.getBBox()).some((b) => box.x >= b.x && box.x + box.width <= b.x + b.width && box.y >= b.y);
      if (!around) found.push("not in its bar: " + name(text));
    }
  });
  for (const bar of bars) if (!bar.querySelector("title")) found.push("a bar without words");
}
if (document.documentElement.scrollWidth > innerWidth) found.push("wider than the window");
document.body.innerHTML = "<pre id=found></pre>";
document.getElementById("found").textContent = found.join("\n");
</script>"#;

fn browser() -> Option<PathBuf> {
    let names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];
    let folders = ["/usr/bin", "/usr/local/bin", "/bin"].map(Path::new);
    let found =
        names.iter().flat_map(|name| folders.map(|folder| folder.join(name))).find(|path| path.exists());
    if found.is_none() {
        println!("skipped: there is no Chromium: sh tests/requirements browser");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no browser in CI");
    }
    found
}

/// The document after the browser has loaded it, and its console output.
fn load(browser: &Path, file: &Path, dark: bool, width: u32) -> (String, String) {
    let profile = file.with_extension("profile");
    let scheme = u8::from(!dark);
    let output = Command::new(browser)
        .args(["--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--window-size={width},1400"))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (document, said) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success() && document.contains("</html>"), "{said}");
    (document, said.lines().filter(|line| line.contains("CONSOLE")).collect())
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A move whose observers each report `changes` changes, one every `step` milliseconds.
fn eventful(from: &str, to: &str, step: u64, changes: u64) -> Move {
    let state = |n: u64| match n {
        0 => ClusterState::On(from.to_owned()),
        n if n + 1 == changes => ClusterState::On(to.to_owned()),
        n if n % 2 == 0 => ClusterState::Lost(from.to_owned()),
        _ => ClusterState::Moving,
    };
    let holder = |n: u64| match n {
        0 => Some(from.to_owned()),
        n if n + 1 == changes => Some(to.to_owned()),
        n if n % 2 == 0 => Some(format!("i-{n:017} (10.0.0.{n})")),
        _ => None,
    };
    let query =
        |n: u64| HolderQuery { sent: ms(n * step), answered: ms(n * step + step / 4), holder: holder(n) };
    Move {
        from: from.to_owned(),
        to: to.to_owned(),
        at_ms: 1_795_912_345_000,
        took: ms(step * changes),
        seen: Observations {
            sightings: (0..changes).map(|n| ClusterSighting { at: ms(n * step), state: state(n) }).collect(),
            queries: (0..changes).map(query).collect(),
            attempts: (0..changes * 4)
                .map(|n| ConnectionAttempt { began: ms(n * step / 4), connected: n < 3 || n % 3 == 0 })
                .collect(),
            ..Observations::default()
        },
        port: Some(443),
        ..Move::default()
    }
}

fn drill(moves: &[Move], now_on: &str) -> ReportPage {
    let address = "2001:db8:1234:5678:9abc:def0:1234:5678".parse().unwrap();
    let drill = Drill { resource: "eip", address, live: false, moves, now_on: Some(now_on) };
    let figures: Vec<_> = moves.iter().cycle().take(30).map(Move::figures).collect();
    drill.page(&figures, Ok(vec!["Corosync's token is 30000 ms.".to_owned()]))
}

/// Short and long timelines, few and many changes, and names that are long or look like markup.
fn pages() -> Vec<(&'static str, ReportPage)> {
    let long = "ip-10-0-12-234.eu-west-1.compute.internal.example";
    let markup = "<img src=x onerror=alert(1)>&amp;\"'";
    let nothing = Move { from: "n1".to_owned(), to: "n2".to_owned(), ..Move::default() };
    let marks = |scale: f64| Chronicle {
        marks: Marks {
            failure: 100.0,
            detected: Some(100.0 + 0.95 * scale),
            start: Some(100.0 + 2.76 * scale),
            associate: Some(102.77),
            moved: Some(100.0 + 2.78 * scale),
            answered: Some(100.0 + 2.9 * scale),
        },
        outage: Gap { total: 2.95 * scale, longest: 2.95 * scale },
        ..Chronicle::default()
    };
    let [n1, n2] = ["n1", "n2"].map(|name| name.parse().unwrap());
    vec![
        ("short", drill(&[eventful("n1", "n2", 200, 4), eventful("n2", "n1", 150, 3)], "n1")),
        ("long", drill(&[eventful("n1", "n2", 9000, 8), eventful(long, "n2", 700, 12)], long)),
        ("many-changes", drill(&[eventful(long, "n2", 20, 60)], "n2")),
        ("markup", drill(&[eventful(markup, "n2", 300, 5)], markup)),
        ("nothing-seen", drill(&[nothing], "n2")),
        ("demo", demo::page(&marks(1.0), n1, n2)),
        ("slow-demo", demo::page(&marks(25.0), n1, n2)),
    ]
}

#[test]
fn everything_is_drawn_inside_and_no_label_covers_another() {
    let Some(browser) = browser() else { return };
    let folder = std::env::temp_dir().join(format!("eip-browser-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, page) in pages() {
        let html = page.html();
        let file = folder.join(format!("{name}.html"));
        std::fs::write(&file, &html).unwrap();
        let (document, console) = load(&browser, &file, false, 1100);
        assert_eq!(console, "", "{name}");
        assert!(!document.contains("<script") && !document.contains("<img"), "{name}: text became markup");
        let drawn = document.matches("class=\"timeline\"").count();
        assert_eq!(drawn, page.charts.len(), "{name}");
        for lane in ["cluster", "agent", "EC2", "clients"] {
            assert_eq!(document.matches(&format!(">{lane}</text>")).count(), drawn, "{name}: {lane}");
        }
        let bars =
            page.charts.iter().flat_map(|chart| &chart.lanes).map(|lane| lane.spans.len()).sum::<usize>();
        // The bars of the legend have no tooltip.
        assert_eq!(document.matches("</title></rect>").count(), bars, "{name}");
        let policy = html.lines().find(|line| line.contains("Content-Security-Policy")).unwrap();
        std::fs::write(&file, html.replace(policy, "").replace("</body>", &format!("{RULER}</body>")))
            .unwrap();
        for (dark, width) in [(false, 1100), (true, 1100), (false, 600)] {
            let (document, console) = load(&browser, &file, dark, width);
            assert_eq!(console, "", "{name}");
            let (_, found) = document.split_once("<pre id=\"found\">").unwrap();
            assert!(found.starts_with("</pre>"), "{name}, dark {dark}, {width} wide:\n{found}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
