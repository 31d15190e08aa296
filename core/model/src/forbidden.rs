//! What this product does not keep about people: words that no field, template, form, tag or code table may have.
//!
//! The list is that of the README's promise: no religion, ethnicity, political activity, petitioning or risk scores of
//! people, no face recognition, no registers of "key persons", no link to police systems.
//!
//! # Where the line is
//!
//! What is asked, configured, or sorted under is read: labels and words of lists, templates, forms, campaigns, care
//! tags, categories of places and events, requests for a service, names of units, labels of an imported ledger. There
//! a forbidden word would found a register. What only describes the world is not read: names and addresses of places,
//! titles of tasks, descriptions, remarks. A temple is a building that can burn: 寺庙消防隐患 may be reported, and the
//! place keeps its name. "宗教场所" as a category may not be, since it sorts by creed and not by building. Streets are
//! called 民族路 in many towns, districts 回族区, a landmark is the 基督教堂 and a unit the 党员服务中心, so that
//! [`find_beside_streets`] passes over such names where addresses are to be expected. An office for petitions or creeds
//! is no unit here, although towns have one: nothing is routed to it.
//!
//! The one list serves record, importer, server and the tests that look through what is committed.

use crate::checklist::TemplateFault;
use crate::event::LogEntry;
use crate::records::Kind;
use crate::schema::{FieldSchema, FieldType};
use crate::validate::{Reason, validate};
use crate::value::{Fields, Value};

/// Words in normal form (small letters), in Chinese and English. Phrases where the bare word has an honest use: the
/// risk of a fall, or a regulation of a ministry.
const WORDS: &[&str] = &[
    // Religion.
    "宗教",
    "信仰",
    "信教",
    "邪教",
    "教徒",
    "基督",
    "天主教",
    "伊斯兰",
    "穆斯林",
    "佛教",
    "道教",
    "religi",
    "christian",
    "catholic",
    "muslim",
    "islam",
    "buddhis",
    "faith group",
    // Origin.
    "民族",
    "种族",
    "族裔",
    "籍贯来源",
    "ethnic",
    "minority",
    "minorities",
    "racial",
    "nationality group",
    // Political activity.
    "政治",
    "党派",
    "党员",
    "党籍",
    "入党",
    "族别",
    "信徒",
    "法轮",
    "uyghur",
    "tibetan",
    "思想动态",
    "思想状况",
    "party member",
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
    "重点关注人员",
    "重点关注对象",
    "重点管控人员",
    "重点管控对象",
    "稳控",
    "重点人口",
    "特殊人群",
    "刑满释放",
    "刑释",
    "社区矫正",
    "吸毒人员",
    "涉毒人员",
    "戒毒",
    "前科",
    "犯罪记录",
    "肇事肇祸",
    "criminal record",
    "drug rehab",
    "risk score",
    "risk rating",
    "risk profile",
    "high-risk person",
    "high-risk people",
    "social score",
    "social credit score",
    "key person",
    "key people",
    "person of interest",
    "persons of interest",
    "key population",
    // Face recognition.
    "人脸",
    "脸部识别",
    "人像比对",
    "人像识别",
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

/// The peoples by which somebody's origin is written down (GB/T 3304), without the ending 族, between spaces.
const PEOPLES: &str = "汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 \
    傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 \
    毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 \
    独龙 鄂伦春 赫哲 门巴 珞巴 基诺";

/// Words that only sound like one of these: repetitions, third parties, fish tanks, a street's schools, a section for
/// kindergartens.
const HONEST: &[&str] = &[
    "repetition",
    "competition",
    "third-party member",
    "third party member",
    "水族馆",
    "水族箱",
    "水族店",
    "水族市场",
    "水族用品",
    "道教育",
    "街道教师",
    "街道教职",
    "街道教学",
    "学前科",
    "目前科",
    "以前科",
    "当前科",
    "返回族",
    "收回族",
    "收藏族",
    "本土族",
];

/// What follows 民族, or the name of a people, in the name of a street, a village, a district or a school.
const MAP_ENDINGS: &str =
    "路 街 巷 弄 大道 大街 广场 桥 园 宫 社区 小区 新村 村 乡 镇 区 自治区 自治州 自治县 自治旗 小学 中学";

/// What looks like such an ending and names no place: 苗族村民, 民族区分.
const NO_ENDINGS: &str = "村民 乡民 镇民 乡亲 区分 区别 区域性 路过 路人 园丁";

/// Other names that have such a word in them: the word, and what behind it makes a name of it.
const NAMES: &[(&str, &str)] = &[
    (
        "党员",
        "服务中心 服务站 服务队 服务岗 活动室 活动中心 之家 驿站 教育中心 教育基地 志愿者 志愿服务 先锋岗 先锋队 突击队",
    ),
    ("基督教", "堂"),
    ("天主教", "堂"),
    ("戒毒", "所 康复中心"),
];

/// Fields of free text that are read, and whether addresses are to be expected in them. Words of lists are read
/// wherever they are not on their list; checklists and forms by item, see [`crate::checklist::TemplateFault`].
const READ: &[(Kind, &str, bool)] = &[
    (Kind::Campaign, "name", false),
    (Kind::Campaign, "matter", false),
    (Kind::CareTag, "service", false),
    (Kind::CareTag, "purpose", false),
    (Kind::Checklist, "code", false),
    (Kind::Checklist, "categories", false),
    (Kind::Checklist, "event_category", false),
    (Kind::Form, "code", false),
    (Kind::Place, "category", false),
    (Kind::Event, "category", false),
    (Kind::ServiceRecord, "request", true),
    (Kind::ServiceRecord, "service", true),
    (Kind::Task, "title", true),
    (Kind::Unit, "name", true),
];

/// The first forbidden word in a text, whatever its case.
pub fn find(text: &str) -> Option<&'static str> {
    let mut text = without_gaps(&text.to_lowercase());
    for honest in HONEST {
        if text.contains(honest) {
            text = text.replace(honest, " ");
        }
    }
    WORDS.iter().copied().find(|word| text.contains(word)).or_else(|| people_in(&text))
}

