// Superseded by `store.rs` (media helper, see NOTE.txt): to be removed when `crate::http` takes `crate::media::router`.
//! The files of media: `blobs/ab/abcd…` for what is stored, `uploads/<id>` for what is on its way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use gridwalk_model::ContentHash;
use sha2::{Digest as _, Sha256};

/// The folders of media. All calls block.
#[derive(Clone, Debug)]
pub struct MediaFiles {
    root: PathBuf,
}

impl MediaFiles {
    /// Opens the folders; makes them if they are not there.
    ///
    /// # Errors
    /// If they cannot be made.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root.join("blobs"))?;
        fs::create_dir_all(root.join("uploads"))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Where a stored medium is.
    pub fn blob(&self, hash: &ContentHash) -> PathBuf {
        let name = hash.to_string();
        let folder = name.get(..2).unwrap_or_default();
        self.root.join("blobs").join(folder).join(&name)
    }

    /// Where an upload's bytes are. `id` is one that we made.
    fn part(&self, id: &str) -> PathBuf {
        self.root.join("uploads").join(id)
    }

    /// Where a chunk is kept until its checksum is known.
    fn chunk(&self, id: &str) -> PathBuf {
        self.root.join("uploads").join(format!("{id}.chunk"))
    }

    /// How many bytes of an upload there are. They are durable when this returns.
    ///
    /// # Errors
    /// If the file cannot be read or synced.
    pub fn durable(&self, id: &str) -> io::Result<Option<u64>> {
        match File::options().write(true).open(self.part(id)) {
            Ok(file) => {
                file.sync_data()?;
                Ok(Some(file.metadata()?.len()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the file of a new upload.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(&self, id: &str) -> io::Result<()> {
        File::create_new(self.part(id))?;
        Ok(())
    }

    /// Adds bytes at the end of an upload, which must be `offset` long.
    ///
    /// # Errors
    /// If they cannot be written; what was written of them stays.
    pub fn append(&self, id: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(self.part(id))?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    /// Adds bytes to the chunk that waits for its checksum; `first` begins it anew.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn append_chunk(&self, id: &str, bytes: &[u8], first: bool) -> io::Result<()> {
        let path = self.chunk(id);
        let mut file = OpenOptions::new().create(true).append(!first).write(true).truncate(first).open(path)?;
        file.write_all(bytes)
    }

    /// Adds the waiting chunk to the upload, which must be `offset` long. Returns the new length.
    ///
    /// # Errors
    /// If it cannot be written; what was written of it is part of the checked chunk.
    pub fn take_chunk(&self, id: &str, offset: u64) -> io::Result<u64> {
        let mut chunk = File::open(self.chunk(id))?;
        let mut file = OpenOptions::new().write(true).open(self.part(id))?;
        file.seek(SeekFrom::Start(offset))?;
        let copied = io::copy(&mut chunk, &mut file)?;
        file.sync_data()?;
        self.drop_chunk(id);
        Ok(offset + copied)
    }

    /// Lets the waiting chunk go.
    pub fn drop_chunk(&self, id: &str) {
        let _ = fs::remove_file(self.chunk(id));
    }

    /// The hash of what an upload has.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn hash(&self, id: &str) -> io::Result<ContentHash> {
        hash_file(&self.part(id))
    }

    /// Publishes an upload under its hash, which was checked. Durable when this returns.
    ///
    /// # Errors
    /// If it cannot be moved or synced.
    pub fn publish(&self, id: &str, hash: &ContentHash) -> io::Result<()> {
        let target = self.blob(hash);
        let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
        if !folder.exists() {
            fs::create_dir_all(folder)?;
            sync_folder(&self.root.join("blobs"))?;
        }
        let part = self.part(id);
        File::options().write(true).open(&part)?.sync_all()?;
        fs::rename(&part, &target)?;
        sync_folder(folder)
    }

    /// Whether a medium's file is there with this size.
    pub fn has_blob(&self, hash: &ContentHash, bytes: u64) -> bool {
        fs::metadata(self.blob(hash)).is_ok_and(|facts| facts.len() == bytes)
    }

    /// Removes what an upload has.
    pub fn discard(&self, id: &str) {
        self.drop_chunk(id);
        let _ = fs::remove_file(self.part(id));
    }

    /// Copies all stored media that `target` lacks, by hard link where the file system can.
    ///
    /// # Errors
    /// If a file cannot be copied.
    pub fn back_up(&self, target: &Path) -> io::Result<u64> {
        let mut copied = 0;
        for folder in fs::read_dir(self.root.join("blobs"))? {
            let folder = folder?.path();
            let Some(name) = folder.file_name() else { continue };
            let into = target.join("blobs").join(name);
            fs::create_dir_all(&into)?;
            for blob in fs::read_dir(&folder)? {
                let blob = blob?;
                let copy = into.join(blob.file_name());
                if copy.exists() {
                    continue;
                }
                if fs::hard_link(blob.path(), &copy).is_err() {
                    let half = into.join(format!("{}.half", blob.file_name().to_string_lossy()));
                    fs::copy(blob.path(), &half)?;
                    File::open(&half)?.sync_all()?;
                    fs::rename(&half, &copy)?;
                }
                copied += 1;
            }
            sync_folder(&into)?;
        }
        Ok(copied)
    }
}

fn hash_file(path: &Path) -> io::Result<ContentHash> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(ContentHash::from_bytes(hasher.finalize().into()));
        };
        hasher.update(bytes);
    }
}

/// Makes names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
