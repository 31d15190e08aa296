//! What places are called: the starter table that ties the words of ledgers to the codes of checklists.
//!
//! A place keeps the word that its district uses; only where a rule asks for a code is the word looked up here, so an
//! import never alters what somebody wrote, and a deployment's own words go on working as they are.

/// A category of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceCategory {
    /// Its code, as checklists name it.
    pub code: &'static str,
    /// Its name, in Chinese.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
    /// Other words that ledgers have for it.
    pub words: &'static [&'static str],
}

const fn of(
    code: &'static str,
    zh: &'static str,
    en: &'static str,
    words: &'static [&'static str],
) -> PlaceCategory {
    PlaceCategory { code, zh, en, words }
}

/// The starter table: the nine kinds of small venues (九小场所) as fire services count them, places with many people,
/// production, rented rooms, and estates.
pub static PLACE_CATEGORIES: &[PlaceCategory] = &[
    of("shop", "小商店", "Small shop", &["商店", "小商场", "小超市", "超市", "便利店"]),
    of("restaurant", "小餐饮", "Small restaurant", &["餐饮", "餐馆", "饭店", "小餐馆"]),
    of("hotel_small", "小旅馆", "Guest house", &["小旅店", "民宿"]),
    of("school_small", "小学校", "Small school", &["小培训机构", "小托育", "幼儿园"]),
    of("clinic", "小医院", "Clinic", &["诊所", "小诊所", "卫生室"]),
    of("entertainment", "小歌舞娱乐", "Small entertainment venue", &["歌舞娱乐", "小美容洗浴", "美容洗浴"]),
    of("internet_cafe", "小网吧", "Internet café", &["网吧"]),
    of("workshop_small", "小生产加工", "Workshop", &["小作坊", "小加工"]),
    of("market", "小市场", "Market", &["农贸市场", "市场"]),
    of("school", "学校", "School", &["中学", "小学"]),
    of("care_home", "养老机构", "Care home", &["养老院", "敬老院"]),
    of("hospital", "医院", "Hospital", &[]),
    of("hotel", "旅馆", "Hotel", &["宾馆", "酒店"]),
    of("factory", "工厂", "Factory", &["工业企业"]),
    of("hazardous_goods", "危化品单位", "Hazardous goods", &["危险化学品"]),
    of("filling_station", "加油站", "Filling station", &["加气站", "加油加气站"]),
    of("warehouse", "仓库", "Warehouse", &["仓储"]),
    of("rented_rooms", "居住出租房", "Rented rooms", &["出租房", "出租屋", "群租房"]),
    of("estate", "居民小区", "Housing estate", &["小区", "住宅小区"]),
    of("public_space", "公共空间", "Public space", &["广场", "公园"]),
];

/// The category that a code or a district's word names; `None` for words that the table does not have.
pub fn place_category(word: &str) -> Option<&'static PlaceCategory> {
    let word = word.trim();
    let named = |category: &&PlaceCategory| {
        category.code == word || category.zh == word || category.words.contains(&word)
    };
    PLACE_CATEGORIES.iter().find(named)
}

/// The code of a district's word; a word that the table does not have stands for itself. Two words name the same category
/// where this is equal.
pub fn category_code(word: &str) -> &str {
    place_category(word).map_or(word.trim(), |known| known.code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::checklist::file;

    #[test]
    fn every_word_names_one_category() {
        let mut seen = BTreeSet::new();
        for category in PLACE_CATEGORIES {
            for word in [category.code, category.zh].iter().chain(category.words) {
                assert!(seen.insert(*word), "{word} twice");
                assert_eq!(place_category(word).map(|found| found.code), Some(category.code));
            }
        }
        assert_eq!(place_category(" 小旅馆 ").map(|found| found.code), Some("hotel_small"));
        assert_eq!(place_category("天文台"), None);
        assert_eq!((category_code("饭店"), category_code(" 天文台")), ("restaurant", "天文台"));
    }

    #[test]
    fn the_starter_checklists_ask_for_codes_of_the_table_and_every_code_has_a_checklist() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/checklists");
        let mut asked = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                asked.extend(file::read(&std::fs::read_to_string(path).unwrap()).unwrap().categories);
            }
        }
        let known: BTreeSet<String> =
            PLACE_CATEGORIES.iter().map(|category| category.code.to_owned()).collect();
        assert_eq!(asked, known);
    }
}
