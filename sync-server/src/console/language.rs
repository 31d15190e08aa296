//! Which language a page is in: what the visitor chose, else what the browser asks for, else Chinese.

use std::convert::Infallible;
use std::fmt;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Console;
use super::visitor::cookie;

const COOKIE: &str = "gridwalk_lang";
const YEAR_S: u32 = 365 * 24 * 60 * 60;

/// A language of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lang {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The text in this language.
    pub(super) fn t<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    /// For `<html lang>`.
    pub(super) fn tag(&self) -> &'static str {
        self.t("zh-CN", "en")
    }

    /// The word for the other language, as the cookie and the path of the switch write it.
    pub(super) fn other(&self) -> &'static str {
        self.t("en", "zh")
    }

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "zh" => Some(Self::Zh),
            "en" => Some(Self::En),
            _ => None,
        }
    }

    /// The language of a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let chosen = cookie(headers, COOKIE).and_then(Self::from_word);
        chosen.unwrap_or_else(|| {
            let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
            asked.map_or(Self::Zh, preferred)
        })
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.t("zh", "en"))
    }
}

/// The first of our languages that the browser's list names.
fn preferred(asked: &str) -> Lang {
    let mut best = (0.0, Lang::Zh);
    for part in asked.split(',') {
        let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
        let weight = rest.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>).unwrap_or(0.0);
        let tag = tag.trim().to_ascii_lowercase();
        let primary = tag.split('-').next().unwrap_or_default();
        if let Some(lang) = Lang::from_word(primary)
            && weight > best.0
        {
            best = (weight, lang);
        }
    }
    best.1
}

impl<S: Sync> FromRequestParts<S> for Lang {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// Where to go after the switch.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// Remembers the choice and goes back. It changes nothing but the visitor's own cookie, so it may be a link.
pub(super) async fn switch(
    State(console): State<Console>,
    Path(lang): Path<String>,
    Query(Back { back }): Query<Back>,
) -> Response {
    let lang = Lang::from_word(&lang).unwrap_or_default();
    let secure = if console.https { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={lang}; Path=/; Max-Age={YEAR_S}; HttpOnly; SameSite=Strict{secure}");
    let back = local_path(&back).unwrap_or("/").to_owned();
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (header::LOCATION, back)]).into_response()
}

/// A path of this site, or nothing: a link must not lead elsewhere. `//host` and `/\host` are other sites.
pub(super) fn local_path(path: &str) -> Option<&str> {
    let mut bytes = path.bytes();
    let local = bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\'));
    let plain = path.len() <= 300 && path.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    (local && plain).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_unless_the_browser_prefers_english() {
        for (asked, lang) in [
            ("", Lang::Zh),
            ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
            ("en-GB,en;q=0.9", Lang::En),
            ("fr, en;q=0.3, zh;q=0.7", Lang::Zh),
            ("de", Lang::Zh),
            ("en;q=x", Lang::Zh),
        ] {
            assert_eq!(preferred(asked), lang, "{asked}");
        }
    }

    #[test]
    fn the_switch_leads_nowhere_else() {
        for path in ["/", "/events?state=new&before=3", "/events/0192"] {
            assert_eq!(local_path(path), Some(path));
        }
        for path in
            ["", "events", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y", "/网"]
        {
            assert_eq!(local_path(path), None, "{path}");
        }
    }
}
