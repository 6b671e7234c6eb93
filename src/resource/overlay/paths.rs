//! Where the route tables lead an address.

use std::fmt;

use serde_json::{Value, json};

use crate::base::ids::{InterfaceId, RouteTableId};
use crate::cloud::{Route, RouteTable};
use crate::resource::kind::{Holder, Owner};

/// Number of tables that a message names.
const NAMED: usize = 3;

/// Where each route table leads the address: the equivalent of a holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths(Vec<(RouteTableId, Path)>);

/// Where one route table leads the address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Path {
    /// To the interface of this node.
    Here(Route),
    /// To another target, of this or another node.
    Away(Route),
    /// There is no route for the address.
    Missing,
}

impl Paths {
    /// The paths from the point of view of the node with this interface; `None` for a machine that is none of the nodes. Only the
    /// interface id identifies a node: EC2 leaves out the instance id across accounts.
    pub(super) fn of(tables: &[RouteTable], ours: Option<&InterfaceId>) -> Self {
        let path = |table: &RouteTable| match &table.route {
            Some(route) if ours.is_some() && route.interface.as_ref() == ours => Path::Here(route.clone()),
            Some(route) => Path::Away(route.clone()),
            None => Path::Missing,
        };
        Self(tables.iter().map(|table| (table.id.clone(), path(table))).collect())
    }

    /// Adds those of these tables that EC2 does not show.
    pub(super) fn with_missing(mut self, tables: &[RouteTableId]) -> Self {
        for table in tables {
            if !self.0.iter().any(|(shown, _)| shown == table) {
                self.0.push((table.clone(), Path::Missing));
            }
        }
        self
    }

    /// Drops the tables that no start could fix.
    pub(super) fn curable(mut self) -> Self {
        self.0.retain(|(_, path)| path.is_curable());
        self
    }

    /// Limited to these tables.
    pub(super) fn only(&self, tables: &[RouteTableId]) -> Self {
        Self(self.0.iter().filter(|(table, _)| tables.contains(table)).cloned().collect())
    }

    /// The tables that lead the address elsewhere.
    pub(super) fn away(&self) -> Vec<RouteTableId> {
        let away = self.0.iter().filter(|(_, path)| matches!(path, Path::Away(_)));
        away.map(|(table, _)| table.clone()).collect()
    }

    /// The tables that no start could fix: without a route, or with one that no call can replace.
    pub(super) fn incurable(&self) -> impl Iterator<Item = (&RouteTableId, Option<&Route>)> {
        let incurable = self.0.iter().filter(|(_, path)| !path.is_curable());
        incurable.map(|(table, path)| (table, path.route()))
    }

    /// Whether any table counts.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The holder from the point of view of this node, which holds the address only if every table leads here.
    pub(super) fn owner(self) -> Owner<Self> {
        let here = self.0.iter().filter(|(_, path)| path.is_here()).count();
        match (here, self.0.len(), self.away().len()) {
            (_, 0, _) => Owner::Unassigned,
            (here, all, _) if here == all => Owner::Ours(self),
            (0, _, 0) => Owner::Unassigned,
            _ => Owner::Elsewhere(self),
        }
    }

    /// The targets other than this node, each with its tables.
    pub(super) fn elsewhere(&self) -> String {
        self.targets(|path| !path.is_here())
    }

