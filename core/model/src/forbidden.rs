//! What this product does not keep about people: words that no field, template, form, tag or code table may have.
//!
//! The list is that of the README's promise: no religion, ethnicity, political activity, petitioning or risk scores of
//! people, no face recognition, no registers of "key persons", no link to police systems. It is about what is asked and
//! configured; what somebody types into a remark is not read by machines.

/// Words in normal form (small letters), in Chinese and English. Phrases where the bare word has an honest use: the
/// risk of a fall, or a regulation of a ministry.
const WORDS: &[&str] = &[
    // Religion.
    "宗教",
    "信仰",
    "信教",
    "邪教",
    "教徒",
    "religi",
    "faith group",
    // Origin.
    "民族",
    "种族",
    "族裔",
    "籍贯来源",
    "ethnic",
    "racial",
    "nationality group",
    // Political activity.
    "政治",
    "党派",
    "party membership",
    "politic",
    // Petitioning.
    "信访",
    "上访",
    "访民",
    "维稳",
    "涉稳",
    "petition",
    "stability maintenance",
    // Scores and registers of people.
    "人员风险",
    "风险人员",
    "个人风险",
    "风险人群",
    "风险评分",
    "风险评级",
    "信用评分",
    "社会评分",
    "重点人员",
    "重点人口",
    "risk score",
    "risk rating",
    "risk profile",
    "high-risk person",
    "high-risk people",
    "social score",
    "social credit score",
    "key person",
    "key population",
    // Face recognition.
    "人脸",
    "面部识别",
    "刷脸",
    "face recognition",
    "facial recognition",
    "face_recognition",
    // Police systems.
    "警务系统",
    "公安系统",
    "警务平台",
    "雪亮工程",
    "布控",
    "police system",
    "police database",
];

/// The first forbidden word in a text, whatever its case.
pub fn find(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    WORDS.iter().copied().find(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_words_are_found_and_honest_ones_are_not() {
        for text in [
            "宗教信仰",
            "Ethnic group",
            "是否上访户",
            "PETITIONER",
            "人员风险等级",
            "重点人员登记",
            "人脸比对",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
        for text in
            ["跌倒风险", "高空坠物风险", "Falling-object risk", "surface", "公安部令", "国家标准", "会议议题"]
        {
            assert_eq!(find(text), None, "{text}");
        }
    }
}
