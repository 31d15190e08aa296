//! The tray's plain words, in Chinese and English.

use gridwalk_model::describe::Words;
use gridwalk_model::event::{Action, Flag};

use super::held::Awaited;
use super::{TrayAct, TrayKey};
use crate::store::{OutboxState, RefusedReason};

impl TrayAct {
    /// For a button, in both languages.
    pub fn words(self) -> Words {
        match self {
            Self::Choose => Words::new("选用", "Use this one"),
            Self::WriteAgain => Words::new("重新填写", "Write again"),
            Self::GiveUp => Words::new("放弃", "Give up"),
            Self::KeepWaiting => Words::new("继续等待", "Keep waiting"),
            Self::Keep => Words::new("保留记录", "Keep the record"),
            Self::Remove => Words::new("仍然删除", "Remove it"),
            Self::Noted => Words::new("知道了", "Noted"),
            Self::FillIn => Words::new("去填写", "Fill in"),
            Self::Retry => Words::new("重试", "Try again"),
            Self::ThrowAway => Words::new("丢弃", "Throw away"),
        }
    }
}

/// The ways out of each sort of item, the likeliest first.
pub(super) const fn acts(key: &TrayKey) -> &'static [TrayAct] {
    match key {
        TrayKey::Conflict { .. } => &[TrayAct::Choose, TrayAct::WriteAgain],
        TrayKey::Refused { .. } | TrayKey::NewRefused { .. } => &[TrayAct::WriteAgain, TrayAct::GiveUp],
        TrayKey::Removed { .. } => &[TrayAct::Keep, TrayAct::Remove],
        TrayKey::Late { .. } | TrayKey::Unproven { .. } => &[TrayAct::Noted],
        TrayKey::AskedLater { .. } => &[TrayAct::FillIn],
        TrayKey::Media { .. } => &[TrayAct::Retry, TrayAct::ThrowAway, TrayAct::Noted],
        TrayKey::Held { .. } | TrayKey::NeedsUpdate { .. } | TrayKey::Unsent { .. } => {
            &[TrayAct::KeepWaiting]
        }
    }
}

pub(super) fn what(key: &TrayKey) -> Words {
    match key {
        TrayKey::Conflict { .. } => Words::new("内容不一致", "Two values differ"),
        TrayKey::Refused { .. } => Words::new("修改未被接受", "A change was not accepted"),
        TrayKey::NewRefused { .. } => Words::new("新建记录未被接受", "A new record was not accepted"),
        TrayKey::Removed { .. } => Words::new("已删除的记录又被修改", "Removed, and changed by another"),
        TrayKey::Late { .. } => Words::new("您的操作未生效", "Your act does not count"),
        TrayKey::Unproven { .. } => Words::new("您的操作缺少照片", "Your act lacks its photo"),
        TrayKey::Held { .. } => Words::new("服务器暂不能接收", "The server cannot take it yet"),
        TrayKey::NeedsUpdate { .. } => Words::new("需要升级应用", "The app needs an update"),
        TrayKey::AskedLater { .. } => Words::new("填报有新的项目", "A form asks more"),
        TrayKey::Media { .. } => Words::new("照片或录音未送达", "A photo or recording has not arrived"),
        TrayKey::Unsent { .. } => Words::new("等待发送", "Waiting to be sent"),
    }
}

/// The sentences for items that need no more than their key.
pub(super) fn explanation(key: &TrayKey, kind: &Words) -> Words {
    match key {
        TrayKey::Removed { .. } => Words::new(
            format!(
                "一部手机删除了这条{}，另一部手机在不知情时修改了它。记录仍然显示，请决定保留还是删除。",
                kind.zh
            ),
            format!(
                "One phone removed this record ({}) while another changed it without knowing. It is still shown: keep it \
                 or remove it.",
                kind.en
            ),
        ),
        TrayKey::NeedsUpdate { .. } => Words::new(
            "这条记录来自较新的版本，本机暂时不能完整显示。内容没有丢失，升级应用后即可查看。",
            "This record is from a newer version and cannot be shown in full. Nothing is lost: update the app to see it.",
        ),
        TrayKey::Unsent { .. } => Words::new(
            "内容已保存在手机上，有网络时自动发送，无需操作。",
            "It is saved on this phone and goes out by itself when there is a network.",
        ),
        _ => Words::default(),
    }
}

