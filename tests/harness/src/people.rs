//! Made-up people. Their ID numbers have a right check character but begin with 990000, a region that is not
//! assigned to any place; their telephone numbers begin with 1990001 and are followed by a running number.

use crate::seeded::Seeded;

/// The region of every made-up ID number: GB/T 2260 assigns none that begins with 99.
pub const UNASSIGNED_REGION: &str = "990000";

const SURNAMES: [&str; 40] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何",
    "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓",
    "许", "傅", "沈", "曾", "彭", "吕",
];
const GIVEN: [&str; 40] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超",
    "秀", "霞", "平", "刚", "桂", "英", "华", "玉", "兰", "春", "梅", "海", "燕", "晨", "宇", "欣", "雨",
    "博", "文", "思", "青", "安", "宁",
];

/// A made-up name of two or three characters.
pub fn name(seeded: &mut Seeded) -> String {
    let mut name = String::from(seeded.pick(&SURNAMES));
    name.push_str(seeded.pick(&GIVEN));
    if seeded.chance(0.6) {
        name.push_str(seeded.pick(&GIVEN));
    }
    name
}

/// A made-up surname.
pub fn surname(seeded: &mut Seeded) -> &'static str {
    seeded.pick(&SURNAMES)
}

/// A made-up mobile number of eleven digits: 1990001 and four more.
pub fn phone(seeded: &mut Seeded) -> String {
    format!("1990001{:04}", seeded.below(10_000))
}

/// A day of birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Born {
    /// Year.
    pub year: u16,
    /// Month from 1.
    pub month: u8,
    /// Day from 1; at most 28, so that every month has it.
    pub day: u8,
}

impl Born {
    /// A day between two years, both included.
    pub fn between(seeded: &mut Seeded, first: u16, last: u16) -> Self {
        let years = usize::from(last.saturating_sub(first)) + 1;
        Self {
            year: first + seeded.below(years) as u16,
            month: seeded.below(12) as u8 + 1,
            day: seeded.below(28) as u8 + 1,
        }
    }
}

/// A made-up ID number after GB 11643: unassigned region, day of birth, a running number (odd for men) and the
/// check character. `serial` beyond 999 starts again at 0.
pub fn id_number(born: Born, serial: usize) -> String {
    let Born { year, month, day } = born;
    let body = format!("{UNASSIGNED_REGION}{year:04}{month:02}{day:02}{:03}", serial % 1_000);
    let check = check_character(&body);
    format!("{body}{check}")
}

/// The check character for 17 digits (GB 11643): weights, sum modulo 11, table.
fn check_character(body: &str) -> char {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body.chars().filter_map(|digit| digit.to_digit(10)).zip(WEIGHTS).map(|(d, w)| d * w).sum();
    "10X98765432".chars().nth(sum as usize % 11).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_character_is_that_of_the_standard() {
        // The example of GB 11643 itself.
        assert_eq!(check_character("11010519491231002"), 'X');
        assert_eq!(check_character("44052418800101001"), '4');
    }

    #[test]
    fn numbers_are_marked_as_made_up() {
        let mut seeded = Seeded::new(3);
        for serial in 0..200 {
            let number = id_number(Born::between(&mut seeded, 1930, 2020), serial);
            assert!(number.starts_with("990000") && number.len() == 18, "{number}");
            let phone = phone(&mut seeded);
            assert!(phone.starts_with("1990001") && phone.len() == 11, "{phone}");
            assert!((2..=3).contains(&name(&mut seeded).chars().count()));
        }
    }
}
