//! The parameters of a Query API request.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::filters::Filter;
use eip::cloud::model::ApiError;

/// Parameters by name, `Name.N` lists as separate names.
#[derive(Clone, Debug, Default)]
pub(crate) struct QueryParams(BTreeMap<String, String>);

impl QueryParams {
    /// Parses an `application/x-www-form-urlencoded` text.
    pub(crate) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).map(|(k, v)| (k.into(), v.into())).collect())
    }

    /// Value of a parameter; an empty one counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Value of a parameter that the operation requires.
    pub(crate) fn need(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| {
            ApiError::client("MissingParameter", format!("The request must contain the parameter {name}"))
        })
    }

    /// The elements of the list `name`, in the order of their numbers.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let mut elements: Vec<(u32, &str)> = self
            .0
            .iter()
            .filter_map(|(key, value)| {
                let number = key.strip_prefix(name)?.strip_prefix('.')?.parse().ok()?;
                Some((number, value.as_str()))
            })
            .collect();
        elements.sort_unstable();
        elements.into_iter().map(|(_, value)| value).collect()
    }

    /// A boolean parameter; `None` if it is absent.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::value(format!(
                "Invalid value '{other}' for {name}. Value should be either 'true' or 'false'"
            ))),
        }
    }

    /// A count; `None` if the parameter is absent.
    pub(crate) fn count(&self, name: &str) -> Result<Option<usize>, ApiError> {
        let wrong = |text| ApiError::value(format!("Value ({text}) for parameter {name} is invalid."));
        self.get(name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    }

    /// A private address; `None` if the parameter is absent.
    pub(crate) fn private_ip(&self, name: &str) -> Result<Option<Ipv4Addr>, ApiError> {
        self.get(name).map(private_ip).transpose()
    }

    /// The filters, in the order of their numbers.
    pub(crate) fn filters(&self) -> Vec<Filter> {
        let mut numbers: Vec<u32> = self
            .0
            .keys()
            .filter_map(|key| key.strip_prefix("Filter.")?.strip_suffix(".Name")?.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers
            .into_iter()
            .map(|n| Filter {
                name: self.get(&format!("Filter.{n}.Name")).unwrap_or_default().to_owned(),
                values: self.list(&format!("Filter.{n}.Value")).into_iter().map(str::to_owned).collect(),
            })
            .collect()
    }

    /// True if the request names objects, requests a page or has filters.
    pub(crate) fn narrows(&self) -> bool {
        self.0.keys().any(|key| {
            key == "MaxResults" || ["Filter.", "NetworkInterfaceId."].iter().any(|p| key.starts_with(p))
        })
    }

    /// The parameters, for the log.
    pub(crate) fn logged(&self) -> BTreeMap<String, String> {
        self.0
            .iter()
            .filter(|(k, _)| !matches!(k.as_str(), "Action" | "Version"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }
}

/// Parses a private address.
pub(super) fn private_ip(text: &str) -> Result<Ipv4Addr, ApiError> {
    text.parse().map_err(|_| ApiError::value(format!("Invalid IPv4 address: {text}")))
}