pub(super) fn conflict(name: &Words, count: usize) -> Words {
    Words::new(
        format!(
            "「{}」被分别填成了 {count} 种不同的内容，都已保留。请选用正确的一个，或重新填写；之后所有手机都会更新。",
            name.zh
        ),
        format!(
            "\"{}\" was filled in in {count} different ways, and all of them are kept. Use the right one or write it \
             again; every phone will follow.",
            name.en
        ),
    )
}

pub(super) fn refused(name: &Words, reason: RefusedReason) -> Words {
    Words::new(
        format!(
            "您对「{}」的修改没有被服务器接受：{}。您填写的内容仍保存在手机上，可以重新填写，或放弃。",
            name.zh,
            reason.zh()
        ),
        format!(
            "The server did not accept your change of \"{}\": {}. What you wrote is still on this phone: write it again, \
             or give it up.",
            name.en,
            reason.en()
        ),
    )
}

pub(super) fn new_refused(kind: &Words, reason: RefusedReason) -> Words {
    Words::new(
        format!(
            "您新建的{}没有被服务器接受：{}。内容仍保存在手机上，可以修改后重新提交，或放弃。",
            kind.zh,
            reason.zh()
        ),
        format!(
            "The server did not accept your new record ({}): {}. It is still on this phone: change it and send it again, \
             or give it up.",
            kind.en,
            reason.en()
        ),
    )
}

pub(super) fn held(state: OutboxState, awaited: Option<Awaited>, changes: u64) -> Words {
    if let Some(awaited) = awaited {
        return before_visit(awaited);
    }
    if state == OutboxState::Stranded {
        return Words::new(
            format!(
                "这里有 {changes} 项修改所依据的内容，服务器已经丢失，正等待其他手机补交。您的内容没有丢失，无需操作。"
            ),
            format!(
                "{changes} changes build on something that the server has lost; another phone will bring it back. Nothing \
                 of yours is lost, and nothing is to be done."
            ),
        );
    }
    Words::new(
        format!(
            "服务器暂时不能接收这里的 {changes} 项修改，可能是版本较旧，或存放空间已满。内容已保存在手机上，服务器可以接收后自动提交，无需操作。"
        ),
        format!(
            "The server cannot take {changes} changes yet: it may be older than this app, or out of room. They are saved on \
             this phone and go out by themselves once it can."
        ),
    )
}

fn before_visit(awaited: Awaited) -> Words {
    match awaited {
        Awaited::Unsent => Words::new(
            "登记这项服务的走访还没有到达服务器，所以服务器暂不接收。内容已保存在手机上，走访到达后自动提交。",
            "The visit at which this service was asked for has not reached the server, so it cannot take the service yet. \
             It is saved on this phone and goes out by itself after the visit.",
        ),
        Awaited::Gone => Words::new(
            "登记这项服务的走访没有到达服务器，也不在等待发送：可能未被接受，或已被放弃。如果该走访还在本列表中，请先处理走访；\
             否则可以不关联走访重新填写这项服务，或放弃。",
            "The visit at which this service was asked for has not reached the server and does not wait to be sent: it was \
             not accepted, or was given up. If it is in this list, settle it first; otherwise write the service again \
             without the visit, or give it up.",
        ),
    }
}

pub(super) fn asked_later(count: usize) -> Words {
    Words::new(
        format!("您已提交的填报中有 {count} 项，当时的应用版本无法填写。现在可以补填，其他内容不受影响。"),
        format!(
            "{count} items of a form that you sent could not be filled in by the app as it was then. Now they can; the \
             rest stays as it is."
        ),
    )
}

pub(super) fn late(action: &Action, flag: Flag) -> Words {
    Words::new(
        format!("您的「{}」没有生效：{}。操作记录已保留，办理进度不受影响。", action.zh(), flag.zh()),
        format!(
            "Your \"{}\" does not count: {}. It is kept in the story and changed nothing.",
            action.en(),
            flag.en()
        ),
    )
}

pub(super) fn unproven(action: &Action) -> Words {
    Words::new(
        format!(
            "您的「{}」所依据的照片已全部被移除，可能是两部手机各移除了一张。操作仍然有效。请补拍一张，或恢复移除的照片；之后本条提示自动消失。",
            action.zh()
        ),
        format!(
            "All photos that your \"{}\" rests on were taken off, perhaps one on each of two phones. It still counts. Take \
             another, or put one of them back: then this goes by itself.",
            action.en()
        ),
    )
}
