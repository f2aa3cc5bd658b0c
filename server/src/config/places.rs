//! Flags that name a place: read so that one that could never be met is refused at the start, and not found out by users.

use std::path::PathBuf;

use reqwest::Url;

/// An origin as browsers send it. Written as an address it is brought to that; what has more than that is refused.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is no origin such as https://app.example or http://localhost:5173");
    if text == "null" {
        return Ok(text.to_owned());
    }
    let url = Url::parse(text).map_err(|_| wrong())?;
    let is_more = !url.username().is_empty()
        || url.password().is_some()
        || !matches!(url.path(), "" | "/")
        || url.query().is_some()
        || url.fragment().is_some();
    let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('*'));
    if is_more || host.is_none() {
        return Err(wrong());
    }
    let origin = url.origin();
    // The pages of an app on a phone have a scheme of their own, which browsers send as it is.
    Ok(if origin.is_tuple() { origin.ascii_serialization() } else { text.trim_end_matches('/').to_owned() })
}

pub(super) fn folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_dir() { Ok(path) } else { Err(format!("{text:?} is no folder that can be read")) }
}

/// A root that can hold a text.
pub(super) fn root(text: &str) -> Result<String, String> {
    if text.is_empty() || text.starts_with("slate-yrs:") {
        return Err("a root has a name, which does not begin with slate-yrs:".to_owned());
    }
    Ok(text.to_owned())
}
