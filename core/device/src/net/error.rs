//! What can go wrong between phone and server.

use gridwalk_replica::protocol::ProtocolError;

/// A request that was not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// No way to the server: no network, no name, no connection, or a certificate that does not fit.
    #[error("server cannot be reached")]
    Offline,
    /// The connection stood still for too long.
    #[error("connection stalled")]
    Stalled,
    /// The caller took the request back.
    #[error("cancelled")]
    Cancelled,
    /// The answer is not of our protocol: a captive portal, a proxy's page, a cut body.
    #[error("answer cannot be read")]
    Unreadable,
    /// Plain HTTP to a host that is not this machine.
    #[error("plain HTTP is not allowed to this host")]
    Insecure,
    /// The address of the server is not one.
    #[error("not an address")]
    Address,
    /// The server said no.
    #[error(transparent)]
    Server(#[from] ProtocolError),
}

impl NetError {
    /// The error for the worker, in Chinese.
    pub const fn zh(&self) -> &'static str {
        match self {
            Self::Offline => "连不上服务器，网络恢复后自动重试",
            Self::Stalled => "网络太慢，稍后自动重试",
            Self::Cancelled => "已取消",
            Self::Unreadable => "服务器的回复无法识别，可能需要登录所连的无线网络",
            Self::Insecure => "不允许以明文方式连接该服务器",
            Self::Address => "服务器地址不正确",
            Self::Server(error) => match error {
                ProtocolError::Unauthorized => "登录已失效，正在重新登录",
                ProtocolError::Revoked { .. } => "本机已被管理员停用",
                ProtocolError::CodeInvalid => "登记码无效或已过期",
                ProtocolError::Malformed { .. } => "服务器无法识别本机的请求",
                ProtocolError::TooLarge => "一次提交的内容过大，正在分批重试",
                ProtocolError::Version { .. } => "应用版本与服务器不符，请升级",
                ProtocolError::Busy { .. } => "服务器繁忙，稍后自动重试",
                ProtocolError::StorageFull => "服务器存储空间已满，已通知管理员",
                ProtocolError::Internal => "服务器出错，稍后自动重试",
            },
        }
    }

    /// The error for the worker, in English.
    pub const fn en(&self) -> &'static str {
        match self {
            Self::Offline => "The server cannot be reached; it is tried again when the network returns",
            Self::Stalled => "The network is too slow; it is tried again soon",
            Self::Cancelled => "Cancelled",
            Self::Unreadable => "The answer cannot be read; the Wi-Fi may ask you to sign in",
            Self::Insecure => "Plain connections to this server are not allowed",
            Self::Address => "The server's address is not right",
            Self::Server(error) => match error {
                ProtocolError::Unauthorized => "The sign-in has expired and is being renewed",
                ProtocolError::Revoked { .. } => "This phone was locked by the administrator",
                ProtocolError::CodeInvalid => "The registration code is wrong or has expired",
                ProtocolError::Malformed { .. } => "The server does not understand this phone",
                ProtocolError::TooLarge => "Too much at once; it is sent again in parts",
                ProtocolError::Version { .. } => "App and server do not fit; update the app",
                ProtocolError::Busy { .. } => "The server is busy; it is tried again soon",
                ProtocolError::StorageFull => "The server's storage is full; the administrator was told",
                ProtocolError::Internal => "The server failed; it is tried again soon",
            },
        }
    }
}
