#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| slate_yrs_fuzz::update(bytes));
