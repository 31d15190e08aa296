//! Tests of doors.
