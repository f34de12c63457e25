#![allow(clippy::unwrap_used, reason = "a failing test should stop where it fails")]

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;

use super::layer;
use crate::configuration::LogFormat;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_json_line_has_the_trace_id_of_the_root_span() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::registry().with(layer(LogFormat::Json, move || writer.clone()));
    tracing::subscriber::with_default(subscriber, || {
        let request = tracing::info_span!("request", trace_id = "4bf92f3577b34da6a3ce929d0e0e4736");
        request.in_scope(|| tracing::info_span!("statement").in_scope(|| tracing::warn!(rows = 3, "slow\nstatement")));
    });
    let written = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let mut written = written.lines();
    let line: Value = serde_json::from_str(written.next().unwrap()).unwrap();
    assert_eq!(
        line.pointer("/spans/0/trace_id").unwrap(),
        "4bf92f3577b34da6a3ce929d0e0e4736"
    );
    assert_eq!(line.pointer("/spans/1/name").unwrap(), "statement");
    assert_eq!(line.pointer("/message").unwrap(), "slow\nstatement");
    assert_eq!(line.pointer("/rows").unwrap(), 3);
    assert_eq!(line.pointer("/level").unwrap(), "WARN");
    assert_eq!(written.next(), None, "an event is one line");
}
