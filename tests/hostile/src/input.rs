//! Malformed texts and bytes.

use fastrand::Rng;

/// What a terminal, a log or a reader of lines would act on.
const CONTROLS: [&str; 12] = [
    "\u{1b}[2J\u{1b}[31m",
    "\u{1b}]0;title\u{7}",
    "x\nocf-exit-reason:forged",
    "a\r\nSet-Cookie: b",
    "\u{9b}31m",
    "\t\u{8}\u{8}",
    "\u{0b}\u{0c}\u{7f}",
    "\u{202e}gnp.exe",
    "\u{2028}second\u{2029}third",
    "\u{85}next",
    "\u{feff}bom",
    "a\u{300}\u{301}\u{302}\u{1f468}\u{200d}\u{1f469}",
];
/// Numbers at the limits of what holds numbers.
const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "-1",
    "1",
    "00",
    "007",
    "+1",
    "1e3",
    "1.5",
    "0x10",
    "NaN",
    "inf",
    "255",
    "256",
    "65536",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "999999999999999999999999999999999999999999",
];
/// Almost what belongs somewhere.
const ALMOST: [&str; 34] = [
    "",
    " ",
    ",",
    "=",
    "a=b",
    "=,=,=",
    "node1=10.0.1.10,node1=10.0.1.11",
    "203.0.113.10",
    "203.0.113.010",
    "0.0.0.0",
    "255.255.255.255",
    "127.0.0.1",
    "::1",
    "203.0.113.10/32",
    "10.0.1.10",
    "eipalloc-",
    "eipalloc-0123456789abcdef0",
    "eni-0123456789abcdef0",
    "02:00:00:00:00:01",
    "eth0",
    "..",
    "../../nowhere",
    "%s%s%n",
    "%2F%00",
    "$(reboot)",
    "`id`",
    "true",
    "maybe",
    "release",
    "eu-west-1",
    "eu-west-1.evil.example",
    "arn:aws:iam::123456789012:role/x",
    "{}",
    "[[[[",
];
/// Addresses of servers; none leads out of the machine, and most lead nowhere.
const URLS: [&str; 18] = [
    "http://127.0.0.1:1",
    "https://127.0.0.1:1",
    "http://",
    "http://[::1]:1",
    "http://[::1",
    "http://127.0.0.1:99999",
    "http://127.0.0.1:0",
    "http://user:secretpassword@127.0.0.1:1",
    "http://127.0.0.1:1/a?b=c#d",
    "http://127.0.0.1:1/%zz",
    "ftp://127.0.0.1",
    "file:///etc/passwd",
    "127.0.0.1:1",
    "http:///path",
    "HTTP://127.0.0.1:1",
    "http://127.0.0.1:1\n",
    "http://\u{e9}:1",
    "http://127.0.0.1:1/\u{1b}[2J",
];
/// Formats of dates, which `HA_DATEFMT` is.
const FORMATS: [&str; 10] = [
    "%Y",
    "%",
    "%%%",
    "%999999999Y",
    "%-255d%+%Q",
    "%c%c%c%c",
    "%\u{e9}",
    "%:::z",
    "%s%N%f%9f",
    "%E%O%k%l\n%n%t",
];

/// Returns one of these.
pub fn one_of<'a, T: ?Sized>(rng: &mut Rng, list: &[&'a T]) -> &'a T {
    list[rng.usize(..list.len())]
}

/// Returns a text without NUL. `paths` are those that may be in it.
pub fn text(rng: &mut Rng, paths: &[String]) -> String {
    match rng.u8(0..16) {
        0 => one_of(rng, &CONTROLS).to_owned(),
        1 => one_of(rng, &NUMBERS).to_owned(),
        2 | 3 => one_of(rng, &ALMOST).to_owned(),
        4 => one_of(rng, &URLS).to_owned(),
        5 => one_of(rng, &FORMATS).to_owned(),
        6 if !paths.is_empty() => paths[rng.usize(..paths.len())].clone(),
        7 => one_of(
            rng,
            &[CONTROLS[0], "x", "%c", "a,", "a=10.0.0.1,", "\u{e9}", "1", "\\", "(", "\"", "'", "$("],
        )
        .repeat(long(rng)),
        8 => (0..rng.usize(1..64)).map(|_| rng.char(..)).filter(|&c| c != '\0').collect(),
        9 => (0..rng.usize(1..64)).map(|_| char::from(rng.u8(1..128))).collect(),
        10 => format!("{}{}", one_of(rng, &ALMOST), one_of(rng, &CONTROLS)),
        11 => format!("{}{}", one_of(rng, &CONTROLS), one_of(rng, &ALMOST)),
        12 => format!("{}{}", one_of(rng, &URLS), "a".repeat(long(rng))),
        13 => format!("{}={}", one_of(rng, &ALMOST), one_of(rng, &NUMBERS)),
        14 => format!("{} {}", one_of(rng, &ALMOST), one_of(rng, &ALMOST)),
        _ => ALMOST.map(|part| part.repeat(rng.usize(0..4))).concat(),
    }
}

/// Returns bytes without NUL, most of the time text.
pub fn bytes(rng: &mut Rng, paths: &[String]) -> Vec<u8> {
    if rng.u8(0..6) > 0 {
        return text(rng, paths).into_bytes();
    }
    let mut bytes = text(rng, paths).into_bytes();
    for _ in 0..rng.usize(1..8) {
        let at = rng.usize(0..=bytes.len());
        bytes.insert(at, rng.u8(128..=255));
    }
    bytes.retain(|&byte| byte != 0);
    bytes
}

/// Returns a length that a buffer may not be ready for, but that the system takes in one variable.
fn long(rng: &mut Rng) -> usize {
    *rng.choice(&[10, 100, 129, 1_000, 4_097, 10_000]).unwrap()
}

