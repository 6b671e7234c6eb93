//! Filters of the Describe operations, and paging.

use crate::error::ApiError;

/// One `Filter.N`: what it names must match one of the values.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

/// Checks that the operation has every filter named.
///
/// # Errors
/// `InvalidParameterValue` for the first that it has not.
pub(crate) fn check(filters: &[Filter], known: &[&str]) -> Result<(), ApiError> {
    let unknown = filters.iter().find(|f| !known.contains(&f.name.as_str()) && !f.name.starts_with("tag:"));
    unknown.map_or(Ok(()), |f| Err(ApiError::value(format!("The filter '{}' is invalid", f.name))))
}

/// Tells whether something matches all filters; `field` returns what it has under a filter's name.
pub(crate) fn keep(filters: &[Filter], field: impl Fn(&str) -> Vec<String>) -> bool {
    filters.iter().all(|filter| {
        let have = field(&filter.name);
        filter.values.iter().any(|wanted| have.iter().any(|text| glob(wanted.as_bytes(), text.as_bytes())))
    })
}

/// Matches `*` (any characters), `?` (one character) and `\` before either of them; case matters.
///
/// # Source
/// Amazon EC2 User Guide, "List and filter using the CLI and API".
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => {
            (0..=text.len()).any(|from| text.get(from..).is_some_and(|text| glob(rest, text)))
        }
        [b'?', rest @ ..] => text.split_first().is_some_and(|(_, text)| glob(rest, text)),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => {
            text.split_first().is_some_and(|(first, text)| first == literal && glob(rest, text))
        }
    }
}

/// Cuts one page out of `all`; returns it with the token for the next.
///
/// # Errors
/// `InvalidParameterValue` for a page size out of 5..=1000 or a token this simulator did not make.
pub(crate) fn page<T>(
    all: Vec<T>,
    size: Option<usize>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), ApiError> {
    if let Some(size) = size.filter(|size| !(5..=1000).contains(size)) {
        let message = format!(
            "Value ( {size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000."
        );
        return Err(ApiError::value(message));
    }
    let from = match token {
        None => 0,
        Some(token) => token
            .strip_prefix("page-")
            .and_then(|from| from.parse().ok())
            .ok_or_else(|| ApiError::client("InvalidNextToken", "The token is not valid"))?,
    };
    let end = size.map_or(all.len(), |size| all.len().min(from + size));
    let next = (end < all.len()).then(|| format!("page-{end}"));
    Ok((all.into_iter().take(end).skip(from).collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_ec2_documents() {
        let matches = |pattern: &str, text: &str| glob(pattern.as_bytes(), text.as_bytes());
        assert!(matches("203.0.*", "203.0.113.7"));
        assert!(matches("?03.0.113.7", "203.0.113.7"));
        assert!(!matches("203.0.113", "203.0.113.7"));
        assert!(matches(r"a\*b", "a*b") && !matches(r"a\*b", "axb"));
        assert!(!matches("ABC", "abc"));
    }

    #[test]
    fn pages_follow_each_other_without_gap() -> Result<(), ApiError> {
        let (first, token) = page((0..12).collect(), Some(5), None)?;
        let (second, token) = page((0..12).collect(), Some(5), token.as_deref())?;
        let (third, token) = page((0..12).collect(), Some(5), token.as_deref())?;
        assert_eq!([first, second, third].concat(), (0..12).collect::<Vec<_>>());
        assert_eq!(token, None);
        assert!(page(vec![1], Some(4), None).is_err());
        Ok(())
    }
}
