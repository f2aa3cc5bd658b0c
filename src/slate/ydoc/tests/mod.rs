//! Tests of reading and writing the document.
