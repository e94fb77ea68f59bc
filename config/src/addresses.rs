//! Addresses of services that people give in more than one way, read as they are meant.

use crate::problem::Problem;
use crate::setting::Setting;
use ringway_stages::services::Services;
use toml::Value;

/// A setting without what its engine puts behind the address by itself, and what is told of that.
pub(crate) fn base(mut setting: Setting) -> (Setting, Option<Problem>) {
    let plain = setting.key.rsplit('.').nth(1).unwrap_or_default();
    let Value::String(text) = &setting.value else { return (setting, None) };
    let endings = if setting.is_address() { behind(plain) } else { &[] };
    let address = text.trim_end_matches('/');
    let found = endings.iter().find_map(|ending| Some((address.strip_suffix(ending)?, ending)));
    let Some((base, ending)) = found else { return (setting, None) };
    let told = setting.problem(format!("{ending} at the end is left out: ringway adds the path by itself"));
    setting.value = Value::String(base.to_owned());
    (setting, Some(told))
}

/// What is often given with an address, by section. The longest stand first.
fn behind(section: &str) -> &'static [&'static str] {
    match section {
        "service" => &["/embeddings"],
        _ => Services::default().get(section).map_or(&[], |service| service.entry().paths),
    }
}
