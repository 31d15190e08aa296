//! Lists whose rows somebody ticks off: this was looked at. What was ticked off stays, with who did it and when.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gridwalk_model::Timestamp;
use gridwalk_model::policy::Role;
use serde::Deserialize;

use super::Console;
use super::failure::Failure;
use super::visitor::Visitor;
use crate::access::staff::note;
use crate::storage::WriteTx;

/// A form that is one button.
#[derive(Deserialize)]
pub(super) struct Button {
    pub(super) csrf: String,
}

/// A list whose rows are ticked off.
pub(super) struct Ticked {
    /// Its path.
    pub(super) list: &'static str,
    /// Who may.
    pub(super) by: &'static [Role],
    /// What the audit log calls it.
    pub(super) action: &'static str,
}

/// Ticks a row off and goes back to the list. `tick` says whether it stood open until now.
pub(super) async fn tick_off(
    console: Console,
    visitor: Visitor,
    Button { csrf }: Button,
    (ticked, no): (&'static Ticked, i64),
    tick: impl FnOnce(&mut dyn WriteTx, &Visitor, Timestamp) -> Result<bool, Failure> + Send + 'static,
) -> Result<Response, Failure> {
    visitor.may(&csrf, ticked.by)?;
    console
        .blocking(move |console| {
            let now = console.now();
            console.storage.update(|tx| {
                if tick(tx, &visitor, now)? {
                    note(tx, now, &visitor.person.id.to_string(), ticked.action, &no.to_string(), "")?;
                }
                Ok::<_, Failure>(())
            })
        })
        .await?;
    Ok((StatusCode::SEE_OTHER, [(LOCATION, ticked.list)]).into_response())
}
