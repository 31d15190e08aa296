//! Media as files.
//!
//! ```text
//! parts/<upload>          the bytes of an upload that are here so far
//! parts/<upload>.chunk    bytes whose checksum has not been seen yet
//! parts/<upload>.link     a second name on its way to a blob's name
//! blobs/ab/<hash>         a published medium; `ab` are the first two digits of its hash
//! ```
//!
//! The length of a part is the offset of its upload: no second number could disagree with it. It is told to
//! nobody before the file was synced. A part is only ever longer by bytes that the device meant to be there:
//! bytes with a checksum wait in a file of their own until it has proved right.
//!
//! A blob is published by a second name (hard link) for the part's file, which is then renamed to the blob's.
//! The part keeps its own name until the row is durable, so after a crash at any point the upload is still
//! whole and is published again. Renaming the part itself would leave an upload without a part, which could not
//! be told from one whose device never sent a byte while somebody else published the same blob. A part that may
//! have been linked is never written again: a new upload begins with a new file.
//!
//! Everything here blocks.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gridwalk_model::ContentHash;

use super::upload_id::UploadId;

const CHUNK: &str = "chunk";
const LINK: &str = "link";

/// A step that may fail, as a [`Probe`] sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file is made.
    Create,
    /// Bytes are added to a file.
    Append,
    /// Bytes are taken away from a file's end.
    Shorten,
    /// A file's bytes are brought to the disk.
    Sync,
    /// A file's names are brought to the disk.
    SyncFolder,
    /// A file gets a second name.
    Link,
    /// A name is replaced.
    Rename,
    /// A name is removed.
    Remove,
    /// A file is read.
    Read,
}

/// Asked before every step: how tests fill the disk and cut the power.
pub trait Probe: Send + Sync {
    /// An error fails the step, which is then not done.
    ///
    /// # Errors
    /// As the test wants.
    fn before(&self, step: Step) -> io::Result<()>;
}

/// Lets everything happen.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl Probe for NoProbe {
    fn before(&self, _: Step) -> io::Result<()> {
        Ok(())
    }
}

/// What stands in the folder of parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leftover {
    /// The bytes of an upload.
    Part(UploadId),
    /// A file that only a running server needs, or that is none of ours.
    Scrap(PathBuf),
}

/// The folder of media. Cheap to clone; usable from any thread, but one upload only from one at a time.
#[derive(Clone)]
pub struct Files {
    root: Arc<Path>,
    probe: Arc<dyn Probe>,
}

