//! blink-client
