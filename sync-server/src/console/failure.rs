//! What goes wrong in the console, in words that say what to do.

use askama::Template;
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Console;
use super::language::Lang;
use super::shell::{Shell, render};
use crate::access::AccessError;
use crate::clock::EntropyError;
use crate::edit::EditError;
use crate::storage::StorageError;

/// Why a page is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody is signed in, or not any more.
    #[error("not signed in")]
    NotSignedIn,
    /// There is no such thing, or the visitor may not know of it.
    #[error("not found")]
    NotFound,
    /// The visitor's roles do not open this screen.
    #[error("not open to this role")]
    NotOpen,
    /// The form is from an earlier session.
    #[error("form of another session")]
    StaleForm,
    /// The form is not from this site.
    #[error("form of another site")]
    OtherSite,
    /// The form lacks something that a browser would not have let through.
    #[error("form is incomplete")]
    BadForm,
    /// There is no area with this code.
    #[error("no such area")]
    NoSuchArea,
    /// Nobody would be left who looks after people.
    #[error("the last administrator")]
    LastAdministrator,
    /// Too many sign-ins at once.
    #[error("too busy")]
    Busy,
    /// The store is full: nothing is written, so nothing personal is shown.
    #[error("storage is full")]
    Full,
    /// Something broke.
    #[error("internal error")]
    Internal,
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        tracing::warn!(%error, "console: store");
        match error {
            StorageError::Full => Self::Full,
            StorageError::Busy => Self::Busy,
            _ => Self::Internal,
        }
    }
}

impl From<EntropyError> for Failure {
    fn from(_: EntropyError) -> Self {
        Self::Internal
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NotFound => Self::NotFound,
            EditError::Storage(error) => error.into(),
            EditError::Forbidden { .. } => Self::BadForm,
            EditError::UnknownKind | EditError::Document(_) => {
                tracing::warn!(%error, "console: edit");
                Self::Internal
            }
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotFound => Self::NotFound,
            AccessError::BadAccount(_) | AccessError::BadKey | AccessError::OtherKey => Self::BadForm,
            AccessError::LastAdministrator => Self::LastAdministrator,
            AccessError::Locked { .. } => Self::Busy,
            AccessError::Entropy(_) => Self::Internal,
            AccessError::Edit(error) => error.into(),
            AccessError::Storage(error) => error.into(),
        }
    }
}

impl IntoResponse for Failure {
    /// Leaves the failure for [`super::headers::finish`], which knows the language.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl Failure {
    const fn status(self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::SEE_OTHER,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotOpen | Self::StaleForm | Self::OtherSite => StatusCode::FORBIDDEN,
            Self::BadForm | Self::NoSuchArea | Self::LastAdministrator => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What happened and what to do, in Chinese and English.
    const fn words(self) -> [(&'static str, &'static str); 2] {
        match self {
            Self::NotSignedIn => [("请登录", "Please sign in"), ("", "")],
            Self::NotFound => [
                ("没有找到", "Not found"),
                ("内容不存在，或不在您的负责范围内。", "It does not exist, or is outside your area."),
            ],
            Self::NotOpen => [
                ("您的岗位不能查看此页", "Your role does not open this page"),
                ("如工作需要，请联系管理员。", "Ask an administrator if you need it for your work."),
            ],
            Self::StaleForm => [
                ("页面已过期，没有保存", "The page was too old; nothing was saved"),
                ("请返回并刷新页面，再操作一次。", "Go back, reload the page, and try again."),
            ],
            Self::OtherSite => [
                ("请求来自其他网站，没有执行", "The request came from another site; nothing was done"),
                ("请直接在本系统页面中操作。", "Please work on this system's own pages."),
            ],
            Self::BadForm => [
                ("内容不完整，没有保存", "Something is missing; nothing was saved"),
                ("请返回，填写必填项后再提交。", "Go back, fill in what is required, and submit again."),
            ],
            Self::NoSuchArea => [
                ("没有这个网格，没有保存", "There is no such grid; nothing was saved"),
                (
                    "请返回，从列表中选择网格，或核对编号。",
                    "Go back and choose a grid from the list, or check its code.",
                ),
            ],
            Self::LastAdministrator => [
                ("这是最后一位管理员，没有保存", "This is the last administrator; nothing was saved"),
                (
                    "请先让另一人担任管理员，再作调整。",
                    "Make somebody else an administrator first, then try again.",
                ),
            ],
            Self::Busy => [
                ("现在使用的人较多", "The system is busy"),
                ("请稍等几秒再试。", "Please try again in a few seconds."),
            ],
            Self::Full => [
                ("服务器存储空间已满", "The server's storage is full"),
                (
                    "暂时无法写入查看记录，因此不能显示个人信息。请通知运维人员。",
                    "Views cannot be written down, so personal data is not shown. Please tell the operator.",
                ),
            ],
            Self::Internal => [
                ("系统出错", "Something went wrong"),
                (
                    "数据没有改变。请稍后再试；若仍出错，请通知运维人员。",
                    "Nothing was changed. Try again later; if it fails again, tell the operator.",
                ),
            ],
        }
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    shell: Shell,
    title: &'static str,
    advice: &'static str,
}

/// The page for a failure; for whoever is not signed in, the way to the sign-in.
pub(super) fn page(console: &Console, failure: Failure, lang: Lang) -> Response {
    if failure == Failure::NotSignedIn {
        return (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response();
    }
    let [(zh, en), (advice_zh, advice_en)] = failure.words();
    let shell = Shell::signed_out(console, lang, "/", lang.t(zh, en));
    let mut response =
        render(&FailurePage { shell, title: lang.t(zh, en), advice: lang.t(advice_zh, advice_en) });
    *response.status_mut() = failure.status();
    if failure == Failure::Busy {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
