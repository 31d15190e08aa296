//! Tests of engine and store together, with a scripted server: plain loops, no threads, no network.

#![cfg(test)]

mod basics;
