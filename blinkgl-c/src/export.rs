//! Macros that make the exported functions.

/// Functions that are one op each: `glName(argument: type, ...) => Op[operands];`
macro_rules! ops {
    ($( $name:ident ( $($arg:ident : $Type:ty),* ) => $Op:ident [ $($operand:expr),* ]; )*) => { $(
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $name($($arg: $Type),*) {
            $crate::state::enter(stringify!($name), |s| {
                s.put(blinkgl::ops::Op::$Op, &[$($crate::value::Value::from($operand)),*])
            })
        }
    )* };
}

/// Functions with a body: the state is `s`, and what it returns is a `Result`.
macro_rules! calls {
    ($( $(#[$attribute:meta])* fn $name:ident ( $s:ident $(, $arg:ident : $Type:ty)* $(,)? ) $(-> $R:ty)? $body:block )*) => { $(
        $(#[$attribute])*
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $name($($arg: $Type),*) $(-> $R)? {
            $crate::state::enter(stringify!($name), |$s| $body)
        }
    )* };
}

pub(crate) use {calls, ops};
