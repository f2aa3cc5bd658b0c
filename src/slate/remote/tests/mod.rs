//! Whether the operations lead to the new tree, and take nothing away that stays.

mod apply;
mod cases;
mod check;
mod cost;
mod edit;
mod grow;
mod hand;
mod random;
mod trees;
