//! What crosses the border to JavaScript by a number or a name is listed here in Rust, once.
//!
//! Each of these macros makes two things of one list: what Rust works with, and a type of TypeScript, as text. `src/js.rs`
//! puts these texts into the declarations of the module; the lists in `js/` are declared to be of these types, so that
//! `tsc` says where one of them has another name, another order, or one too few. On this side the compiler does.

/// An enum that crosses by the number of its variant. `$list` is the TypeScript tuple of their names, in that order.
macro_rules! by_number {
    (
        $(#[$meta:meta])*
        pub enum $name:ident as $list:ident {
            $($(#[$doc:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// A type of TypeScript: the names in the order of the numbers.
            pub const TYPESCRIPT: &'static str =
                concat!("export type ", stringify!($list), " = [", $("\"", $text, "\", ",)+ "];");

            /// As which it crosses the border.
            pub fn number(self) -> u8 {
                self as u8
            }
        }
    };
}

/// An enum that crosses by the name of its variant. `$list` is the TypeScript tuple of the names.
macro_rules! by_name {
    (
        $(#[$meta:meta])*
        pub enum $name:ident as $list:ident {
            $($(#[$doc:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// A type of TypeScript: the names.
            pub const TYPESCRIPT: &'static str =
                concat!("export type ", stringify!($list), " = [", $("\"", $text, "\", ",)+ "];");

            /// As which it crosses the border.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// None: there is none of that name.
            pub fn of(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

/// Numbers with names. `$list` is a TypeScript object of them.
macro_rules! tags {
    ($list:ident as $object:ident { $($(#[$doc:meta])* $name:ident = $text:ident $value:literal,)+ }) => {
        $($(#[$doc])* pub const $name: u32 = $value;)+

        /// A type of TypeScript: the numbers by their names.
        pub const $list: &str =
            concat!("export type ", stringify!($object), " = { ", $(stringify!($text), ": ", $value, "; ",)+ "};");
    };
}

/// Numbers in a fixed order, each with a name. `$list` is the TypeScript tuple of the names.
#[cfg(target_arch = "wasm32")]
macro_rules! row {
    ($list:ident as $tuple:ident = fn $make:ident($($arg:ident: $type:ty),*) { $($text:literal: $value:expr,)+ }) => {
        /// A type of TypeScript: the names in the order of the numbers.
        pub const $list: &str = concat!("export type ", stringify!($tuple), " = [", $("\"", $text, "\", ",)+ "];");

        fn $make($($arg: $type),*) -> [f64; [$($text),+].len()] {
            [$($value),+]
        }
    };
}

/// Names of fields. `$list` is the TypeScript tuple of them.
#[cfg(target_arch = "wasm32")]
macro_rules! keys {
    ($list:ident as $tuple:ident { $($name:ident = $text:literal,)+ }) => {
        $(const $name: &str = $text;)+

        /// A type of TypeScript: the names.
        pub const $list: &str = concat!("export type ", stringify!($tuple), " = [", $("\"", $text, "\", ",)+ "];");
    };
}

pub(crate) use {by_name, by_number, tags};
#[cfg(target_arch = "wasm32")]
pub(crate) use {keys, row};
