//! A change's body in parts, so that one part can be altered and the rest still fits around it.

use super::leb;

/// A column: its name and its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name: `id << 4 | type`.
    pub spec: u64,
    /// Encoded values.
    pub data: Vec<u8>,
}

/// A length or count that is written into the body, and may lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Number of dependencies.
    Deps,
    /// Length of the author.
    Actor,
    /// Length of the message.
    Message,
    /// Number of other actors.
    Others,
    /// Number of columns.
    Columns,
    /// Length of the column at this index.
    Column(usize),
}

/// The parts of a body, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// Names of changes.
    pub deps: Vec<Vec<u8>>,
    /// The author.
    pub actor: Vec<u8>,
    /// The author's number.
    pub seq: u64,
    /// Counter of the first operation.
    pub start_op: u64,
    /// Milliseconds.
    pub time: i64,
    /// Free text.
    pub message: Vec<u8>,
    /// Actors named in operations.
    pub others: Vec<Vec<u8>>,
    /// Operations.
    pub columns: Vec<Column>,
    /// What follows.
    pub extra: Vec<u8>,
    /// One claim that does not say the truth.
    pub lie: Option<(Claim, u64)>,
}

impl Body {
    /// Takes a body apart; `None` if it is damaged beyond that.
    pub fn read(mut input: &[u8]) -> Option<Self> {
        let input = &mut input;
        let dep_count = leb::unsigned(input)?;
        let deps =
            (0..dep_count).map(|_| Some(leb::take(input, 32)?.to_vec())).collect::<Option<Vec<_>>>()?;
        let actor = read_bytes(input)?;
        let seq = leb::unsigned(input)?;
        let start_op = leb::unsigned(input)?;
        let time = leb::signed(input)?;
        let message = read_bytes(input)?;
        let other_count = leb::unsigned(input)?;
        let others = (0..other_count).map(|_| read_bytes(input)).collect::<Option<Vec<_>>>()?;
        let column_count = leb::unsigned(input)?;
        let directory = (0..column_count)
            .map(|_| Some((leb::unsigned(input)?, leb::unsigned(input)?)))
            .collect::<Option<Vec<_>>>()?;
        let columns = directory
            .into_iter()
            .map(|(spec, len)| Some(Column { spec, data: leb::take(input, len)?.to_vec() }))
            .collect::<Option<Vec<_>>>()?;
        let extra = input.to_vec();
        Some(Self { deps, actor, seq, start_op, time, message, others, columns, extra, lie: None })
    }

    fn claimed(&self, claim: Claim, truth: usize) -> u64 {
        match self.lie {
            Some((which, number)) if which == claim => number,
            _ => truth as u64,
        }
    }

    /// Puts the body together again.
    pub fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        leb::put_unsigned(&mut out, self.claimed(Claim::Deps, self.deps.len()));
        self.deps.iter().for_each(|dep| out.extend_from_slice(dep));
        leb::put_unsigned(&mut out, self.claimed(Claim::Actor, self.actor.len()));
        out.extend_from_slice(&self.actor);
        leb::put_unsigned(&mut out, self.seq);
        leb::put_unsigned(&mut out, self.start_op);
        leb::put_signed(&mut out, self.time);
        leb::put_unsigned(&mut out, self.claimed(Claim::Message, self.message.len()));
        out.extend_from_slice(&self.message);
        leb::put_unsigned(&mut out, self.claimed(Claim::Others, self.others.len()));
        for other in &self.others {
            leb::put_unsigned(&mut out, other.len() as u64);
            out.extend_from_slice(other);
        }
        leb::put_unsigned(&mut out, self.claimed(Claim::Columns, self.columns.len()));
        for (index, column) in self.columns.iter().enumerate() {
            leb::put_unsigned(&mut out, column.spec);
            leb::put_unsigned(&mut out, self.claimed(Claim::Column(index), column.data.len()));
        }
        self.columns.iter().for_each(|column| out.extend_from_slice(&column.data));
        out.extend_from_slice(&self.extra);
        out
    }
}

fn read_bytes(input: &mut &[u8]) -> Option<Vec<u8>> {
    let len = leb::unsigned(input)?;
    Some(leb::take(input, len)?.to_vec())
}