/// Changes a valid document in a few places: bytes turned, taken out, doubled, swapped, texts and numbers replaced.
pub fn mangle(rng: &mut Rng, valid: &[u8]) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for _ in 0..rng.usize(1..6) {
        if bytes.is_empty() {
            return text(rng, &[]).into_bytes();
        }
        let at = rng.usize(..bytes.len());
        let end = (at + rng.usize(1..40)).min(bytes.len());
        match rng.u8(0..9) {
            0 => bytes[at] ^= 1 << rng.u8(0..8),
            1 => bytes[at] = rng.u8(..),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let part = bytes[at..end].to_vec();
                let times = rng.usize(1..2_000);
                bytes.splice(at..at, part.repeat(times));
            }
            4 => bytes.truncate(at),
            5 => drop(bytes.splice(at..at, text(rng, &[]).into_bytes())),
            6 => replace(rng, &mut bytes, |byte| byte.is_ascii_digit(), &NUMBERS),
            // A text between two tags, or two quotes.
            7 => replace(rng, &mut bytes, |byte| !b"<>\"".contains(&byte), &CONTROLS),
            _ => replace(rng, &mut bytes, |byte| !b"<>\"\n".contains(&byte), &ALMOST),
        }
    }
    bytes
}

/// Replaces a run of such bytes by one of these.
fn replace(rng: &mut Rng, bytes: &mut Vec<u8>, fits: impl Fn(u8) -> bool, by: &[&str]) {
    let from = rng.usize(..bytes.len());
    let Some(start) = (from..bytes.len()).find(|&index| fits(bytes[index])) else { return };
    let end = (start..bytes.len()).find(|&index| !fits(bytes[index])).unwrap_or(bytes.len());
    bytes.splice(start..end, one_of(rng, by).bytes());
}

/// Returns a document of a kind that a parser may choke on: deep, wide, long, a bomb, or in another encoding.
pub fn document(rng: &mut Rng, valid: &[u8]) -> Vec<u8> {
    let depth = *rng.choice(&[200, 10_000, 100_000]).unwrap();
    let wide = *rng.choice(&[1_000, 30_000, 1_000_000]).unwrap();
    match rng.u8(0..16) {
        0 => within(valid, &"<a>".repeat(depth), ""),
        1 => within(valid, &"<a>".repeat(depth), &"</a>".repeat(depth)),
        2 => within(valid, &"<item/>".repeat(wide), ""),
        3 => within(valid, &"<item><tagSet><item/></tagSet></item>".repeat(wide / 10), ""),
        4 => [BOMB.as_bytes(), valid].concat(),
        5 => within(valid, "&#27;[2J&#10;ocf-exit-reason:forged&#0;&#xD800;&#99999999999;&nothing;", ""),
        6 => within(valid, &format!("<a {}/>", "b=\"c\" ".repeat(wide / 10)), ""),
        7 => within(valid, "<!--", ""),
        8 => within(valid, "<![CDATA[", &"]]>".repeat(3)),
        9 => format!("{}1{}", "[".repeat(depth), "]".repeat(depth)).into_bytes(),
        10 => format!("{{\"Code\":\"Success\",\"x\":{}", "{\"a\":".repeat(depth)).into_bytes(),
        11 => String::from_utf8_lossy(valid).encode_utf16().flat_map(u16::to_be_bytes).collect(),
        12 => one_of(rng, &["x", "\n", " ", "\u{1b}[2J", "1\n", "10.0.0.1\n", "02:00:00:00:00:01/\n", "\""])
            .repeat(wide)
            .into_bytes(),
        13 => credentials(rng),
        14 => [valid, valid].concat(),
        _ => text(rng, &[]).into_bytes(),
    }
}

const BOMB: &str = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"aaaaaaaaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
     <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d SYSTEM \"file:///etc/passwd\">]><l>&c;&c;&c;&d;</l>";

/// Puts something into a document after one of its first tags.
fn within(valid: &[u8], open: &str, close: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(valid);
    // After a list has begun, else after the root has.
    let at = ["Set>", "</requestId>"]
        .iter()
        .find_map(|end| Some(text.find(end)? + end.len()))
        .unwrap_or(text.len());
    format!("{}{open}{close}{}", &text[..at], &text[at..]).into_bytes()
}

/// Returns credentials as the metadata service gives them, one field of which is nonsense.
fn credentials(rng: &mut Rng) -> Vec<u8> {
    let strange = match rng.u8(0..8) {
        0 => "1e999999".to_owned(),
        1 => "9".repeat(5_000),
        2 => "\"\\ud800\\u0000\\u001b[2J\"".to_owned(),
        3 => "\"+99999-12-31T00:00:00Z\"".to_owned(),
        4 => "\"0000-00-00T99:99:99Z\"".to_owned(),
        5 => format!("\"{}\"", "9".repeat(3_000)),
        6 => "null".to_owned(),
        _ => serde_json::Value::from(text(rng, &[])).to_string(),
    };
    let fields =
        ["Code", "LastUpdated", "Type", "AccessKeyId", "SecretAccessKey", "Token", "Expiration", "More"];
    let usual = [
        "Success",
        "2024-01-01T00:00:00Z",
        "AWS-HMAC",
        "ASIAIOSFODNN7EXAMPLE",
        "s",
        "t",
        "2099-01-01T00:00:00Z",
        "",
    ];
    let odd = rng.usize(..fields.len());
    let lines = fields.iter().zip(usual).enumerate().map(|(index, (name, value))| {
        if index == odd { format!("\"{name}\": {strange}") } else { format!("\"{name}\": \"{value}\"") }
    });
    format!("{{{}}}", lines.collect::<Vec<_>>().join(", ")).into_bytes()
}
