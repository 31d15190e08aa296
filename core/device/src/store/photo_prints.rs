//! What is remembered of photos that this phone attached: hashes, to know one that is used again.

use gridwalk_evidence::{PerceptualHash, Print};
use gridwalk_model::{RecordId, Timestamp};

use super::{Store, Tx, sql};
use crate::error::DeviceError;

impl Tx<'_> {
    /// Remembers a photo, and forgets those from before `forget`.
    pub(crate) fn remember_photo(
        &mut self,
        print: &Print,
        record: RecordId,
        element: RecordId,
        at: Timestamp,
        forget: Timestamp,
    ) -> Result<(), DeviceError> {
        self.connection
            .prepare_cached("DELETE FROM photo_print WHERE at < ?1")?
            .execute([forget.millis()])?;
        self.connection
            .prepare_cached(
                "INSERT INTO photo_print (record, element, original, perceptual, at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                record.as_bytes(),
                element.as_bytes(),
                &print.original[..],
                print.perceptual.0.cast_signed(),
                at.millis(),
            ))?;
        Ok(())
    }
}

impl Store {
    /// Shows every remembered photo, the first one first.
    pub(crate) fn each_photo_print(
        &self,
        mut show: impl FnMut(Print, RecordId, RecordId, Timestamp),
    ) -> Result<(), DeviceError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT original, perceptual, record, element, at FROM photo_print ORDER BY n")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let original = *sql::content_hash(row, 0)?.as_bytes();
            let perceptual = PerceptualHash(row.get::<_, i64>(1)?.cast_unsigned());
            let (record, element) = (sql::record_id(row, 2)?, sql::record_id(row, 3)?);
            show(Print { original, perceptual }, record, element, sql::time(row, 4)?);
        }
        Ok(())
    }
}
