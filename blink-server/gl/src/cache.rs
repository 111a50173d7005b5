//! Vertex buffers by what is in them, which outlive a frame, and those that no batch has: which there are, and for how long.
//! No OpenGL is called here; who owns these deletes what they give up.

use super::batch::Key;
use jit::Segment;
use std::collections::{HashMap, VecDeque};
use std::sync::Weak;

/// Vertices on the GPU.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// The vertex array with its attributes.
    pub array: glow::VertexArray,
    /// The vertices.
    pub buffer: glow::Buffer,
    /// The indices, if it is drawn by some.
    pub indices: glow::Buffer,
    /// Bytes that there is room for: vertices, indices.
    pub room: [usize; 2],
    /// Corners to draw.
    pub count: i32,
    /// By indices.
    pub is_indexed: bool,
    /// The frame that used it last.
    pub used: u64,
}

/// Bytes that a vertex array and a buffer take besides the vertices: about what Mesa's do. Without it, many small
/// batches would be as good as free.
const OBJECT_BYTES: usize = 16 << 10;

impl Buffer {
    /// Bytes that it takes, about.
    fn cost(&self) -> usize {
        self.room.iter().fold(OBJECT_BYTES, |sum, room| sum.saturating_add(*room))
    }
}

/// The room that a buffer for so many bytes has: up to a fourth more, so that there are few sizes and another batch may have it
/// next.
#[must_use]
pub fn room_for(bytes: usize) -> usize {
    let grain = (bytes.checked_next_power_of_two().unwrap_or(bytes) / 8).max(4096);
    if bytes == 0 { 0 } else { bytes.checked_next_multiple_of(grain).unwrap_or(bytes) }
}

/// Buffers that no batch has: a driver fills new ones with zeros, page by page, which takes longer than the vertices do.
#[derive(Debug, Default)]
pub struct Spare {
    /// The oldest first.
    buffers: VecDeque<Buffer>,
    bytes: usize,
}

impl Spare {
    /// Takes one with this room.
    pub fn take(&mut self, room: [usize; 2]) -> Option<Buffer> {
        let at = self.buffers.iter().position(|buffer| buffer.room == room)?;
        let buffer = self.buffers.remove(at)?;
        self.bytes -= buffer.cost();
        Some(buffer)
    }

    /// Keeps buffers of at most `limit` bytes. What it gives up is to be deleted.
    #[must_use]
    pub fn keep(&mut self, buffers: Vec<Buffer>, limit: usize) -> Vec<Buffer> {
        self.bytes += buffers.iter().map(Buffer::cost).sum::<usize>();
        self.buffers.extend(buffers);
        let mut given_up = Vec::new();
        while self.bytes > limit {
            let Some(oldest) = self.buffers.pop_front() else { break };
            self.bytes -= oldest.cost();
            given_up.push(oldest);
        }
        given_up
    }
}

#[derive(Debug)]
struct Entry {
    buffer: Buffer,
    /// One of the batch's segments: without it, the batch can't come again.
    segment: Weak<Segment>,
}

/// Buffers by what is in them.
#[derive(Debug, Default)]
pub struct Cache {
    buffers: HashMap<Key, Entry>,
    bytes: usize,
}

impl Cache {
    /// The buffer of a key, now used in `frame`.
    pub fn get(&mut self, key: &Key, frame: u64) -> Option<Buffer> {
        let entry = self.buffers.get_mut(key)?;
        entry.buffer.used = frame;
        Some(entry.buffer)
    }

    /// Keeps a buffer, and gives up others if they take more than `limit` bytes: those not used for longest, down
    /// to half of it, so that the search for them is rare. `segment`: one of the batch's.
    #[must_use]
    pub fn insert(&mut self, key: Key, segment: Weak<Segment>, buffer: Buffer, limit: usize) -> Vec<Buffer> {
        let mut given_up = Vec::new();
        if self.bytes.saturating_add(buffer.cost()) > limit {
            let mut by_use: Vec<(u64, Key)> =
                self.buffers.iter().map(|(key, entry)| (entry.buffer.used, key.clone())).collect();
            by_use.sort_by_key(|&(used, _)| used);
            for (_, key) in by_use {
                if self.bytes <= limit / 2 {
                    break;
                }
                given_up.extend(self.remove(&key));
            }
        }
        // Only now: the buffer is about to be drawn from.
        given_up.extend(self.remove(&key));
        self.bytes += buffer.cost();
        self.buffers.insert(key, Entry { buffer, segment });
        given_up
    }

