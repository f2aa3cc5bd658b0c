#![no_main]
libfuzzer_sys::fuzz_target!(init: slate_yrs_fuzz::prepare(), |bytes: &[u8]| slate_yrs_fuzz::protocol(bytes));