impl Files {
    /// Makes the folders that are not there.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn open(root: &Path, probe: Arc<dyn Probe>) -> io::Result<Self> {
        fs::create_dir_all(root.join("parts"))?;
        fs::create_dir_all(root.join("blobs"))?;
        let files = Self { root: root.into(), probe };
        files.sync_folder(root)?;
        Ok(files)
    }

    fn parts(&self) -> PathBuf {
        self.root.join("parts")
    }

    fn part(&self, id: &UploadId) -> PathBuf {
        self.parts().join(id.to_string())
    }

    fn beside(&self, id: &UploadId, extension: &str) -> PathBuf {
        self.parts().join(format!("{id}.{extension}"))
    }

    fn blob_folder(&self, hash: &ContentHash) -> PathBuf {
        let [first, ..] = hash.as_bytes();
        self.root.join("blobs").join(format!("{first:02x}"))
    }

    fn blob(&self, hash: &ContentHash) -> PathBuf {
        self.blob_folder(hash).join(hash.to_string())
    }

    /// Begins a part with nothing in it. Its name is durable when this returns.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn create_part(&self, id: &UploadId) -> io::Result<()> {
        self.remove(&self.part(id))?;
        self.probe.before(Step::Create)?;
        OpenOptions::new().write(true).create_new(true).open(self.part(id))?;
        self.sync_folder(&self.parts())
    }

    /// The length of a part, every byte of which is durable; `None` if there is no such part.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn durable_len(&self, id: &UploadId) -> io::Result<Option<u64>> {
        let Some(file) = absent(OpenOptions::new().append(true).open(self.part(id)))? else {
            return Ok(None);
        };
        // Sending all of it again is better than a receipt for bytes that are only in memory.
        self.settle(&file, 0).map(Some)
    }

    /// Opens a part for more bytes.
    ///
    /// # Errors
    /// If there is no such part.
    pub fn open_part(&self, id: &UploadId) -> io::Result<File> {
        OpenOptions::new().append(true).open(self.part(id))
    }

    /// Adds bytes. After an error some of them may be there.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.probe.before(Step::Append)?;
        file.write_all(bytes)
    }

    /// Makes what was added to a part durable. If that fails, what was added after `durable` bytes is taken away
    /// again: nobody knows which of it is on the disk, and a second sync would not say.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn settle(&self, file: &File, durable: u64) -> io::Result<u64> {
        match self.sync(file) {
            Ok(()) => Ok(file.metadata()?.len()),
            Err(error) => {
                self.probe.before(Step::Shorten)?;
                file.set_len(durable)?;
                Err(error)
            }
        }
    }

    /// Begins a file for bytes whose checksum has not been seen yet.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn create_chunk(&self, id: &UploadId) -> io::Result<File> {
        self.probe.before(Step::Create)?;
        File::create(self.beside(id, CHUNK))
    }

    /// Adds the bytes that wait to the part.
    ///
    /// # Errors
    /// If the disk is full or fails. Some of them may be there.
    pub fn adopt_chunk(&self, id: &UploadId, part: &mut File) -> io::Result<()> {
        self.probe.before(Step::Append)?;
        io::copy(&mut File::open(self.beside(id, CHUNK))?, part)?;
        Ok(())
    }

    /// Throws the bytes that wait away.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn remove_chunk(&self, id: &UploadId) -> io::Result<()> {
        self.remove(&self.beside(id, CHUNK))
    }

    /// The bytes of a part, at most `limit`.
    ///
    /// # Errors
    /// If there is no such part or the disk fails.
    pub fn read_part(&self, id: &UploadId, limit: u64) -> io::Result<Vec<u8>> {
        self.probe.before(Step::Read)?;
        let mut bytes = Vec::new();
        File::open(self.part(id))?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Gives a whole and durable part the name of its blob as well, durably. A blob that is there already is
    /// replaced, which heals one that went bad.
    ///
    /// # Errors
    /// If the disk is full or fails. The part is as before.
    pub fn publish(&self, id: &UploadId, hash: &ContentHash) -> io::Result<()> {
        let link = self.beside(id, LINK);
        let folder = self.blob_folder(hash);
        self.remove(&link)?;
        fs::create_dir_all(&folder)?;
        self.probe.before(Step::Link)?;
        fs::hard_link(self.part(id), &link)?;
        self.probe.before(Step::Rename)?;
        fs::rename(&link, self.blob(hash))?;
        // Renaming one name of a file over another of the same does nothing.
        self.remove(&link)?;
        self.sync_folder(&folder)?;
        // Costs nothing unless the folder is new; that it was there may only mean that a crash came before this.
        self.sync_folder(&self.root.join("blobs"))
    }

    /// Removes a part, if it is there.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn remove_part(&self, id: &UploadId) -> io::Result<()> {
        self.remove(&self.part(id))?;
        self.remove_chunk(id)
    }

    /// Opens a blob; `None` if it is not there.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn open_blob(&self, hash: &ContentHash) -> io::Result<Option<File>> {
        self.probe.before(Step::Read)?;
        absent(File::open(self.blob(hash)))
    }

    /// Removes a blob, if it is there, durably.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn remove_blob(&self, hash: &ContentHash) -> io::Result<()> {
        self.remove(&self.blob(hash))?;
        let folder = self.blob_folder(hash);
        if folder.exists() { self.sync_folder(&folder) } else { Ok(()) }
    }

    /// Length of a blob; `None` if it is not there.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn blob_len(&self, hash: &ContentHash) -> io::Result<Option<u64>> {
        Ok(absent(fs::metadata(self.blob(hash)))?.map(|found| found.len()))
    }

    /// Everything in the folder of parts.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn leftovers(&self) -> io::Result<Vec<Leftover>> {
        let mut out = Vec::new();
        for entry in fs::read_dir(self.parts())? {
            let entry = entry?;
            let id = entry.file_name().to_str().and_then(|name| name.parse().ok());
            out.push(id.map_or_else(|| Leftover::Scrap(entry.path()), Leftover::Part));
        }
        Ok(out)
    }

    /// Removes a scrap.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn remove_scrap(&self, path: &Path) -> io::Result<()> {
        self.remove(path)
    }

    /// Gives every blob that `target` lacks a name there, or a copy where the file system has no second names.
    ///
    /// # Errors
    /// If the target cannot be written.
    pub fn back_up(&self, target: &Path) -> io::Result<u64> {
        let mut added = 0;
        for folder in fs::read_dir(self.root.join("blobs"))? {
            let folder = folder?;
            let into = target.join("blobs").join(folder.file_name());
            fs::create_dir_all(&into)?;
            for blob in fs::read_dir(folder.path())? {
                let blob = blob?;
                let name = into.join(blob.file_name());
                if name.try_exists()? {
                    continue;
                }
                if fs::hard_link(blob.path(), &name).is_err() {
                    let half = name.with_extension("half");
                    fs::copy(blob.path(), &half)?;
                    File::open(&half)?.sync_all()?;
                    fs::rename(&half, &name)?;
                }
                added += 1;
            }
            self.sync_folder(&into)?;
        }
        Ok(added)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.probe.before(Step::Remove)?;
        absent(fs::remove_file(path)).map(|_| ())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.probe.before(Step::Sync)?;
        file.sync_data()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.probe.before(Step::SyncFolder)?;
        File::open(folder)?.sync_all()
    }
}

