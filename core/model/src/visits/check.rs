//! What a visit may hold, by its result.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::form::VisitForm;
use crate::checklist::{Answer, Outcome};
use crate::records::visit::VisitResult;
use crate::value::Value;

labels! {
    /// What is wrong with a visit.
    VisitFault {
        /// Somebody who was not met gave no answers.
        AnswersWithoutMeeting = "answers_without_meeting", "未见到本人，不应有走访内容", "Nobody was met, so there are no answers";
        /// Declining triggers nothing.
        RefusalTriggersNothing = "refusal_triggers_nothing", "婉拒即为完整结果，不触发任何后续事项", "A declined visit is complete and triggers nothing";
        /// An item of the form has no answer.
        Unanswered = "unanswered", "走访内容未填完", "Not everything is answered";
        /// An answer to something that the form does not ask.
        NotAsked = "not_asked", "填写了表中没有的内容", "An answer to something that is not asked";
        /// The next visit would be today or earlier.
        NextInPast = "next_in_past", "下次走访日期应晚于今天", "The next visit must be after today";
        /// The request or the service is empty.
        EmptyService = "empty_service", "请写明需求和服务内容", "State the request and the service";
        /// The service is not open, or belongs to somebody else.
        ServiceNotOpen = "service_not_open", "该服务事项不在办理中", "This service is not open";
        /// A follow-up that says nothing new.
        NoFollowUp = "no_follow_up", "请选择服务结果", "Choose what came of the service";
        /// No such form is known on this phone.
        UnknownForm = "unknown_form", "本机没有这张走访表", "This form is not on this phone";
        /// The task is another one, or is settled.
        TaskNotOpen = "task_not_open", "该任务不可由本次走访完成", "This visit cannot settle the task";
        /// The visit was made by somebody else, or is not one.
        NotOwnVisit = "not_own_visit", "只能撤销自己的走访", "Only one's own visit can be taken back";
    }
}

/// Checks a visit before it is recorded. Nothing but a meeting has answers, and then every item of the form has one
/// (not applicable is one). A declined visit asks for no services and agrees on no day.
///
/// # Errors
/// What is wrong, the first of it.
pub fn check_visit(
    result: &VisitResult,
    form: &VisitForm,
    answers: &BTreeMap<String, Answer>,
    services: usize,
    next_due: Option<Date>,
    today: Date,
) -> Result<(), VisitFault> {
    if *result == VisitResult::Refused && (services > 0 || next_due.is_some() || !answers.is_empty()) {
        return Err(VisitFault::RefusalTriggersNothing);
    }
    if *result != VisitResult::Met && (services > 0 || !answers.is_empty()) {
        return Err(VisitFault::AnswersWithoutMeeting);
    }
    if next_due.is_some_and(|day| day <= today) {
        return Err(VisitFault::NextInPast);
    }
    if *result != VisitResult::Met {
        return Ok(());
    }
    if answers.keys().any(|item| !form.asks(item)) {
        return Err(VisitFault::NotAsked);
    }
    let answered = |item: &str| answers.get(item).is_some_and(|answer| answer.outcome.is_some());
    if form.items.iter().all(|item| answered(&item.id)) { Ok(()) } else { Err(VisitFault::Unanswered) }
}

/// Whether the value of a visit's `result` says that it was declined.
pub fn is_refused(result: &Value) -> bool {
    result.as_text() == Some(VisitResult::Refused.word())
}

/// Whether a write to a visit would make something follow from it: an answer, or a day for the next one. What takes
/// such a thing out does not.
pub fn starts_something(key: &str, value: &Value) -> bool {
    let something = key == "next_due" || (key.starts_with("answers/") && !key.ends_with("/removed"));
    something && !value.is_null() && value.as_text() != Some("")
}

/// The items that need attention: what is shown at the next visit.
pub fn needs_attention(answers: &BTreeMap<String, Answer>) -> Vec<(String, Option<String>)> {
    let failed = answers.iter().filter(|(_, answer)| answer.outcome == Some(Outcome::Fail));
    failed.map(|(item, answer)| (item.clone(), answer.text.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::parse_date;

    fn answer(outcome: Outcome) -> Answer {
        Answer { outcome: Some(outcome), ..Answer::default() }
    }

    #[test]
    fn each_result_holds_what_it_may() {
        let form = VisitForm::starters().remove(0);
        let today = parse_date("2026-05-01").unwrap();
        let all: BTreeMap<String, Answer> =
            form.items.iter().map(|item| (item.id.clone(), answer(Outcome::NotApplicable))).collect();
        let check =
            |result: VisitResult, answers: &BTreeMap<String, Answer>, services, next: Option<&str>| {
                let next = next.map(|text| parse_date(text).unwrap());
                check_visit(&result, &form, answers, services, next, today)
            };
        let none = BTreeMap::new();
        assert_eq!(check(VisitResult::Met, &all, 2, Some("2026-05-02")), Ok(()));
        assert_eq!(check(VisitResult::Met, &all, 0, Some("2026-05-01")), Err(VisitFault::NextInPast));
        assert_eq!(check(VisitResult::Met, &none, 0, None), Err(VisitFault::Unanswered));
        for (services, next) in [(1, None), (0, Some("2026-05-02"))] {
            let refused = check(VisitResult::Refused, &none, services, next);
            assert_eq!(refused, Err(VisitFault::RefusalTriggersNothing));
        }
        assert_eq!(check(VisitResult::Refused, &none, 0, None), Ok(()), "complete as it is");
        assert_eq!(check(VisitResult::NotHome, &all, 0, None), Err(VisitFault::AnswersWithoutMeeting));
        assert_eq!(check(VisitResult::NotHome, &none, 0, Some("2026-05-02")), Ok(()));
        let mut more = all.clone();
        more.insert("opinion".into(), answer(Outcome::Fail));
        assert_eq!(check(VisitResult::Met, &more, 0, None), Err(VisitFault::NotAsked));
        let text = Some("缺降压药（虚构）".to_owned());
        more.insert("medicine".into(), Answer { text: text.clone(), ..answer(Outcome::Fail) });
        assert_eq!(needs_attention(&more), [("medicine".to_owned(), text), ("opinion".to_owned(), None)]);
    }
}
