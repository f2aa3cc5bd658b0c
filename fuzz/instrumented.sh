#!/bin/sh
# RUSTC_WRAPPER of `npm run fuzz`: what is fuzzed is compiled as `cargo fuzz` does it, the rest as ever.
case " $* " in
*" --crate-name yrs "* | *" --crate-name slate_yrs "* | *" --crate-name slate_yrs_server "* | *" --crate-name slate_yrs_fuzz "*)
	exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
		-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
		-Cllvm-args=-sanitizer-coverage-trace-compares
	;;
esac
exec "$@"
