//! The statements that a request sends to the database, as its spans tell of them, and what the database remarks on them.
//!
//! A request is told apart by its trace: send it with a `traceparent` of its own ([`traceparent`]), then ask for
//! [`of_trace`] and [`notices_of_trace`].

use std::{
    collections::HashMap,
    sync::{Mutex, Once, PoisonError},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt as _},
    registry::{LookupSpan, Scope},
};

static RECORDED: Mutex<Option<HashMap<String, Record>>> = Mutex::new(None);

/// Where the driver tells of notices.
const NOTICES: &str = "sqlx::postgres::notice";

/// What is known of a trace, oldest first.
#[derive(Clone, Default)]
struct Record {
    statements: Vec<String>,
    notices: Vec<String>,
}

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
    record_of(trace_id).statements
}

/// The notices that the database sent in a trace so far, oldest first.
#[must_use]
pub fn notices_of_trace(trace_id: &str) -> Vec<String> {
    record_of(trace_id).notices
}

fn record_of(trace_id: &str) -> Record {
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
    message: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "trace_id" => self.trace = Some(value.to_owned()),
            "db.query.text" => self.statement = Some(value.to_owned()),
            "message" => self.message = Some(value.to_owned()),
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
        if let Some(trace) = trace_of(span.scope()) {
            keep(trace, |record| record.statements.push(statement));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != NOTICES {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if let Some(message) = fields.message
            && let Some(trace) = context.event_scope(event).and_then(trace_of)
        {
            keep(trace, |record| record.notices.push(message));
        }
    }
}

/// The trace that the innermost of these spans belongs to.
fn trace_of<S: for<'s> LookupSpan<'s>>(mut scope: Scope<'_, S>) -> Option<String> {
    scope.find_map(|span| span.extensions().get::<Trace>().map(|trace| trace.0.clone()))
}

fn keep(trace: String, what: impl FnOnce(&mut Record)) {
    let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
    what(recorded.get_or_insert_default().entry(trace).or_default());
}
