//! Small conversions that many modules use.

/// Declares a record for the other side that stands for a pair of the core, known to it under the name of a type alias.
macro_rules! pair {
    (
        $(#[$doc:meta])*
        $name:ident of $core:ident {
            $(#[$first_doc:meta])* $first:ident : $first_ty:ty,
            $(#[$second_doc:meta])* $second:ident : $second_ty:ty,
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, uniffi::Record)]
        pub struct $name {
            $(#[$first_doc])*
            pub $first: $first_ty,
            $(#[$second_doc])*
            pub $second: $second_ty,
        }

        uniffi::custom_type!($core, $name, {
            remote,
            lower: |pair| {
                let ($first, $second) = pair;
                $name { $first, $second }
            },
            try_lift: |pair| Ok((pair.$first, pair.$second)),
        });
    };
}

/// Each element converted.
pub(crate) fn many<T, U: From<T>>(values: Vec<T>) -> Vec<U> {
    values.into_iter().map(U::from).collect()
}

/// A count; those beyond four thousand million are told as that.
pub(crate) fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A limit of a list: at least one, at most [`PAGE_MAX`].
pub(crate) fn limit(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX)
}

/// The longest page.
pub(crate) const PAGE_MAX: usize = 1_000;
