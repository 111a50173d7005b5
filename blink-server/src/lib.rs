//! blink-server
