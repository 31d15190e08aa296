//! What is asked on a visit: a list of things that are as they should be, or need somebody's attention.

use serde_json::Value as Json;

use crate::records::visit::VisitPurpose;

/// The forms that a new deployment starts with: `schemas/visits/forms.json`.
pub const STARTER_FORMS: &str = include_str!("../../../../schemas/visits/forms.json");

/// One thing that is looked at. It is answered with pass, fail (needs attention) or not applicable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitItem {
    /// Its name among the answers.
    pub id: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// One version of a form. A change makes a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitForm {
    /// What stays the same over all versions.
    pub code: String,
    /// Number of the version.
    pub version: i64,
    /// What for.
    pub purpose: VisitPurpose,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// The items in their order.
    pub items: Vec<VisitItem>,
}

/// Forms that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("visit form number {form} cannot be read")]
pub struct FormError {
    /// Number of the form in the file, from 1; 0 if the file is no list.
    pub form: usize,
}

impl VisitForm {
    /// The version as a visit names it: `care_visit@1`.
    pub fn name(&self) -> String {
        format!("{}@{}", self.code, self.version)
    }

    /// The code of the form for a purpose.
    pub fn code_for(purpose: &VisitPurpose) -> &'static str {
        match purpose {
            VisitPurpose::Care => "care_visit",
            VisitPurpose::Welcome => "welcome_visit",
            _ => "household_visit",
        }
    }

    /// Whether it has the item.
    pub fn asks(&self, item: &str) -> bool {
        self.items.iter().any(|own| own.id == item)
    }

    /// Reads a file of forms.
    ///
    /// # Errors
    /// The first form that cannot be read, has no items, or has one twice.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, FormError> {
        let json: Json = serde_json::from_str(text).map_err(|_| FormError { form: 0 })?;
        let forms = json.as_array().ok_or(FormError { form: 0 })?;
        forms
            .iter()
            .enumerate()
            .map(|(index, form)| read_form(form).ok_or(FormError { form: index + 1 }))
            .collect()
    }

    /// The forms of [`STARTER_FORMS`].
    pub fn starters() -> Vec<Self> {
        Self::parse_all(STARTER_FORMS).unwrap_or_default()
    }
}

fn text(json: &Json, key: &str) -> Option<String> {
    json.get(key)?.as_str().map(str::to_owned).filter(|text| !text.trim().is_empty())
}

fn read_form(json: &Json) -> Option<VisitForm> {
    let items = json.get("items")?.as_array()?.iter();
    let items: Vec<VisitItem> = items
        .map(|item| Some(VisitItem { id: text(item, "id")?, zh: text(item, "zh")?, en: text(item, "en")? }))
        .collect::<Option<_>>()?;
    let twice = items.iter().enumerate().any(|(at, item)| items.iter().skip(at + 1).any(|o| o.id == item.id));
    if items.is_empty() || twice {
        return None;
    }
    Some(VisitForm {
        code: text(json, "code")?,
        version: json.get("version")?.as_i64()?,
        purpose: VisitPurpose::from_word(&text(json, "purpose")?),
        zh: text(json, "zh")?,
        en: text(json, "en")?,
        items,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_starters_can_be_read_in_both_languages() {
        let forms = VisitForm::parse_all(STARTER_FORMS).unwrap();
        assert_eq!(
            forms.iter().map(VisitForm::name).collect::<Vec<_>>(),
            ["care_visit@1", "household_visit@1", "welcome_visit@1"]
        );
        for form in &forms {
            assert_eq!(VisitForm::code_for(&form.purpose), form.code);
            assert!(form.items.iter().all(|item| !item.zh.is_ascii() && item.en.is_ascii()));
        }
        assert!(forms[0].asks("family_contact") && !forms[0].asks("conduct"));
    }

    #[test]
    fn a_bad_form_is_named() {
        let item = r#"{"id":"a","zh":"甲","en":"a"}"#;
        let form = |items: &str| {
            format!(r#"[{{"code":"c","version":1,"purpose":"care","zh":"表","en":"f","items":[{items}]}}]"#)
        };
        assert!(VisitForm::parse_all(&form(item)).is_ok());
        assert_eq!(VisitForm::parse_all(&form(&format!("{item},{item}"))), Err(FormError { form: 1 }));
        assert_eq!(VisitForm::parse_all(&form("")), Err(FormError { form: 1 }));
        assert_eq!(VisitForm::parse_all("{}"), Err(FormError { form: 0 }));
    }
}
