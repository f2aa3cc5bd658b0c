//! IO in the browser.