    fn remove(&mut self, key: &Key) -> Option<Buffer> {
        let Entry { buffer, .. } = self.buffers.remove(key)?;
        self.bytes -= buffer.cost();
        Some(buffer)
    }

    /// Gives up what no frame used since `frame`, and what can't come again.
    #[must_use]
    pub fn expire(&mut self, frame: u64) -> Vec<Buffer> {
        let is_over = |entry: &Entry| entry.buffer.used < frame || entry.segment.strong_count() == 0;
        let given_up: Vec<Buffer> =
            self.buffers.extract_if(|_, entry| is_over(entry)).map(|(_, entry)| entry.buffer).collect();
        self.bytes -= given_up.iter().map(Buffer::cost).sum::<usize>();
        given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;
    use std::sync::Arc;

    fn segment() -> Arc<Segment> {
        Arc::new(Segment::from_vertices(7, Vec::new(), [], jit::Given::default()))
    }

    fn key(number: u32) -> Key {
        Key { segments: vec![], words: vec![number] }
    }

    fn buffer(name: u32, used: u64) -> Buffer {
        let name = NonZeroU32::new(name).unwrap_or(NonZeroU32::MIN);
        let (array, buffer) = (glow::NativeVertexArray(name), glow::NativeBuffer(name));
        Buffer { array, buffer, indices: buffer, room: [1000, 0], count: 1, is_indexed: false, used }
    }

    #[test]
    fn what_is_not_used_goes_and_what_is_new_stays() {
        let limit = 8 * (OBJECT_BYTES + 1000);
        let segment = segment();
        let mut cache = Cache::default();
        for i in 1..=8 {
            assert!(cache.insert(key(i), Arc::downgrade(&segment), buffer(i, 1), limit).is_empty());
        }
        assert!(cache.get(&key(3), 2).is_some());
        // Used in the same frame as the others: nothing but being new speaks for it.
        let given_up = cache.insert(key(9), Arc::downgrade(&segment), buffer(9, 1), limit);
        assert_eq!(given_up.len(), 4);
        assert!(given_up.iter().all(|b| b.array != buffer(9, 1).array && b.array != buffer(3, 1).array));
        assert!(cache.get(&key(9), 2).is_some() && cache.get(&key(3), 2).is_some());
        assert_eq!(cache.buffers.len(), 5);
        assert_eq!(cache.expire(2).len(), 3);
        assert_eq!(cache.expire(u64::MAX).len(), 2);
        assert_eq!(cache.bytes, 0);
    }

    #[test]
    fn one_that_is_larger_than_all_room_is_kept_alone() {
        let mut cache = Cache::default();
        let _ = cache.insert(key(1), Weak::new(), buffer(1, 1), 100);
        assert_eq!(cache.insert(key(2), Weak::new(), buffer(2, 1), 100).len(), 1);
        assert_eq!(cache.insert(key(2), Weak::new(), buffer(3, 1), 100).len(), 1, "the one that had the key");
        assert_eq!(cache.buffers.len(), 1);
    }

    #[test]
    fn batches_whose_program_is_gone_make_room() {
        let segment = segment();
        let mut cache = Cache::default();
        let _ = cache.insert(key(1), Arc::downgrade(&segment), buffer(1, 5), 1 << 20);
        assert!(cache.expire(5).is_empty());
        drop(segment);
        assert_eq!(cache.expire(5).len(), 1);
    }

    #[test]
    fn spare_buffers_are_taken_by_their_room_and_the_oldest_go() {
        let mut spare = Spare::default();
        let cost = buffer(1, 0).cost();
        assert!(spare.keep((1..=3).map(|i| buffer(i, 0)).collect(), 3 * cost).is_empty());
        let old = spare.keep(vec![buffer(4, 0)], 3 * cost);
        assert_eq!(old.iter().map(|b| b.array).collect::<Vec<_>>(), [buffer(1, 0).array]);
        assert!(spare.take([2000, 0]).is_none());
        assert_eq!(spare.take([1000, 0]).map(|b| b.array), Some(buffer(2, 0).array));
        assert_eq!(spare.keep(Vec::new(), 0).len(), 2);
        assert_eq!(spare.bytes, 0);
    }

    #[test]
    fn room_is_at_most_a_fourth_more() {
        assert_eq!([0, 1, 4096, 4097].map(room_for), [0, 4096, 4096, 8192]);
        for bytes in [100_000, 397_120, 1 << 20, (1 << 20) + 1, usize::MAX] {
            let room = room_for(bytes);
            assert!(room >= bytes && room - bytes <= bytes / 4, "{bytes}: {room}");
        }
    }
}
