//! Whether two entries may be one person. A hint for a person to judge, never a merge: nobody is merged by name.

use jiff::civil::Date;

use crate::codes::{normalise, phone::Phone};
use crate::records::Resident;
use crate::records::resident::Sex;

labels! {
    /// What speaks for two entries being one person, the strongest first.
    Likeness {
        /// The same document number.
        SameNumber = "same_number", "证件号码相同", "Same document number";
        /// The same name and day of birth.
        NameAndBirth = "name_and_birth", "姓名和出生日期相同", "Same name and birth date";
        /// The same name and telephone.
        NameAndPhone = "name_and_phone", "姓名和电话相同", "Same name and phone";
        /// The same telephone and day of birth, under another name: perhaps mistyped.
        PhoneAndBirth = "phone_and_birth", "电话和出生日期相同", "Same phone and birth date";
    }
}

/// What two people are compared by, in normal form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonFacts {
    /// Name without blanks, full-width forms made plain.
    pub name: String,
    /// Sex.
    pub sex: Option<Sex>,
    /// Day of birth.
    pub birth_date: Option<Date>,
    /// Digits of the telephone.
    pub phone: Option<String>,
    /// Document number, where the phone holds it.
    pub number: Option<String>,
}

impl PersonFacts {
    /// The facts of a resident, with a document number where one is known here.
    pub fn of(resident: &Resident, number: Option<&str>) -> Self {
        let phone = resident.phone.as_deref().and_then(Phone::parse).map(|phone| phone.digits);
        Self {
            name: normalise(&resident.name),
            sex: resident.sex.clone(),
            birth_date: resident.birth_date,
            phone,
            number: number.map(normalise).filter(|number| !number.is_empty()),
        }
    }
}

/// What speaks for `a` and `b` being one person; `None` if nothing does, or if known facts speak against it. An equal
/// name alone is nothing: there are many of each.
pub fn likeness(a: &PersonFacts, b: &PersonFacts) -> Option<Likeness> {
    fn same<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> Option<bool> {
        Some(a.as_ref()? == b.as_ref()?)
    }
    match same(&a.number, &b.number) {
        Some(true) => return Some(Likeness::SameNumber),
        Some(false) => return None,
        None => {}
    }
    let birth = same(&a.birth_date, &b.birth_date);
    if birth == Some(false) || same(&a.sex, &b.sex) == Some(false) {
        return None;
    }
    let name = !a.name.is_empty() && a.name == b.name;
    let phone = same(&a.phone, &b.phone) == Some(true);
    match (name, phone, birth == Some(true)) {
        (true, _, true) => Some(Likeness::NameAndBirth),
        (true, true, _) => Some(Likeness::NameAndPhone),
        (false, true, true) => Some(Likeness::PhoneAndBirth),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn person(name: &str) -> PersonFacts {
        PersonFacts { name: name.into(), ..PersonFacts::default() }
    }

    #[test]
    fn a_name_alone_is_nothing() {
        assert_eq!(likeness(&person("张伟"), &person("张伟")), None);
        assert_eq!(likeness(&person(""), &person("")), None);
    }

    #[test]
    fn what_agrees_is_told_and_what_contradicts_counts_more() {
        let born = Some(date(1950, 1, 2));
        let phone = Some("19900007832".to_owned());
        let a = PersonFacts { birth_date: born, phone: phone.clone(), ..person("张伟") };
        let b = PersonFacts { birth_date: born, ..person("张伟") };
        assert_eq!(likeness(&a, &b), Some(Likeness::NameAndBirth));
        assert_eq!(
            likeness(&a, &PersonFacts { phone: phone.clone(), ..person("张伟") }),
            Some(Likeness::NameAndPhone)
        );
        let mistyped = PersonFacts { birth_date: born, phone, ..person("章伟") };
        assert_eq!(likeness(&a, &mistyped), Some(Likeness::PhoneAndBirth));
        let later = PersonFacts { birth_date: Some(date(1980, 1, 2)), ..a.clone() };
        assert_eq!(likeness(&a, &later), None, "father and son");
        let man = PersonFacts { sex: Some(Sex::Male), ..a.clone() };
        let woman = PersonFacts { sex: Some(Sex::Female), ..a.clone() };
        assert_eq!(likeness(&man, &woman), None);
        let one = PersonFacts { number: Some("1".into()), ..a.clone() };
        let two = PersonFacts { number: Some("2".into()), ..a.clone() };
        assert_eq!(likeness(&one, &two), None);
        let other = PersonFacts { number: Some("1".into()), ..person("李四") };
        assert_eq!(likeness(&one, &other), Some(Likeness::SameNumber));
        assert_eq!(likeness(&other, &one), Some(Likeness::SameNumber));
    }
}
