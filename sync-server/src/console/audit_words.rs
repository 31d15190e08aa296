//! What the audit log's words mean, for people.

use super::language::Lang;

/// Acts of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    All,
    Sensitive,
    Views,
    SignIns,
    People,
    Cases,
    System,
}

impl Group {
    pub(super) const ALL: [Self; 7] =
        [Self::All, Self::Sensitive, Self::Views, Self::SignIns, Self::People, Self::Cases, Self::System];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Sensitive => "sensitive",
            Self::Views => "views",
            Self::SignIns => "signins",
            Self::People => "people",
            Self::Cases => "cases",
            Self::System => "system",
        }
    }

    pub(super) fn name(self, l: Lang) -> &'static str {
        match self {
            Self::All => l.t("全部", "All"),
            Self::Sensitive => l.t("敏感信息", "Sensitive"),
            Self::Views => l.t("查看", "Views"),
            Self::SignIns => l.t("登录", "Sign-ins"),
            Self::People => l.t("人员和手机", "People and phones"),
            Self::Cases => l.t("办理", "Handling"),
            Self::System => l.t("系统", "System"),
        }
    }

    pub(super) fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|group| group.word() == word).unwrap_or(Self::All)
    }

    /// Whether an act belongs to it.
    pub(super) fn holds(self, action: &str) -> bool {
        self == Self::All || self == known(action).map_or(Self::System, |(group, _)| group)
    }
}

/// What an act is called; one that this build does not know is shown as it is written.
pub(super) fn name(action: &str, l: Lang) -> String {
    known(action).map_or_else(|| action.to_owned(), |(_, [zh, en])| l.t(zh, en).to_owned())
}

