use std::net::IpAddr;

/// Whether a `Host`, with or without a port, is this machine under a name that nobody else can give it.
pub fn is_loopback(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    let plain = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let address = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(inner) => inner.parse::<IpAddr>().ok().filter(IpAddr::is_ipv6),
        None => name.parse::<IpAddr>().ok().filter(IpAddr::is_ipv4),
    };
    let is_local = |address: IpAddr| address.to_canonical().is_loopback();
    plain == "localhost" || plain.ends_with(".localhost") || address.is_some_and(is_local)
}