/// A text without the spaces between Chinese characters, by which forms spread their labels: 民　族.
fn without_gaps(text: &str) -> String {
    let chinese = |c: char| matches!(c, '\u{3400}'..='\u{9fff}');
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        out.push(c);
        if !chinese(c) {
            continue;
        }
        let mut gap = String::new();
        while let Some(space) = rest.next_if(|next| next.is_whitespace()) {
            gap.push(space);
        }
        if !rest.peek().is_some_and(|next| chinese(*next)) {
            out.push_str(&gap);
        }
    }
    out
}

/// The name of a people in a text.
fn people_in(text: &str) -> Option<&'static str> {
    let mut heads = text.split('族');
    // What is behind the last 族 is the name of nobody.
    heads.next_back();
    heads.find_map(|head| PEOPLES.split(' ').find(|people| head.ends_with(people)))
}

/// The same for a text that may name streets, districts, landmarks and units: those names are passed over.
pub fn find_beside_streets(text: &str) -> Option<&'static str> {
    let mut text = text.to_owned();
    for (word, endings) in NAMES {
        for ending in endings.split(' ') {
            text = text.replace(&format!("{word}{ending}"), " ");
        }
    }
    while let Some(shorter) = without_a_people(&text) {
        text = shorter;
    }
    find(&text)
}

/// A text with 民族 or the name of a people taken out of the first name of a place that has one. The ending stays, since
/// several stand before one: 土家族苗族自治州.
fn without_a_people(text: &str) -> Option<String> {
    text.match_indices('族').find_map(|(at, people)| {
        let (head, tail) = (text.get(..at)?, text.get(at + people.len()..)?);
        let begins = |words: &str| words.split(' ').any(|word| tail.starts_with(word));
        if begins(NO_ENDINGS) || !begins(MAP_ENDINGS) {
            return None;
        }
        let of = |name: &&str| head.ends_with(*name);
        let name = PEOPLES.split(' ').chain(["民"]).filter(of).max_by_key(|name| name.len())?;
        Some(format!("{}{tail}", head.strip_suffix(name)?))
    })
}

/// Whether a field may not be written with this value. Elements of logs, and items of checklists and forms, are read
/// where they are decoded.
pub fn in_field(kind: Kind, field: &FieldSchema, value: &Value) -> bool {
    let Some(text) = value.as_text() else { return false };
    match field.ty {
        FieldType::Code(words) => !words.contains(&text) && find(text).is_some(),
        FieldType::Text { .. } => {
            let read = READ.iter().find(|(own, name, _)| *own == kind && *name == field.name);
            read.is_some_and(|(_, _, streets)| {
                if *streets { find_beside_streets(text) } else { find(text) }.is_some()
            })
        }
        _ => false,
    }
}