fn known(action: &str) -> Option<(Group, [&'static str; 2])> {
    ACTS.iter().find(|(word, ..)| *word == action).map(|(_, group, names)| (*group, *names))
}

/// Every act that the audit log knows.
static ACTS: &[(&str, Group, [&str; 2])] = &[
    ("sensitive.read", Group::Sensitive, ["在手机上查看敏感信息", "Read something sensitive on a phone"]),
    ("names.shown", Group::Sensitive, ["显示完整姓名", "Had full names shown"]),
    ("sealed.viewed", Group::Sensitive, ["查看封存的工作", "Looked at sealed work"]),
    ("sealed.photo_viewed", Group::Sensitive, ["查看封存的照片", "Looked at a sealed photo"]),
    ("sealed.voice_played", Group::Sensitive, ["收听封存的语音", "Played a sealed voice note"]),
    ("event.viewed", Group::Views, ["查看事件", "Looked at an event"]),
    ("events.listed", Group::Views, ["查看事件列表", "Looked at the list of events"]),
    ("photo.viewed", Group::Views, ["查看照片", "Looked at a photo"]),
    ("voice.played", Group::Views, ["收听语音", "Played a voice note"]),
    ("person.viewed", Group::Views, ["查看人员", "Looked at a person's page"]),
    ("people.listed", Group::Views, ["查看人员列表", "Looked at the list of people"]),
    ("phones.listed", Group::Views, ["查看手机列表", "Looked at the list of phones"]),
    ("refused.listed", Group::Views, ["查看被拒修改", "Looked at refused changes"]),
    ("alarms.listed", Group::Views, ["查看警报", "Looked at alarms"]),
    ("audit.listed", Group::Views, ["查看操作记录", "Looked at this log"]),
    ("signin.done", Group::SignIns, ["登录管理台", "Signed in to the console"]),
    ("signin.failed", Group::SignIns, ["登录失败：密码不对", "Sign-in failed: wrong password"]),
    ("signin.link", Group::SignIns, ["生成登录链接", "Made a sign-in link"]),
    ("account.set", Group::SignIns, ["设置登录名和密码", "Set name and password"]),
    ("person.added", Group::People, ["新增人员", "Added a person"]),
    ("person.roles", Group::People, ["调整岗位", "Changed roles"]),
    ("person.closed", Group::People, ["停用人员", "Closed an account"]),
    ("person.opened", Group::People, ["恢复人员", "Opened an account again"]),
    ("grant.given", Group::People, ["授予", "Gave access"]),
    ("grant.revoked", Group::People, ["收回", "Took access away"]),
    ("enrolment.offered", Group::People, ["生成手机登记码", "Made an enrolment code"]),
    (
        "enrolment.other_key",
        Group::People,
        ["登记码被另一部手机使用", "A second phone used an enrolment code"],
    ),
    ("device.enrolled", Group::People, ["登记手机", "Enrolled a phone"]),
    ("device.revoked", Group::People, ["停用手机", "Locked a phone"]),
    ("device.wiped", Group::People, ["停用手机并清除数据", "Locked and wiped a phone"]),
    ("device.reinstated", Group::People, ["恢复手机", "Let a phone work again"]),
    ("event.act", Group::Cases, ["办理事件", "Acted on an event"]),
    ("refused.settled", Group::Cases, ["把被拒修改标为已查看", "Ticked off a refused change"]),
    ("alarm.acknowledged", Group::Cases, ["把警报标为已查看", "Ticked off an alarm"]),
    ("sealed.received", Group::Cases, ["停用的手机交来工作", "A locked phone handed in its work"]),
    ("sealed.accepted", Group::Cases, ["收下封存的工作", "Accepted sealed work"]),
    ("sealed.emptied", Group::Cases, ["清除已收下的封存内容", "Deleted what was left of sealed work"]),
    ("sealed.discarded", Group::Cases, ["丢弃封存的工作", "Threw sealed work away"]),
    ("backup.made", Group::System, ["备份", "Made a backup"]),
    ("import.areas", Group::System, ["导入网格", "Imported grids"]),
    ("import.ledger", Group::System, ["导入台账", "Imported a ledger"]),
    ("rules.set", Group::System, ["设定手机规则", "Set the rules for phones"]),
    ("tracks.removed", Group::System, ["清除到期的巡查轨迹", "Removed tracks of patrols that were due"]),
    ("sync.refused", Group::System, ["部分修改没有收下", "Did not accept some changes"]),
    ("sync.diverged", Group::System, ["手机与服务器内容不一致", "A phone and the server differ"]),
    ("quarantine.full", Group::System, ["一部手机的被拒修改太多", "Too many refused changes of one phone"]),
    ("recovery.opened", Group::System, ["开放补交", "Opened recovery"]),
    ("recovery.closed", Group::System, ["结束补交", "Closed recovery"]),
    ("recovery.accepted", Group::System, ["收下补交的内容", "Took in what a phone had kept"]),
    ("recovery.refused", Group::System, ["没有收下补交的内容", "Did not take in what a phone had kept"]),
    ("server.restored", Group::System, ["从备份恢复", "Was restored from a backup"]),
    ("server.rolled_back", Group::System, ["数据退回到以前", "Its data went back in time"]),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("audit_words.rs") {
                found.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }

    /// The acts among the string literals of a line.
    fn acts(line: &str) -> impl Iterator<Item = &str> {
        let plain =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let literals = line.split('"').skip(1).step_by(2);
        literals.filter(move |text| text.split_once('.').is_some_and(|(of, act)| plain(of) && plain(act)))
    }

    #[test]
    fn every_act_that_is_written_down_has_a_name_and_every_name_is_of_one() {
        let mut found = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let lines: Vec<&str> = found.iter().flat_map(|text| text.lines()).collect();
        for (at, (word, _, [zh, en])) in ACTS.iter().enumerate() {
            assert!(!zh.is_empty() && !en.is_empty(), "{word}");
            assert!(ACTS[..at].iter().all(|(other, ..)| other != word), "{word} stands here twice");
            assert!(lines.iter().any(|line| acts(line).any(|act| act == *word)), "nothing writes {word}");
        }
        for text in &found {
            // One act, or one of two, over however many lines the statement goes.
            for (mark, end, most) in
                [("action:", ',', 1), ("action =", ';', 2), ("note(", ';', 1), ("note_view(", ';', 1)]
            {
                let statements = text.split(mark).skip(1).filter_map(|rest| rest.split(end).next());
                for act in statements.flat_map(|statement| acts(statement).take(most)) {
                    assert!(known(act).is_some(), "{act} has no name");
                }
            }
        }
    }

    #[test]
    fn what_this_build_does_not_know_is_shown_and_counts_as_the_systems() {
        assert_eq!(name("moon.landed", Lang::Zh), "moon.landed");
        assert!(Group::System.holds("moon.landed") && Group::All.holds("moon.landed"));
        assert!(!Group::Views.holds("moon.landed"));
        assert_eq!(Group::from_word("views"), Group::Views);
        assert_eq!(Group::from_word("x"), Group::All);
    }
}