    fn targets(&self, wanted: impl Fn(&Path) -> bool) -> String {
        let mut targets: Vec<(&str, Vec<&str>)> = Vec::new();
        for (table, path) in self.0.iter().filter(|(_, path)| wanted(path)) {
            let target = path.route().map_or("no route", |route| route.target.as_str());
            match targets.iter_mut().find(|(known, _)| *known == target) {
                Some((_, tables)) => tables.push(table.as_str()),
                None => targets.push((target, vec![table.as_str()])),
            }
        }
        let parts = targets.iter().map(|(target, tables)| {
            let more = tables.len().saturating_sub(NAMED);
            let named = tables.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            if more > 0 {
                format!("{target} ({named} and {more} more)")
            } else {
                format!("{target} ({named})")
            }
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

impl Path {
    fn is_here(&self) -> bool {
        matches!(self, Self::Here(_))
    }

    /// Whether a start could make it lead here, or it does.
    fn is_curable(&self) -> bool {
        match self {
            Self::Here(_) => true,
            Self::Away(route) => route.is_replaceable(),
            Self::Missing => false,
        }
    }

    fn route(&self) -> Option<&Route> {
        match self {
            Self::Here(route) | Self::Away(route) => Some(route),
            Self::Missing => None,
        }
    }
}

impl fmt::Display for Paths {
    /// The number of tables that lead here and those without a route; the targets if some lead elsewhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let here: Vec<_> = self.0.iter().filter(|(_, path)| path.is_here()).collect();
        let rest = self.elsewhere();
        match here.as_slice() {
            [] => return f.write_str(&rest),
            _ if !self.away().is_empty() => return f.write_str(&rest),
            [(table, _)] => table.fmt(f)?,
            all => write!(f, "{} route tables", all.len())?,
        }
        if rest.is_empty() { Ok(()) } else { write!(f, "; {rest}") }
    }
}

impl Holder for Paths {
    fn mark(&self) -> String {
        self.marks().join(",")
    }

    fn marks(&self) -> Vec<String> {
        let mark = |(table, path): &(RouteTableId, Path)| match path {
            Path::Here(_) => None,
            Path::Away(route) => Some(format!("{table} {}", route.target)),
            Path::Missing => Some(table.to_string()),
        };
        self.0.iter().filter_map(mark).collect()
    }

    fn is_partly_here(&self) -> bool {
        self.0.iter().any(|(_, path)| path.is_here())
    }

    fn described(&self) -> String {
        self.to_string()
    }

    fn carrier(&self) -> String {
        self.targets(|_| true)
    }

    fn parts(&self) -> Vec<(String, String)> {
        let part = |(table, path): &(RouteTableId, Path)| {
            let leads =
                path.route().map_or_else(|| "no route, or no such table".to_owned(), Route::to_string);
            let here = if path.is_here() { ", this node" } else { "" };
            (table.to_string(), format!("{leads}{here}"))
        };
        self.0.iter().map(part).collect()
    }

    fn document(&self) -> Value {
        let table = |(table, path): &(RouteTableId, Path)| {
            let route = path.route();
            json!({
                "table": table,
                "target": route.map(|route| &route.target),
                "interface": route.and_then(|route| route.interface.as_ref()),
                "instance": route.and_then(|route| route.instance.as_ref()),
                "state": route.map(|route| if route.blackhole { "blackhole" } else { "active" }),
                "here": path.is_here(),
            })
        };
        json!({ "tables": self.0.iter().map(table).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Route;

    fn table(number: u8, target: Option<&str>) -> RouteTable {
        let route = target.map(|target| Route {
            interface: target.parse().ok().filter(|_| target.starts_with("eni-")),
            instance: None,
            target: target.to_owned(),
            blackhole: false,
            origin: "CreateRoute".to_owned(),
        });
        RouteTable { id: format!("rtb-{number}").parse().unwrap(), vpc: None, route }
    }

    fn paths(targets: &[Option<&str>]) -> Paths {
        let tables: Vec<_> = (1..).zip(targets).map(|(number, target)| table(number, *target)).collect();
        Paths::of(&tables, "eni-1".parse().ok().as_ref())
    }

    /// [overlay-1]
    #[test]
    fn only_all_tables_together_are_ours() {
        let (ours, peer, gateway) = (Some("eni-1"), Some("eni-2"), Some("tgw-1"));
        assert!(matches!(paths(&[ours, ours]).owner(), Owner::Ours(_)));
        for partly in [[ours, peer], [ours, None]] {
            assert!(matches!(paths(&partly).owner(), Owner::Elsewhere(held) if held.is_partly_here()));
        }
        for elsewhere in [[peer, gateway], [peer, None]] {
            assert!(matches!(paths(&elsewhere).owner(), Owner::Elsewhere(held) if !held.is_partly_here()));
        }
        assert!(matches!(paths(&[None, None]).owner(), Owner::Unassigned));
        assert!(matches!(paths(&[]).owner(), Owner::Unassigned));
    }

    #[test]
    fn a_line_names_the_holders_and_a_few_of_their_tables() {
        let (ours, peer) = (Some("eni-1"), Some("eni-2"));
        assert_eq!(paths(&[ours]).to_string(), "rtb-1");
        assert_eq!(paths(&[ours, ours]).to_string(), "2 route tables");
        assert_eq!(paths(&[peer, ours, None]).to_string(), "eni-2 (rtb-1), no route (rtb-3)");
        assert_eq!(paths(&[ours, None, ours]).to_string(), "2 route tables; no route (rtb-2)");
        assert_eq!(paths(&[peer; 5]).to_string(), "eni-2 (rtb-1, rtb-2, rtb-3 and 2 more)");
    }

    #[test]
    fn marks_distinguish_each_foreign_route() {
        let (ours, peer, gateway) = (Some("eni-1"), Some("eni-2"), Some("tgw-1"));
        assert_eq!(paths(&[ours, peer, None]).marks(), ["rtb-2 eni-2", "rtb-3"]);
        assert_ne!(paths(&[peer]).mark(), paths(&[gateway]).mark());
    }
}
