//! Tests of the view.

mod drawn;
