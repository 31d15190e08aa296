//! What an officer may do with an event, and doing it.
//!
//! An act is offered if the workflow's table opens it to one of the visitor's roles and the fold of the log with
//! such an entry would count it. It is done by the very same test inside the writing transaction: what does not
//! count is not written.

use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gridwalk_model::event::{Action, EventRules, LogEntry, Presence, Supervision, Verdict, fold, legal_next};
use gridwalk_model::policy::Role;
use gridwalk_model::{Fields, RecordId, Timestamp};
use serde::Deserialize;

use super::Console;
use super::event::{self, Case, Notice};
use super::failure::Failure;
use super::language::Lang;
use super::visitor::Visitor;
use super::wording;
use crate::audit::{self, Entry};
use crate::clock::Entropy;
use crate::edit::Edits;

/// Longest text of a form, in characters.
const TEXT_MAX: usize = 1_000;

/// What a form has to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Reason,
    Unit,
    Date,
    Result,
    Level,
    Note,
}

/// An act that the console knows how to do.
struct Act {
    action: Action,
    needs: &'static [Need],
    /// How the button looks: `go` for the usual next step, `stop` for one that ends or refuses, else empty.
    tone: &'static str,
    hint: (&'static str, &'static str),
}

const fn act(
    action: Action,
    needs: &'static [Need],
    tone: &'static str,
    hint: (&'static str, &'static str),
) -> Act {
    Act { action, needs, tone, hint }
}

/// In the order in which they are offered.
static ACTS: &[Act] = &[
    act(
        Action::Accept,
        &[],
        "go",
        ("由本单位首接负责，开始计时。", "Your unit takes the lead; the clock starts."),
    ),
    act(
        Action::Dispatch,
        &[Need::Unit, Need::Note],
        "go",
        ("交给下级单位处置。", "Send it to a unit to handle."),
    ),
    act(Action::HandleSelf, &[], "", ("由本单位自己处置。", "Your own unit handles it.")),
    act(Action::SignFor, &[], "go", ("确认本单位已收到并开始处置。", "Your unit has it and begins.")),
    act(
        Action::Rectify,
        &[Need::Result, Need::Reason],
        "go",
        ("说明处置结果；没有处置后照片时写明原因。", "Say what was done, and why there is no photo of it."),
    ),
    act(
        Action::Verify,
        &[Need::Reason],
        "go",
        ("现场核查后通过；说明是怎样核查的。", "Pass after a check on site; say how it was checked."),
    ),
    act(Action::Close, &[], "go", ("全部完成，结案。", "All done: close it.")),
    act(Action::Resume, &[], "go", ("恢复办理，重新计时。", "Take it up again; the clock runs.")),
    act(Action::CallbackFailed, &[], "", ("电话回访无人接听。", "The appellant could not be reached.")),
    act(
        Action::FailVerification,
        &[Need::Reason],
        "stop",
        ("没有整改到位，退回处置。", "Not put right: back to work."),
    ),
    act(
        Action::Rule,
        &[Need::Unit],
        "",
        ("裁定由哪个单位处置，不得再退。", "Decide whose it is, bindingly."),
    ),
    act(Action::Forward, &[Need::Unit, Need::Note], "", ("报送上一级。", "Pass it to the level above.")),
    act(
        Action::GrantExtension,
        &[Need::Date],
        "",
        ("同意延期到指定日期。", "Allow more time, until this day."),
    ),
    act(Action::DenyExtension, &[Need::Reason], "", ("不同意延期。", "Do not allow more time.")),
    act(Action::Supervise, &[Need::Level], "", ("督促承办单位尽快办理。", "Urge the unit in charge.")),
    act(
        Action::Suspend,
        &[Need::Reason, Need::Date],
        "",
        ("暂缓办理，到期复查。", "Put it aside until a day."),
    ),
    act(
        Action::Return,
        &[Need::Reason],
        "stop",
        ("不属于本单位职责，退回。", "Not your unit's: send it back."),
    ),
    act(
        Action::Reject,
        &[Need::Reason],
        "stop",
        ("不予受理，原因会告知诉求人。", "Not taken on; the reason is told."),
    ),
    act(
        Action::Reopen,
        &[Need::Reason],
        "stop",
        ("回头看发现问题，重新办理。", "The look-back failed: open again."),
    ),
    act(Action::Note, &[Need::Note], "", ("补充说明，不改变状态。", "Say something; changes nothing.")),
];