/// The first field among these that may not be written, items of checklists and forms included.
pub fn in_fields(kind: Kind, fields: &Fields) -> Option<String> {
    let bad = |(key, value): (&String, &Value)| {
        let field = kind.schema().field_of_key(key).is_some_and(|(field, _)| in_field(kind, field, value));
        (field || in_entry(kind, key, value)).then(|| key.clone())
    };
    fields.iter().find_map(bad).or_else(|| {
        let faulty = matches!(kind, Kind::Checklist | Kind::Form) && fields.contains_key("name");
        let told = if faulty { validate(kind, fields) } else { Vec::new() };
        told.into_iter()
            .find(|error| error.reason == Reason::Template(TemplateFault::Forbidden))
            .map(|error| error.field)
    })
}

/// Whether a log entry sorts its event under such a word.
fn in_entry(kind: Kind, key: &str, value: &Value) -> bool {
    let Value::Bytes(bytes) = value else { return false };
    if kind != Kind::Event || !key.starts_with("log/") {
        return false;
    }
    let category = LogEntry::from_bytes(bytes).ok().and_then(|entry| entry.category);
    category.is_some_and(|category| find(&category).is_some())
}

#[cfg(test)]
mod samples;

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
            "是否党员",
            "Party member",
            "有无前科",
            "戒毒人员",
            "肇事肇祸人员",
            "思想动态",
            "基督教",
            "伊斯兰",
            "道教",
            "Muslim household",
            "ethnic minority",
            "Minorities",
            "汉族",
            "回族",
            "柯尔克孜族",
            "民 族",
            "民　族",
            "政 治　面 貌",
            "族别",
            "是否入党",
            "宗教信徒",
            "户主是苗族还是土家族",
            "重点关注人员名单",
            "稳控对象",
            "人像比对",
            "key people to watch",
        ] {
            assert!(find(text).is_some(), "{text}");
        }
        for text in [
            "重点人群接种疫苗",
            "重点单位",
            "跌倒风险",
            "高空坠物风险",
            "Falling-object risk",
            "surface",
            "公安部令",
            "国家标准",
            "会议议题",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
        for text in [
            "third-party members",
            "街道教育办公室",
            "学前科",
            "目前科室",
            "水族馆",
            "水族箱漏水",
            "家族企业",
            "上班族接送",
            "贵族",
            "族谱",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn a_temple_may_burn_and_a_street_may_be_called_anything() {
        for text in ["寺庙消防隐患", "教堂外墙脱落", "清真寺门前井盖缺失", "temple fire exit"]
        {
            assert_eq!(find(text), None, "{text}");
        }
        for text in ["民族路社区居委会", "到民族大街药店代取药", "民族小区物业", "民族路、民族村"]
        {
            assert!(find(text).is_some(), "{text}");
            assert_eq!(find_beside_streets(text), None, "{text}");
        }
        for text in [
            "管城回族区城管局",
            "湘西土家族苗族自治州",
            "满族镇卫生院",
            "回族小学门口",
            "社区党员服务中心",
            "党员志愿者服务队",
            "到基督教堂旁药店取药",
            "强制隔离戒毒所",
        ] {
            assert!(find(text).is_some(), "{text}");
            assert_eq!(find_beside_streets(text), None, "{text}");
        }
        for text in ["回族区的回族住户", "党员服务中心登记党员", "基督教堂的基督教徒", "白族", "戒毒人员"]
        {
            assert!(find_beside_streets(text).is_some(), "{text}");
        }
        for text in ["民族路上访户", "登记民族成分", "民族事务科", "宗教场所", "苗族村民", "回族区分登记"]
        {
            assert!(find_beside_streets(text).is_some(), "{text}");
        }
    }

    #[test]
    fn every_field_that_is_read_exists_and_holds_text() {
        for (kind, name, _) in READ {
            let field = kind.schema().fields.iter().find(|field| field.name == *name).unwrap();
            assert!(matches!(field.ty, FieldType::Text { .. }), "{kind:?}.{name}");
            assert!(in_field(*kind, field, &Value::from("宗教人员")));
            assert!(!in_field(*kind, field, &Value::from("独居老人上门服务")));
        }
    }
}
