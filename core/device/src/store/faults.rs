//! Faults for tests: a named commit can be made to fail just before or just after it becomes durable.

use std::sync::{Arc, Mutex};

use crate::error::DeviceError;

/// The commits of the store, by what they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commit {
    /// Making the tables, or bringing them up to date.
    Migrate,
    /// Settings: enrolment, switches, what the server said outside of a sync.
    Setting,
    /// A worker's edit.
    Edit,
    /// A response of the server, with everything that follows from it.
    Apply,
    /// Preparing a request.
    Request,
    /// A photo's bytes, in the media file.
    Media,
    /// The state of an upload.
    Upload,
    /// A point of a patrol, or a draft.
    Journal,
    /// Clean-up of media whose receipt is here.
    Sweep,
    /// The sealed package of a locked device.
    Seal,
}

/// On which side of a commit it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before: nothing of it is kept.
    Before,
    /// After: everything of it is kept, but the caller is told of a failure, as if the process had died.
    After,
}

/// Where a test plants faults. Clones share their plan. Without a plan nothing ever fails.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    plan: Option<Arc<Mutex<Vec<Planted>>>>,
}

#[derive(Clone, Copy, Debug)]
struct Planted {
    commit: Option<Commit>,
    side: Side,
    skip: u32,
}

impl Faults {
    /// No faults, ever.
    pub const fn none() -> Self {
        Self { plan: None }
    }

    /// A plan that tests fill while the store is open.
    pub fn scripted() -> Self {
        Self { plan: Some(Arc::default()) }
    }

    /// Makes a coming commit fail, once: the one after `skip` others of the same name. `None` stands for any name.
    pub fn fail(&self, commit: Option<Commit>, side: Side, skip: u32) {
        if let Some(mut plan) = self.plan.as_ref().and_then(|plan| plan.lock().ok()) {
            plan.push(Planted { commit, side, skip });
        }
    }

    /// Takes back what was planted and has not happened.
    pub fn clear(&self) {
        if let Some(mut plan) = self.plan.as_ref().and_then(|plan| plan.lock().ok()) {
            plan.clear();
        }
    }

    pub(crate) fn check(&self, commit: Commit, side: Side) -> Result<(), DeviceError> {
        let Some(mut plan) = self.plan.as_ref().and_then(|plan| plan.lock().ok()) else { return Ok(()) };
        let mut due = None;
        for (index, planted) in plan.iter_mut().enumerate() {
            if planted.side != side || planted.commit.is_some_and(|name| name != commit) {
                continue;
            }
            if planted.skip == 0 {
                due = Some(index);
                break;
            }
            planted.skip -= 1;
        }
        match due {
            Some(index) => {
                plan.remove(index);
                Err(DeviceError::Injected)
            }
            None => Ok(()),
        }
    }
}
