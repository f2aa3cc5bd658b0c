//! Presence and selections of the peers: y-protocols' awareness, with clocks and expiry.
