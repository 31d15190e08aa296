//! Between SQLite and the disk: the only unsafe code of the project's tests.
//!
//! # Safety
//! SQLite calls the functions below with pointers that it owns, by its documented contract (<https://sqlite.org/c3ref/vfs.html>,
//! <https://sqlite.org/c3ref/io_methods.html>): names are strings that end with zero, buffers have the stated length, a
//! `sqlite3_file` has at least `szOsFile` bytes, is passed to `xOpen` once and to `xClose` once after a successful `xOpen`, and
//! is used by one thread at a time. Each block below relies on no more than that. No function unwinds: the disk's methods do not
//! panic, and a poisoned lock is taken over.

#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::sync::atomic::{AtomicPtr, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use rusqlite::ffi;

use super::disk::{Disk, Fault, Level, Opener};

type Shared = Arc<Mutex<Disk>>;

/// Disks by the folder that they are.
static DISKS: Mutex<BTreeMap<String, Shared>> = Mutex::new(BTreeMap::new());
/// The system's own file access, to which everything else is passed on.
static SYSTEM: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(std::ptr::null_mut());

/// Lets SQLite find a disk under a folder's name.
pub(super) fn mount(folder: &str, disk: &Shared) -> io::Result<()> {
    register()?;
    disks().insert(folder.to_owned(), Arc::clone(disk));
    Ok(())
}

/// Takes a disk away.
pub(super) fn unmount(folder: &str) {
    disks().remove(folder);
}

fn disks() -> MutexGuard<'static, BTreeMap<String, Shared>> {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn register() -> io::Result<()> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: SQLite initialises itself on the first call; a null name asks for the default.
        let system = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        if system.is_null() {
            return;
        }
        // SAFETY: a registered file layer is valid for the life of the process, and its sizes do not change.
        let (size, path) = unsafe { ((*system).szOsFile, (*system).mxPathname) };
        let own = size_of::<Handle>() as c_int;
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 2,
            szOsFile: size.max(own),
            mxPathname: path,
            pNext: std::ptr::null_mut(),
            zName: c"gridwalk-power".as_ptr(),
            pAppData: std::ptr::null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_path),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: Some(last_error),
            xCurrentTimeInt64: Some(current_time_64),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        SYSTEM.store(system, Ordering::Release);
        // SAFETY: the structure is leaked, so that it outlives every use.
        if unsafe { ffi::sqlite3_vfs_register(vfs, 1) } != ffi::SQLITE_OK {
            SYSTEM.store(std::ptr::null_mut(), Ordering::Release);
        }
    });
    if SYSTEM.load(Ordering::Acquire).is_null() {
        Err(io::Error::other("SQLite takes no other file layer"))
    } else {
        Ok(())
    }
}

/// The disk on which a path is, and the path.
///
/// # Safety
/// `name` is null or a string that ends with zero.
unsafe fn find(name: *const c_char) -> Option<(Shared, String)> {
    if name.is_null() {
        return None;
    }
    // SAFETY: by the function's own condition.
    let name = unsafe { CStr::from_ptr(name) }.to_str().ok()?;
    let disks = disks();
    let (_, disk) = disks.iter().find(|(folder, _)| {
        name.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })?;
    Some((Arc::clone(disk), name.to_owned()))
}

fn system() -> *mut ffi::sqlite3_vfs {
    SYSTEM.load(Ordering::Acquire)
}

/// An open file, in SQLite's memory.
#[repr(C)]
struct Handle {
    base: ffi::sqlite3_file,
    file: *mut OpenFile,
}

struct OpenFile {
    disk: Shared,
    name: String,
    opener: Opener,
    delete_on_close: bool,
}

impl OpenFile {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The open file behind SQLite's pointer.
///
/// # Safety
/// `file` was opened by [`open`] on one of our disks and is not closed.
unsafe fn opened<'f>(file: *mut ffi::sqlite3_file) -> &'f OpenFile {
    // SAFETY: `open` has written a whole `Handle` there, whose pointer stays valid until `close`.
    unsafe { &*(*file.cast::<Handle>()).file }
}

fn code(result: Result<(), Fault>, power: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(Fault::Busy) => ffi::SQLITE_BUSY,
        Err(Fault::Power | Fault::Missing) => power,
    }
}

