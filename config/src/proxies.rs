//! Variables that name proxies: what in them cannot be used is told, and keeps nothing from starting.

use crate::environment::{Said, Variables, problem};
use ringway_stages::services::Proxies;

pub(crate) fn read(variables: &Variables) -> Said {
    let proxies = Proxies::read(|name| variables.get(name).cloned());
    let ignored = |reason| format!("ignored: {reason}");
    let warnings = proxies.unusable().iter().map(|it| problem(it.variable, "", ignored(it.reason))).collect();
    Said { warnings, ..Said::default() }
}
