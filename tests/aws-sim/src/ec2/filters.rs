//! Filters of the Describe operations, and paging.

use eip::cloud::model::ApiError;

use super::xml::Content;

/// An operation's filters, each with the path of the value in an item of its response.
pub(crate) type FilterPaths = &'static [(&'static str, &'static str)];

/// One `Filter.N`: what it names must match one of the values.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

/// Checks that the operation supports every named filter.
///
/// # Errors
/// `InvalidParameterValue` for the first unsupported one.
pub(crate) fn check(filters: &[Filter], known: FilterPaths) -> Result<(), ApiError> {
    let unknown = filters.iter().find(|f| !known.iter().any(|(name, _)| f.name == *name));
    unknown.map_or(Ok(()), |f| Err(ApiError::value(format!("The filter '{}' is invalid", f.name))))
}

/// True if an item matches all of these filters that the operation supports.
pub(crate) fn keep(filters: &[Filter], known: FilterPaths, item: &Content) -> bool {
    filters.iter().all(|filter| {
        let path = known.iter().find(|(name, _)| filter.name == *name).map(|(_, path)| path);
        path.is_none_or(|path| filter.allows(&item.texts(path)))
    })
}

impl Filter {
    /// True if one of the values is a wanted one.
    pub(crate) fn allows(&self, have: &[String]) -> bool {
        self.values.iter().any(|wanted| have.contains(wanted))
    }
}

/// Cuts one page out of `all`; returns it with the token for the next one.
///
/// # Errors
/// `InvalidParameterValue` if the page size is not in 5..=1000 or the token was not issued by this simulator.
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
