#![no_main]
use std::cell::OnceCell;

thread_local! {
    static HOST: OnceCell<slate_yrs_fuzz::Host> = const { OnceCell::new() };
}

libfuzzer_sys::fuzz_target!(init: slate_yrs_fuzz::prepare(), |bytes: &[u8]| {
    HOST.with(|host| host.get_or_init(|| slate_yrs_fuzz::Host::start(&slate_yrs_fuzz::sample())).ask(bytes));
});