fn absent<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_model::DeviceId;

    fn id() -> UploadId {
        UploadId { hash: ContentHash::from_bytes([0xab; 32]), device: DeviceId::from_bytes([1; 12]) }
    }

    #[test]
    fn a_published_part_has_both_names_and_a_new_upload_leaves_the_blob_alone() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path(), Arc::new(NoProbe)).unwrap();
        files.create_part(&id()).unwrap();
        let mut part = files.open_part(&id()).unwrap();
        files.append(&mut part, b"whole").unwrap();
        assert_eq!(files.settle(&part, 0).unwrap(), 5);
        for _ in 0..2 {
            files.publish(&id(), &id().hash).unwrap();
            assert_eq!(files.blob_len(&id().hash).unwrap(), Some(5));
        }
        assert_eq!(files.leftovers().unwrap(), [Leftover::Part(id())]);
        files.create_part(&id()).unwrap();
        assert_eq!(files.durable_len(&id()).unwrap(), Some(0));
        assert_eq!(files.blob_len(&id().hash).unwrap(), Some(5), "the blob is another file");
    }

    struct SyncFails;

    impl Probe for SyncFails {
        fn before(&self, step: Step) -> io::Result<()> {
            if step == Step::Sync { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
        }
    }

    #[test]
    fn bytes_that_could_not_be_synced_are_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let sound = Files::open(folder.path(), Arc::new(NoProbe)).unwrap();
        sound.create_part(&id()).unwrap();
        let mut part = sound.open_part(&id()).unwrap();
        sound.append(&mut part, b"1234").unwrap();
        sound.settle(&part, 0).unwrap();
        let failing = Files::open(folder.path(), Arc::new(SyncFails)).unwrap();
        failing.append(&mut part, b"5678").unwrap();
        assert!(failing.settle(&part, 4).is_err());
        assert_eq!(sound.durable_len(&id()).unwrap(), Some(4));
    }
}
