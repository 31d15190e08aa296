//! What one request does, with phones in few words against a server in memory.

mod care;
mod evidence;
mod hostile;
mod merging;
mod reads;
mod recovery;
mod scope;
