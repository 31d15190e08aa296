//! The categories of events that a new deployment starts with. It edits them; nothing in the code knows a code.

use crate::event::SlaClass;

words! {
    /// How bad a problem of a category is.
    Severity {
        /// A nuisance.
        Low = "low", "轻微", "Low";
        /// What a department deals with.
        General = "general", "一般", "General";
        /// Danger to life or to many (重大隐患).
        Major = "major", "重大", "Major";
    }
}

/// One category of the starter table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StarterCategory {
    /// As it stands in an event.
    pub code: &'static str,
    /// The group under which a screen shows it, in Chinese.
    pub group_zh: &'static str,
    /// The group in English.
    pub group_en: &'static str,
    /// Name in Chinese.
    pub zh: &'static str,
    /// Name in English.
    pub en: &'static str,
    /// How bad.
    pub severity: Severity,
    /// Whether a gridworker may settle it on the spot, with a photo afterwards.
    pub on_spot: bool,
    /// Which deadlines count.
    pub sla: SlaClass,
    /// The kind of unit that usually handles it, in Chinese: a suggestion for the dispatcher.
    pub routing_zh: &'static str,
    /// The kind of unit in English.
    pub routing_en: &'static str,
}

macro_rules! starter {
    ($( group $group_zh:literal, $group_en:literal, $routing_zh:literal, $routing_en:literal =>
        $( $code:literal, $zh:literal, $en:literal, $severity:ident, $on_spot:literal, $sla:ident; )* )*) => {
        &[$($( StarterCategory {
            code: $code,
            group_zh: $group_zh,
            group_en: $group_en,
            zh: $zh,
            en: $en,
            severity: Severity::$severity,
            on_spot: $on_spot,
            sla: SlaClass::$sla,
            routing_zh: $routing_zh,
            routing_en: $routing_en,
        }, )*)*]
    };
}

/// The starter table. Grouped as a screen shows it; the order is that of the screen.
pub static STARTER_CATEGORIES: &[StarterCategory] = starter! {
    group "消防安全", "Fire safety", "消防救援", "Fire service" =>
        "fire_exit_blocked", "消防通道或出口堵塞", "Exit or fire lane blocked", Major, false, Urgent;
        "hallway_clutter", "楼道堆物", "Clutter in a hallway", Low, true, Ordinary;
        "ebike_charging", "电动自行车违规充电", "E-bike charged indoors", General, false, Pressing;
        "fire_equipment", "消防设施缺失损坏", "Fire equipment missing or damaged", General, false, Ordinary;
    group "房屋与公共设施", "Buildings and facilities", "住建", "Housing and construction" =>
        "facade_loose", "外墙脱落风险", "Loose façade", Major, false, Urgent;
        "building_damage", "房屋破损渗漏", "Building damaged or leaking", General, false, Complex;
        "facility_damage", "公共设施损坏", "Public facility damaged", Low, false, Ordinary;
    group "道路与井盖", "Roads and manhole covers", "市政", "Municipal works" =>
        "manhole_cover", "井盖缺失破损", "Manhole cover missing or broken", Major, false, Urgent;
        "road_damage", "路面破损", "Road surface damaged", General, false, Ordinary;
        "road_obstacle", "占道障碍物", "Obstacle on the road", Low, true, Ordinary;
    group "路灯与线缆", "Street lights and power lines", "供电与照明", "Power and lighting" =>
        "street_light", "路灯不亮", "Street light out", Low, false, Ordinary;
        "power_line", "线缆垂落裸露", "Hanging or bare power line", Major, false, Urgent;
    group "垃圾与环境", "Waste and environment", "城管环卫", "City management" =>
        "litter", "零星垃圾", "Litter", Low, true, Ordinary;
        "waste_pile", "垃圾堆积", "Pile of waste", General, false, Ordinary;
        "illegal_posting", "乱贴乱画", "Bills and graffiti", Low, true, Ordinary;
        "pollution", "污水油烟异味", "Sewage, fumes or smell", General, false, Ordinary;
    group "积水与天气", "Flooding and weather", "应急管理", "Emergency management" =>
        "flooding", "积水内涝", "Flooding", General, false, Pressing;
        "fallen_tree", "树木倒伏", "Fallen tree", General, false, Pressing;
        "ice_snow", "积雪结冰", "Snow and ice", Low, true, Pressing;
    group "食品与商铺", "Food and shop safety", "市场监管", "Market supervision" =>
        "food_safety", "食品安全", "Food safety", General, false, Pressing;
        "shop_safety", "商铺安全隐患", "Shop safety", General, false, Ordinary;
    group "电梯", "Elevators", "市场监管", "Market supervision" =>
        "elevator_trapped", "电梯困人", "People trapped in an elevator", Major, false, Urgent;
        "elevator_fault", "电梯故障", "Elevator out of order", General, false, Pressing;
    group "燃气", "Gas", "燃气公司", "Gas supplier" =>
        "gas_leak", "燃气泄漏", "Gas leak", Major, false, Urgent;
        "gas_hazard", "燃气使用隐患", "Unsafe use of gas", General, false, Pressing;
    group "噪声与邻里", "Noise and neighbours", "社区调解", "Community mediation" =>
        "noise", "噪声扰民", "Noise", Low, true, Ordinary;
        "neighbour_dispute", "邻里纠纷", "Dispute between neighbours", General, false, Complex;
    group "交通与停车", "Traffic and parking", "交通管理", "Traffic management" =>
        "parking", "乱停车", "Bad parking", Low, true, Ordinary;
        "traffic_sign", "交通标志信号故障", "Traffic sign or signal out of order", General, false, Pressing;
    group "居民服务", "Requests of residents", "社区服务", "Community services" =>
        "service_request", "帮办代办", "Help with an errand", Low, true, Ordinary;
        "water_power_heat", "水电暖问题", "Water, power or heating", General, false, Pressing;
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_only_low_severity_is_settled_on_the_spot() {
        let codes: BTreeSet<_> = STARTER_CATEGORIES.iter().map(|category| category.code).collect();
        assert_eq!(codes.len(), STARTER_CATEGORIES.len());
        let groups: BTreeSet<_> = STARTER_CATEGORIES.iter().map(|category| category.group_en).collect();
        assert_eq!(groups.len(), 12);
        for category in STARTER_CATEGORIES {
            assert!(!category.on_spot || category.severity == Severity::Low, "{}", category.code);
            assert!(category.severity != Severity::Major || category.sla == SlaClass::Urgent);
        }
    }
}
