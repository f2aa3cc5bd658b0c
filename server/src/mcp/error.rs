//! Why agents are not served.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum McpError {
    #[error("the address of the server cannot be used: {0}")]
    Server(String),
    #[error("standard output is closed: {0}")]
    Output(#[from] std::io::Error),
}
