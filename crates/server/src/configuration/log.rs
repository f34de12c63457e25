//! What is logged, and how.

use tracing_subscriber::EnvFilter;

use super::{Purpose, reader::Reader, setting::Setting};

const FILTER: Setting = Setting::plain(
    "TENANTRY_LOG",
    "a filter such as `info` or `warn,tenantry_api=debug` (the directives of tracing's EnvFilter)",
)
.or("info");

const FORMAT: Setting = Setting::plain(
    "TENANTRY_LOG_FORMAT",
    "`json` or `pretty`; when not set, `pretty` in dev and `json` elsewhere",
);

/// The settings of this section.
pub(super) const SETTINGS: &[&Setting] = &[&FILTER, &FORMAT];

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `TENANTRY_LOG`, directives that parse.
    pub filter: String,
    /// `TENANTRY_LOG_FORMAT`.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// An object a line, for programs.
    Json,
    /// For people at a terminal.
    Pretty,
}

impl Log {
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let filter = reader.value(&FILTER, |text| {
            EnvFilter::try_new(text).is_ok().then(|| text.to_owned())
        });
        let format = reader.optional(&FORMAT, |text| match text {
            "json" => Some(LogFormat::Json),
            "pretty" => Some(LogFormat::Pretty),
            _ => None,
        });
        let usual = if reader.purpose() == Purpose::Dev {
            LogFormat::Pretty
        } else {
            LogFormat::Json
        };
        Some(Self {
            filter: filter?,
            format: format?.unwrap_or(usual),
        })
    }
}
