//! Where ops may stand: between Begin and End, in a display list, in which callback.

use crate::error::Detail;
use crate::rows::kind_bit;
use blinkgl::ops::{Callback, Class, ListDefinitionOp, OPS, OpInfo};

/// Where the pass is, with what may stand there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    callback: Callback,
    /// Offset of the open `begin`.
    pub(crate) begin: Option<usize>,
    /// Offset of the open `new_list`.
    pub(crate) list: Option<usize>,
    /// Kind bits ([`kind_bit`]) that may stand here, by (in list, between begin and end).
    table: [u16; 4],
    /// The entry of `table` in force.
    pub(crate) allowed: u16,
}

impl Place {
    pub(crate) fn new(callback: Callback) -> Place {
        let mut place = Place { callback, begin: None, list: None, table: [0; 4], allowed: 0 };
        for info in OPS {
            let bit = kind_bit(info.class);
            for (i, allowed) in place.table.iter_mut().enumerate() {
                let (in_list, in_begin) = (i & 2 != 0, i & 1 != 0);
                if refusal(info, callback, in_list, in_begin, 0).is_none() {
                    *allowed |= bit;
                }
            }
        }
        place.allowed = place.table[0];
        place
    }

    pub(crate) fn set_begin(&mut self, begin: Option<usize>) {
        self.begin = begin;
        self.update();
    }

    pub(crate) fn set_list(&mut self, list: Option<usize>) {
        self.list = list;
        self.update();
    }

    fn update(&mut self) {
        let i = usize::from(self.list.is_some()) << 1 | usize::from(self.begin.is_some());
        self.allowed = self.table[i];
    }

    /// Why an op may not stand here.
    #[cold]
    pub(crate) fn refusal(&self, info: &OpInfo) -> Detail {
        let begin = self.begin.unwrap_or_default();
        refusal(info, self.callback, self.list.is_some(), self.begin.is_some(), begin)
            .unwrap_or(Detail::Callback { callback: self.callback })
    }
}

/// The one statement of V18 to V25.
fn refusal(info: &OpInfo, callback: Callback, in_list: bool, in_begin: bool, begin: usize) -> Option<Detail> {
    let class = info.class;
    if !in_list && !class.allowed_in(callback) {
        return Some(Detail::Callback { callback });
    }
    if in_begin {
        if matches!(class, Class::Begin(_)) {
            return Some(Detail::NestedBegin);
        }
        if matches!(class, Class::ListDefinition(ListDefinitionOp::EndList)) && in_list {
            return Some(Detail::MissingEnd { begin });
        }
        if !class.inside_begin() {
            return Some(Detail::InPrimitive);
        }
    } else if matches!(class, Class::Vertex(_) | Class::End(_)) {
        return Some(Detail::OutsidePrimitive);
    }
    if let Class::ListDefinition(op) = class {
        return match (op, in_list) {
            (ListDefinitionOp::EndList, true) | (ListDefinitionOp::NewList, false) => None,
            (ListDefinitionOp::EndList, false) => Some(Detail::NoList),
            (ListDefinitionOp::NewList, true) => Some(Detail::NestedList),
        };
    }
    if in_list && !class.in_list() { Some(Detail::InList) } else { None }
}