fn level(number: c_int) -> Level {
    match number {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's own name, file and flags, see the module; the system's layer gets what it would have got.
    unsafe {
        let Some((disk, name)) = find(name) else {
            return match (*system()).xOpen {
                Some(open) => open(system(), name, file, flags, out),
                None => ffi::SQLITE_CANTOPEN,
            };
        };
        let handle = file.cast::<Handle>();
        // No methods: SQLite does not close a file that was not opened.
        (*handle).base.pMethods = std::ptr::null();
        let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
        let opened = disk.lock().unwrap_or_else(PoisonError::into_inner).open(&name, create);
        let Ok(opener) = opened else { return ffi::SQLITE_CANTOPEN };
        let delete_on_close = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
        (*handle).file = Box::into_raw(Box::new(OpenFile { disk, name, opener, delete_on_close }));
        (*handle).base.pMethods = &raw const METHODS;
        if !out.is_null() {
            *out = flags;
        }
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: opened by `open` and closed once; afterwards nobody has the pointer.
    let file = unsafe { Box::from_raw((*file.cast::<Handle>()).file) };
    let mut disk = file.disk();
    disk.close(&file.name, file.opener);
    if file.delete_on_close {
        let _ = disk.delete(&file.name, false);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: `out` has room for `count` bytes and nobody else uses it meanwhile.
    let (file, out) =
        unsafe { (opened(file), std::slice::from_raw_parts_mut(out.cast::<u8>(), count as usize)) };
    match file.disk().read(&file.name, file.opener, offset as usize, out) {
        Ok(read) if read == out.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    data: *const c_void,
    count: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: `data` has `count` bytes.
    let (file, data) =
        unsafe { (opened(file), std::slice::from_raw_parts(data.cast::<u8>(), count as usize)) };
    code(file.disk().write(&file.name, file.opener, offset as usize, data), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: ffi::sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let file = unsafe { opened(file) };
    code(file.disk().truncate(&file.name, file.opener, len as usize), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file.
    let file = unsafe { opened(file) };
    code(file.disk().sync(&file.name, file.opener), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: an open file, and room for the answer.
    unsafe {
        let file = opened(file);
        match file.disk().len(&file.name, file.opener) {
            Ok(len) => {
                *out = len as ffi::sqlite3_int64;
                ffi::SQLITE_OK
            }
            Err(_) => ffi::SQLITE_IOERR_FSTAT,
        }
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, number: c_int) -> c_int {
    // SAFETY: an open file.
    let file = unsafe { opened(file) };
    code(file.disk().lock(&file.name, file.opener, level(number)), ffi::SQLITE_IOERR_LOCK)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, number: c_int) -> c_int {
    // SAFETY: an open file.
    let file = unsafe { opened(file) };
    code(file.disk().unlock(&file.name, file.opener, level(number)), ffi::SQLITE_IOERR_UNLOCK)
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file, and room for the answer.
    unsafe {
        let file = opened(file);
        *out = c_int::from(file.disk().is_reserved(&file.name));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4_096
}

/// As the system's own layer says by default: a write does not damage what lies beside it.
unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: an open file, and room for the answer. A region lives as long as the disk, which this file keeps.
    unsafe {
        let file = opened(file);
        let region = file.disk().region(&file.name, file.opener, index as usize, size as usize, extend != 0);
        match region {
            Ok(region) => {
                *out = region.map_or(std::ptr::null_mut(), |region| region.0.cast());
                ffi::SQLITE_OK
            }
            Err(_) => ffi::SQLITE_IOERR_SHMMAP,
        }
    }
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    offset: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    // SAFETY: an open file.
    let file = unsafe { opened(file) };
    let slots = offset as usize..(offset + count) as usize;
    let mut disk = file.disk();
    let result = if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        disk.unlock_shared(&file.name, file.opener, slots)
    } else {
        let exclusive = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
        disk.lock_shared(&file.name, file.opener, slots, exclusive)
    };
    code(result, ffi::SQLITE_IOERR_SHMLOCK)
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: an open file.
    let file = unsafe { opened(file) };
    let mut disk = file.disk();
    disk.release_shared(&file.name, file.opener);
    if delete != 0 {
        disk.forget_shared(&file.name);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, durably: c_int) -> c_int {
    // SAFETY: SQLite's own name, passed on unaltered.
    unsafe {
        match find(name) {
            Some((disk, name)) => {
                let result = disk.lock().unwrap_or_else(PoisonError::into_inner).delete(&name, durably != 0);
                match result {
                    Err(Fault::Missing) => ffi::SQLITE_IOERR_DELETE_NOENT,
                    other => code(other, ffi::SQLITE_IOERR_DELETE),
                }
            }
            None => (*system()).xDelete.map_or(ffi::SQLITE_IOERR, |next| next(system(), name, durably)),
        }
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite's own name and room for the answer, passed on unaltered.
    unsafe {
        match find(name) {
            Some((disk, name)) => {
                let exists = disk.lock().unwrap_or_else(PoisonError::into_inner).exists(&name);
                *out = c_int::from(exists);
                ffi::SQLITE_OK
            }
            None => (*system()).xAccess.map_or(ffi::SQLITE_IOERR, |next| next(system(), name, flags, out)),
        }
    }
}

unsafe extern "C" fn full_path(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    count: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite's own name and buffer, passed on unaltered.
    unsafe { (*system()).xFullPathname.map_or(ffi::SQLITE_CANTOPEN, |next| next(system(), name, count, out)) }
}

unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite's own buffer, passed on unaltered.
    unsafe { (*system()).xRandomness.map_or(0, |next| next(system(), count, out)) }
}

unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, micros: c_int) -> c_int {
    // SAFETY: no pointers of SQLite's.
    unsafe { (*system()).xSleep.map_or(0, |next| next(system(), micros)) }
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: room for the answer, passed on unaltered.
    unsafe { (*system()).xCurrentTime.map_or(ffi::SQLITE_ERROR, |next| next(system(), out)) }
}

unsafe extern "C" fn current_time_64(_: *mut ffi::sqlite3_vfs, out: *mut ffi::sqlite3_int64) -> c_int {
    // SAFETY: room for the answer, passed on unaltered.
    unsafe { (*system()).xCurrentTimeInt64.map_or(ffi::SQLITE_ERROR, |next| next(system(), out)) }
}

unsafe extern "C" fn last_error(_: *mut ffi::sqlite3_vfs, count: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite's own buffer, passed on unaltered.
    unsafe { (*system()).xGetLastError.map_or(0, |next| next(system(), count, out)) }
}