/// An act as the page offers it.
pub(super) struct Offer {
    pub(super) action: String,
    pub(super) label: String,
    pub(super) tone: &'static str,
    pub(super) hint: &'static str,
    pub(super) unit: bool,
    pub(super) reason: bool,
    pub(super) date: bool,
    pub(super) result: bool,
    pub(super) level: bool,
    pub(super) note: bool,
    /// Whether it can be done without saying anything more.
    pub(super) plain: bool,
}

/// Whether the visitor's roles act for a unit at all.
pub(super) fn acts_for_a_unit(visitor: &Visitor) -> bool {
    visitor.is(&[Role::GridLeader, Role::Dispatcher, Role::Handler])
}

/// What the visitor may do next.
pub(super) fn offers(case: &Case, visitor: &Visitor, rules: &EventRules, now: Timestamp) -> Vec<Offer> {
    let l = visitor.lang;
    ACTS.iter()
        .filter(|act| may(case, visitor, &act.action) && would_count(case, visitor, act, rules, now))
        .map(|act| {
            let needs = |need| act.needs.contains(&need);
            Offer {
                action: act.action.word().to_owned(),
                label: l.t(act.action.zh(), act.action.en()).to_owned(),
                tone: act.tone,
                hint: l.t(act.hint.0, act.hint.1),
                unit: needs(Need::Unit),
                reason: needs(Need::Reason),
                date: needs(Need::Date),
                result: needs(Need::Result),
                level: needs(Need::Level),
                note: needs(Need::Note),
                plain: act.needs.is_empty(),
            }
        })
        .collect()
}

/// Whether the table opens the act to one of the visitor's roles in the event's state.
fn may(case: &Case, visitor: &Visitor, action: &Action) -> bool {
    visitor.person.roles.iter().any(|role| legal_next(&case.folded, *role).contains(action))
}

/// Whether it would count if everything were filled in.
fn would_count(case: &Case, visitor: &Visitor, act: &Act, rules: &EventRules, now: Timestamp) -> bool {
    let filled = || Some("x".to_owned());
    let mut entry = blank(case, visitor, act.action.clone(), RecordId::from_bytes([0xff; 16]), now);
    entry.to_unit = Some(RecordId::from_bytes([0xff; 16]));
    entry.reason = filled();
    entry.internal_note = filled();
    entry.until = Some(now);
    entry.supervision = Some(Supervision::Yellow);
    judged(case, &entry, rules).is_ok()
}

/// An entry of the visitor behind everything that is in the log.
fn blank(case: &Case, visitor: &Visitor, action: Action, id: RecordId, now: Timestamp) -> LogEntry {
    let presence = (action == Action::Verify).then_some(Presence::Explained);
    LogEntry {
        unit: visitor.person.unit,
        received_at: Some(now),
        presence,
        ..LogEntry::new(id, case.last(), now, visitor.person.id, action)
    }
}

/// Folds the log with one more entry: whether it counts, else why not.
fn judged(case: &Case, entry: &LogEntry, rules: &EventRules) -> Result<(), Vec<gridwalk_model::event::Flag>> {
    let mut entries = case.entries.clone();
    entries.push(entry.clone());
    let folded = fold(&entries, rules);
    match folded.entries.into_iter().find(|judged| judged.id == entry.id) {
        Some(judged) if judged.verdict == Verdict::Applied => Ok(()),
        Some(judged) => Err(judged.flags),
        None => Err(Vec::new()),
    }
}

/// A filled-in form.
#[derive(Deserialize)]
pub(super) struct Filled {
    csrf: String,
    action: String,
    /// The last entry that the officer saw.
    #[serde(default)]
    seen: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    result: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    note: String,
}

/// Why an act was not done.
enum Undone {
    Failure(Failure),
    /// Somebody else was faster.
    Moved,
    /// A required field is empty.
    Missing,
    /// It does not count, for these reasons.
    Refused(Vec<gridwalk_model::event::Flag>),
}

impl<E: Into<Failure>> From<E> for Undone {
    fn from(error: E) -> Self {
        Self::Failure(error.into())
    }
}

