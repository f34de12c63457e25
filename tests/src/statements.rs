//! The statements that a request sends to the database, as its spans tell of them.
//!
//! A request is told apart by its trace: send it with a `traceparent` of its own ([`traceparent`]), then ask for
//! [`of_trace`].

use std::{
    collections::HashMap,
    sync::{Mutex, Once, PoisonError},
};

use tracing::{
    Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, Registry, layer::Context, layer::SubscriberExt as _, registry::LookupSpan};

static RECORDED: Mutex<Option<HashMap<String, Vec<String>>>> = Mutex::new(None);

/// Begins to record, for the whole process; done by every [`TestApp`](crate::app::TestApp).
pub fn record() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = Registry::default().with(Recorder);
        // A test binary that has a subscriber of its own records nothing, and a test that counts then fails.
        let _ = tracing::subscriber::set_global_default(subscriber);
    });
}

/// A `traceparent` header for a trace id.
#[must_use]
pub fn traceparent(trace_id: &str) -> String {
    format!("00-{trace_id}-00f067aa0ba902b7-01")
}

/// The statements of a trace so far, oldest first.
#[must_use]
pub fn of_trace(trace_id: &str) -> Vec<String> {
    let recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    recorded
        .as_ref()
        .and_then(|traces| traces.get(trace_id))
        .cloned()
        .unwrap_or_default()
}

struct Recorder;

struct Trace(String);

#[derive(Default)]
struct Fields {
    trace: Option<String>,
    statement: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "trace_id" => self.trace = Some(value.to_owned()),
            "db.query.text" => self.statement = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let Some(span) = context.span(id) else { return };
        if let Some(trace) = fields.trace {
            span.extensions_mut().insert(Trace(trace));
        }
        let Some(statement) = fields.statement else { return };
        let trace = span
            .scope()
            .find_map(|span| span.extensions().get::<Trace>().map(|trace| trace.0.clone()));
        if let Some(trace) = trace {
            let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
            recorded
                .get_or_insert_default()
                .entry(trace)
                .or_default()
                .push(statement);
        }
    }
}
