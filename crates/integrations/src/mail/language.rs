//! The languages that mails are written in.

/// Which language a mail is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, for everyone whose language is not here.
    English,
    /// German.
    German,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language for someone who prefers `tag`, a BCP 47 tag such as `de` or `de-AT`; English where there is none.
    #[must_use]
    pub fn of(tag: Option<&str>) -> Self {
        tag.and_then(|tag| tag.split(['-', '_']).next())
            .and_then(Self::parse)
            .unwrap_or(Self::English)
    }

    /// The language whose [`tag`](Self::tag) this is, in any case.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.tag().eq_ignore_ascii_case(tag))
    }

    /// Its BCP 47 tag, which is also the folder of its templates.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

#[cfg(test)]
mod tests;