/// Does an act, and goes back to the event with a confirmation.
pub(super) async fn perform(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(filled): Form<Filled>,
) -> Result<Response, Failure> {
    visitor.check(&filled.csrf)?;
    console
        .blocking(move |console| {
            let mut visitor = visitor;
            visitor.path = format!("/events/{id}");
            match write(console, &visitor, &id, &filled) {
                Ok(done) => {
                    let to = format!("/events/{id}?done={done}");
                    Ok((StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response())
                }
                Err(Undone::Failure(failure)) => Err(failure),
                Err(undone) => {
                    let notice = explain(&undone, visitor.lang);
                    let mut response = event::page(console, &visitor, &id, None, Some(notice))?;
                    *response.status_mut() = match undone {
                        Undone::Missing => StatusCode::UNPROCESSABLE_ENTITY,
                        _ => StatusCode::CONFLICT,
                    };
                    Ok(response)
                }
            }
        })
        .await
}

fn write(console: &Console, visitor: &Visitor, id: &str, filled: &Filled) -> Result<RecordId, Undone> {
    let action = Action::from_word(&filled.action);
    let act = ACTS.iter().find(|act| act.action == action).ok_or(Failure::BadForm)?;
    let now = console.now();
    let random = <dyn Entropy>::array(console.entropy.as_ref())?;
    let entry_id = RecordId::from_parts(now, random);
    let rules = console.rules.as_ref();
    console.storage.update(|tx| {
        let case = Case::read(&*tx, visitor, id, rules)?;
        if case.last().map(|last| last.to_string()).unwrap_or_default() != filled.seen {
            return Err(Undone::Moved);
        }
        if !may(&case, visitor, &action) {
            return Err(Undone::Refused(Vec::new()));
        }
        let entry = fill(blank(&case, visitor, action.clone(), entry_id, now), act, filled, now)?;
        judged(&case, &entry, rules).map_err(Undone::Refused)?;
        let (by, target) = (visitor.person.id.to_string(), case.head.id.to_string());
        let row =
            Entry { actor: &by, action: "event.act", target: &target, detail: action.word(), alarm: false };
        audit::append(tx, now, &row)?;
        let mut edits = Edits::begin(tx, now)?;
        edits.update(case.head.id, &Fields::from([(entry.key(), entry.to_value())]))?;
        edits.finish()?;
        Ok(entry_id)
    })
}

/// Puts what the form says into the entry.
fn fill(mut entry: LogEntry, act: &Act, filled: &Filled, now: Timestamp) -> Result<LogEntry, Undone> {
    let text = |text: &str| -> Option<String> {
        let text: String = text.trim().chars().take(TEXT_MAX).collect();
        (!text.is_empty()).then_some(text)
    };
    for need in act.needs {
        match need {
            Need::Reason => entry.reason = Some(text(&filled.reason).ok_or(Undone::Missing)?),
            Need::Unit => entry.to_unit = Some(filled.unit.parse().map_err(|_| Undone::Missing)?),
            Need::Date => {
                let until = wording::end_of_day(&filled.until).filter(|until| *until > now);
                entry.until = Some(until.ok_or(Undone::Missing)?);
            }
            Need::Result => entry.public_reply = Some(text(&filled.result).ok_or(Undone::Missing)?),
            Need::Level => {
                let level = Supervision::from_word(&filled.level);
                if matches!(level, Supervision::Other(_)) {
                    return Err(Undone::Missing);
                }
                entry.supervision = Some(level);
            }
            Need::Note => entry.internal_note = text(&filled.note),
        }
    }
    if entry.action == Action::Note && entry.internal_note.is_none() {
        return Err(Undone::Missing);
    }
    Ok(entry)
}

fn explain(undone: &Undone, l: Lang) -> Notice {
    let title = l.t("没有保存", "Nothing was saved").to_owned();
    let text = match undone {
        Undone::Moved => l
            .t(
                "您打开页面之后，这件事又有了新进展。请看过下面的最新情况后再操作。",
                "Something happened here since you opened the page. Look at it below, then decide again.",
            )
            .to_owned(),
        Undone::Missing => l
            .t("请填写必填的内容后再提交。", "Please fill in what is required, then submit again.")
            .to_owned(),
        Undone::Refused(flags) if !flags.is_empty() => {
            let words: Vec<&str> = flags.iter().map(|flag| l.t(flag.zh(), flag.en())).collect();
            words.join(l.t("；", "; "))
        }
        Undone::Refused(_) | Undone::Failure(_) => {
            l.t("现在不能进行这项操作。", "This cannot be done now.").to_owned()
        }
    };
    Notice { good: false, title, text }
}
