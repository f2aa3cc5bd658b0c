//! [`Draft`]: one flush on its way: the document, what it shows, what the editor shows, and the small writes that the phases
//! are made of.

use std::rc::Rc;
use std::sync::Arc;

use yrs::Any;

use super::gap::Units;
use super::work::{LeafOffset, Work, WorkId};
use crate::slate::value::utf16;
use crate::slate::view::{self, Cursor, Frame, Kid, PieceId, Schema, View};
use crate::slate::ydoc::{
    Erase, Formats, Id, Item, Kind, Mirror, Nid, QuickMap, QuickSet, ROOT, Writer, attribute_name, kind_name,
};

pub(super) type Attributes = Vec<(Arc<str>, Any)>;

pub(super) struct Draft<'f, 'w, 'd> {
    pub writer: &'f mut Writer<'w, 'd>,
    pub schema: &'f Schema,
    pub work: Work,
    /// What the document shows; after a write only [`Draft::see`] makes it true again.
    pub view: Rc<View>,
    /// Lamport time of what this flush writes.
    pub time: u64,
    /// How often the view was made.
    pub views: u32,
    wrote: bool,
    markers: Option<Markers>,
    places: Option<Places>,
    /// Sequences in which text was put in or deleted since the view was made.
    touched: QuickSet<Nid>,
    /// Breaks that this flush has made.
    made_breaks: QuickSet<Nid>,
}

/// Who is registered where.
struct Markers {
    /// Marker → heads whose register names it, valid or not.
    named: QuickMap<Id, Vec<Nid>>,
    /// Head → seams for it.
    seams: QuickMap<Id, Vec<Nid>>,
}

/// Where the characters stand that are shown.
struct Places(Vec<(Id, u32, Cursor, PieceId)>);

impl<'f, 'w, 'd> Draft<'f, 'w, 'd> {
    /// `known`: what the document shows to who does not know what the editor shows.
    pub fn new(writer: &'f mut Writer<'w, 'd>, schema: &'f Schema, work: Work, known: Option<Rc<View>>) -> Self {
        let time = writer.mirror.time() + 1;
        let kept = kept(writer.mirror, &work);
        let known = known.filter(|view| view.holds_for(|head| kept[head as usize]));
        let views = u32::from(known.is_none());
        let view = known.unwrap_or_else(|| Rc::new(view::show_kept(writer.mirror, schema, &kept)));
        #[cfg(test)]
        if views == 0 {
            super::tests::same_view(&view, &view::show_kept(writer.mirror, schema, &kept));
        }
        let wrote = std::mem::take(&mut writer.changed);
        Self {
            writer,
            schema,
            work,
            view,
            time,
            views,
            wrote,
            markers: None,
            places: None,
            touched: QuickSet::default(),
            made_breaks: QuickSet::default(),
        }
    }

    /// Whether this flush, or what came before it, has written anything.
    pub fn finish(&mut self) {
        self.writer.changed |= self.wrote;
    }

    pub fn mirror(&self) -> &Mirror {
        self.writer.mirror
    }

    /// Looks again at what the document shows. False if nothing was written meanwhile.
    pub fn see(&mut self) -> bool {
        if !std::mem::take(&mut self.writer.changed) {
            return false;
        }
        self.wrote = true;
        let kept = kept(self.writer.mirror, &self.work);
        self.view = Rc::new(view::show_kept(self.writer.mirror, self.schema, &kept));
        self.views += 1;
        self.places = None;
        self.touched.clear();
        true
    }

    /// Before the units of a piece are looked at: the view must be true of the sequences in which it stands.
    pub fn refresh(&mut self, piece: PieceId) -> bool {
        let is_touched = |kid: &Kid| match kid {
            Kid::Text { at, .. } | Kid::Cursor(at) => self.touched.contains(&at.seq),
            Kid::Piece(_) => false,
        };
        !self.touched.is_empty() && self.view.piece(piece).kids.iter().any(is_touched) && self.see()
    }

    /// Whether text was written since the view was made.
    pub fn is_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Before it is looked at where characters stand.
    pub fn refresh_all(&mut self) -> bool {
        !self.touched.is_empty() && self.see()
    }

    /// What is shown to who does not know what the editor shows.
    pub fn plain_view(&mut self) -> Rc<View> {
        if self.view.plain && !self.writer.changed {
            #[cfg(test)]
            super::tests::same_view(&self.view, &view::show(self.writer.mirror, self.schema, &QuickSet::default()));
            return self.view.clone();
        }
        self.views += 1;
        Rc::new(view::show(self.writer.mirror, self.schema, &QuickSet::default()))
    }

    /// What the document shows now.
    #[cfg(test)]
    pub fn look(&self) -> View {
        view::uncounted(|| view::show_kept(self.writer.mirror, self.schema, &kept(self.writer.mirror, &self.work)))
    }

    // --- looking

    pub fn piece_of(&self, head: Id) -> Option<PieceId> {
        self.view.find(self.mirror().find(head)?)
    }

    /// The piece of an element of the editor's.
    pub fn piece(&self, at: WorkId) -> Option<PieceId> {
        self.piece_of(self.work.node(at).head?)
    }

    pub fn units(&self, piece: PieceId) -> Units {
        Units::of(&self.view, self.writer.mirror, piece)
    }

    pub fn id(&self, node: Nid) -> Id {
        self.mirror().id(node)
    }

    pub fn frame(&self, piece: PieceId) -> &Frame {
        self.view.frame(self.view.piece(piece).frame)
    }

    /// Where a character stands, and the piece that shows it.
    pub fn place_of(&mut self, id: Id) -> Option<(Cursor, PieceId)> {
        let places = self.places.get_or_insert_with(|| Places::new(&self.view, self.writer.mirror));
        places.find(id)
    }

    /// The piece that shows a character or an element.
    pub fn holder_of(&mut self, id: Id) -> Option<PieceId> {
        if let Some(piece) = self.piece_of(id) {
            let piece = self.view.piece(piece);
            return (!piece.hidden && !piece.spill).then_some(piece.up);
        }
        self.place_of(id).map(|(_, piece)| piece)
    }

    // --- small writes

    /// A new strand or marker; a marker within what an open strand holds names that.
    pub fn make(&mut self, at: Cursor, mut attributes: Attributes) -> Nid {
        if at.held && attributes.first().is_some_and(|(name, _)| &**name == "@") {
            let strand = self.id(self.view.frame(at.frame).strand);
            attributes.retain(|(name, _)| &**name != "@of");
            attributes.insert(1, ("@of".into(), strand.to_any()));
        }
        self.keep_divided(at.seq);
        let node = self.writer.make(at.seq, at.index, &attributes);
        if self.mirror().kind(node) == Kind::Break {
            self.made_breaks.insert(node);
        }
        let registers = &self.mirror().node(node).registers;
        if let (Kind::Seam, Some(head)) = (registers.kind, registers.head)
            && let Some(markers) = &mut self.markers
        {
            markers.seams.entry(head).or_default().push(node);
        }
        node
    }

    /// A join to what is gone is void as long as nothing stands in the gap of its break. Before something does, the break, which
    /// divides all the same, is switched on: else what is behind it would be joined.
    fn keep_divided(&mut self, seq: Nid) {
        let node = self.mirror().node(seq);
        let is_void = node.registers.kind == Kind::Break
            && node.registers.off != Erase::On
            && node.items.iter().all(|item| *item == Item::Foreign)
            && !self.writer.changed
            && self.view.find(seq).is_some()
            && self.view.claims(seq).is_empty();
        if is_void {
            self.set(seq, "@off", Any::Bool(false));
        }
    }

    pub fn place(&mut self, at: Cursor) -> Nid {
        self.make(at, vec![("@".into(), "place".into())])
    }

    /// A strand for an element that is new; its content is not written.
    pub fn make_strand(&mut self, at: Cursor, element: WorkId, is_open: bool) -> Nid {
        let mut attributes = self.attributes(element);
        if is_open {
            attributes.push(("@open".into(), Any::Bool(true)));
        }
        let strand = self.make(at, attributes);
        self.note_made(strand, element);
        strand
    }

    /// The same for several that follow each other.
    pub fn make_strands(&mut self, at: Cursor, elements: &[WorkId]) -> Vec<Nid> {
        self.keep_divided(at.seq);
        let strands = self.writer.make_row(at.seq, at.index, elements.len());
        for (strand, element) in strands.iter().zip(elements) {
            let attributes = self.attributes(*element);
            self.writer.dress(*strand, &attributes);
            self.note_made(*strand, *element);
        }
        strands
    }

    fn attributes(&self, element: WorkId) -> Attributes {
        let node = self.work.node(element);
        let says = kind_name(node.inline, node.void).map(|says| (Arc::from("@kind"), Any::from(says)));
        let props = node.props.iter().map(|(name, value)| (attribute_name(name), value.clone()));
        says.into_iter().chain(props).collect()
    }

    fn note_made(&mut self, strand: Nid, element: WorkId) {
        let id = self.id(strand);
        self.work.set_head(element, id);
        self.work.nodes[element].placed = true;
    }

    /// Deletes characters: [sequence, index, length], as they stood before the first is deleted.
    pub fn erase(&mut self, mut ranges: Vec<(Nid, u32, u32)>) {
        ranges.sort_unstable_by(|a, b| b.cmp(a));
        ranges.dedup();
        for (seq, index, len) in ranges {
            self.writer.delete_text(seq, index, len);
            self.touched.insert(seq);
        }
    }

    /// Text with exactly these formats, for characters of the editor's that are new.
    pub fn write_text(&mut self, at: Cursor, text: &str, formats: &Attributes, of: LeafOffset) {
        let id = self.writer.insert_formatted(at.seq, at.index, text, formats);
        self.touched.insert(at.seq);
        self.work.set_ids(of, utf16::len(text), Some(id));
        self.work.note_chars(id, utf16::len(text), of.node);
    }

    pub fn set(&mut self, node: Nid, name: &str, value: Any) {
        self.writer.set_attribute(node, name, value);
    }

    pub fn set_off(&mut self, node: Nid) {
        self.set(node, "@off", Any::Bool(true));
    }

    pub fn set_gone(&mut self, head: Nid, to: Option<Nid>, unwrap: bool) {
        let to = self.id_or_null(to);
        let value = match unwrap {
            true => vec![to, Any::Bool(true)],
            false => vec![to],
        };
        self.set(head, "@gone", Any::Array(value.into()));
    }

    fn id_or_null(&self, node: Option<Nid>) -> Any {
        node.map_or(Any::Null, |node| self.end_id(node).to_any())
    }

    /// The id of a break that ended a piece, also of one that is left out.
    fn end_id(&self, node: Nid) -> Id {
        self.mirror().edge_left_out(node, false).unwrap_or_else(|| self.id(node))
    }

    /// A piece is shown at the marker from now on; what comes behind it stays where it is. The markers that it leaves go, if
    /// nobody else is registered there: whether one did.
    pub fn register(&mut self, piece: PieceId, marker: Nid) -> bool {
        self.register_with(piece, marker, &[])
    }

    /// What was divided off a piece in this flush, and stands right behind it, or behind what it is joined to: it goes along,
    /// as it would if it were divided afterwards.
    pub fn along(&self, piece: PieceId, mut left: WorkId) -> Vec<PieceId> {
        let mut found = Vec::new();
        let mut last = piece;
        while let Some(to) = self.view.piece(last).to.filter(|to| self.made_breaks.contains(to)) {
            let next = self.view.find(to).filter(|next| self.is_plain(*next));
            let right = self.work.by_head.get(&self.id(to)).filter(|right| self.work.follows(left, **right));
            let (Some(next), Some(right)) = (next, right) else { break };
            found.push(next);
            (last, left) = (next, *right);
        }
        found
    }

    /// Whether nobody has a claim on what is shown by a head.
    fn is_plain(&self, piece: PieceId) -> bool {
        let head = self.view.piece(piece).head;
        self.mirror().node(head).registers.at.is_none() && !self.view.piece(piece).again
    }

    /// The same, with what comes along.
    pub fn register_with(&mut self, piece: PieceId, marker: Nid, along: &[PieceId]) -> bool {
        let view = self.view.clone();
        let to = view.piece(along.last().copied().unwrap_or(piece)).to.map(|to| self.end_id(to));
        let piece = view.piece(piece);
        let (head, strand) = (piece.head, view.frame(piece.frame).strand);
        if self.mirror().kind(head) == Kind::Break && view::chain_of(self.mirror(), head) != Some(strand) {
            let strand = self.id(strand).to_any();
            self.set(head, "@of", strand);
        }
        let mut beyond: Vec<(Nid, Option<Id>)> =
            piece.beyond.iter().filter(|(marker, _)| self.is_alive(*marker)).copied().collect();
        if let Some(ended) = beyond.iter().position(|(_, end)| *end == to).filter(|_| !along.is_empty()) {
            beyond.drain(..=ended);
        }
        let claims = [(marker, to)].into_iter().chain(beyond.iter().copied());
        let claims = claims.map(|(marker, to)| {
            let to = to.map_or(Any::Null, Id::to_any);
            Any::Array(vec![self.id(marker).to_any(), to].into())
        });
        let value: Vec<Any> = [Any::from(self.time as i64)].into_iter().chain(claims).collect();
        let mut left = self.left_markers(head, marker, &beyond);
        if self.mirror().kind(marker) == Kind::Seam {
            // Who divides it meanwhile has the rest at its place; and a container that holds nothing but an empty place is not shown.
            left.retain(|left| self.mirror().kind(*left) != Kind::Place);
        }
        self.set_register(head, value);
        let is_left = !left.is_empty();
        for marker in left {
            self.drop_marker(marker);
        }
        is_left
    }

    /// A strand that is new is shown at a marker.
    pub fn register_new(&mut self, strand: Nid, marker: Nid) {
        let claim = Any::Array(vec![self.id(marker).to_any(), Any::Null].into());
        self.set_register(strand, vec![Any::from(self.time as i64), claim]);
    }

    fn is_alive(&self, node: Nid) -> bool {
        self.mirror().find(self.id(node)) == Some(node)
    }

    /// Markers of a head that it leaves for another, and at which nobody else is registered.
    fn left_markers(&mut self, head: Nid, marker: Nid, beyond: &[(Nid, Option<Id>)]) -> Vec<Nid> {
        let id = self.id(head);
        // Also those of claims that do not count.
        let at = self.mirror().node(head).registers.at.as_ref();
        let named = at.into_iter().flat_map(|at| &at.claims).filter_map(|claim| claim.marker);
        let mut left: Vec<Nid> = named.filter_map(|marker| self.mirror().find(marker)).collect();
        let markers = self.markers.get_or_insert_with(|| Markers::new(self.writer.mirror));
        left.extend(markers.seams.get(&id).into_iter().flatten());
        left.extend(self.view.claims(head).iter().map(|(marker, _)| *marker));
        left.sort_unstable();
        left.dedup();
        left.retain(|each| {
            let stays = *each == marker || beyond.iter().any(|(marker, _)| marker == each);
            let id = self.writer.mirror.id(*each);
            let named = markers.named.get(&id);
            !stays && named.is_none_or(|heads| heads.iter().all(|other| *other == head))
        });
        left
    }

    fn set_register(&mut self, head: Nid, value: Vec<Any>) {
        let named = |draft: &Self| -> Vec<Id> {
            let at = draft.mirror().node(head).registers.at.iter().flat_map(|at| &at.claims);
            at.filter_map(|claim| claim.marker).collect()
        };
        let before = named(self);
        self.set(head, "@at", Any::Array(value.into()));
        let now = named(self);
        let Some(markers) = &mut self.markers else { return };
        for marker in before {
            if let Some(heads) = markers.named.get_mut(&marker) {
                heads.retain(|other| *other != head);
            }
        }
        for marker in now {
            markers.named.entry(marker).or_default().push(head);
        }
    }

    fn drop_marker(&mut self, marker: Nid) {
        if !self.is_alive(marker) || !matches!(self.mirror().kind(marker), Kind::Place | Kind::Seam) {
            return;
        }
        let head = self.mirror().node(marker).registers.head;
        if let (Some(markers), Some(head)) = (&mut self.markers, head)
            && let Some(seams) = markers.seams.get_mut(&head)
        {
            seams.retain(|other| *other != marker);
        }
        self.writer.delete_node(marker);
    }

    /// Where something stands in its sequence, or right behind it.
    pub fn beside(&self, node: Nid, behind: bool, like: Cursor) -> Cursor {
        let seq = self.mirror().node(node).up;
        Cursor { seq, index: self.mirror().index_of(node) + u32::from(behind), ..like }
    }
}

/// Whether a piece shows nothing but text of its own strand, where that stands, and nobody says anything else of it.
pub(super) fn is_line(view: &View, at: PieceId) -> bool {
    let piece = view.piece(at);
    let frame = view.frame(piece.frame);
    let is_own = |kid: &Kid| match kid {
        Kid::Text { at: cursor, .. } | Kid::Cursor(cursor) => cursor.seq == frame.strand && cursor.piece == at,
        Kid::Piece(_) => false,
    };
    !(piece.hidden || piece.spill || piece.again || piece.absent)
        && frame.owner.is_none()
        && frame.host.is_none()
        && piece.gone.is_none()
        && piece.joined.is_empty()
        && view.claims(piece.head).is_empty()
        && piece.kids.iter().all(is_own)
}

/// What the editor shows is shown, even if it has nothing: of each node, whether it is that.
fn kept(mirror: &Mirror, work: &Work) -> Vec<bool> {
    let mut kept = vec![false; mirror.capacity()];
    work.by_head.keys().filter_map(|id| mirror.find(*id)).for_each(|head| kept[head as usize] = true);
    kept
}

impl Markers {
    fn new(mirror: &Mirror) -> Self {
        let mut markers = Self { named: QuickMap::default(), seams: QuickMap::default() };
        let mut alive: Vec<Nid> = mirror.alive().collect();
        alive.sort_unstable();
        for node in alive {
            let registers = &mirror.node(node).registers;
            for claim in registers.at.iter().flat_map(|at| &at.claims) {
                if let Some(marker) = claim.marker {
                    markers.named.entry(marker).or_default().push(node);
                }
            }
            if let (Kind::Seam, Some(head)) = (registers.kind, registers.head) {
                markers.seams.entry(head).or_default().push(node);
            }
        }
        markers
    }
}

impl Places {
    fn new(view: &View, mirror: &Mirror) -> Self {
        let mut places = Vec::new();
        let mut todo = vec![View::ROOT];
        while let Some(piece) = todo.pop() {
            for kid in &view.piece(piece).kids {
                match kid {
                    Kid::Piece(kid) => todo.push(*kid),
                    Kid::Text { item, at } => {
                        if let Some(Item::Text(run)) = mirror.node(at.seq).items.get(*item as usize) {
                            places.push((run.id, run.len, *at, piece));
                        }
                    }
                    Kid::Cursor(_) => {}
                }
            }
        }
        places.sort_unstable_by_key(|(id, ..)| *id);
        Self(places)
    }

    fn find(&self, id: Id) -> Option<(Cursor, PieceId)> {
        let at = self.0.partition_point(|(start, ..)| *start <= id).checked_sub(1)?;
        let (start, len, cursor, piece) = self.0[at];
        let offset = id.clock.wrapping_sub(start.clock);
        (start.client == id.client && offset < len).then(|| (Cursor { index: cursor.index + offset, ..cursor }, piece))
    }
}

/// The start of an element's own sequence: behind its break, or in its strand.
pub(super) fn inside(mirror: &Mirror, view: &View, piece: PieceId) -> Cursor {
    let head = view.piece(piece).head;
    let frame = view.piece(piece).frame;
    let like = Cursor { seq: head, index: 0, frame, piece, held: false, props: 0 };
    match mirror.kind(head) {
        Kind::Break if head != ROOT => Cursor { seq: mirror.node(head).up, index: mirror.index_of(head) + 1, ..like },
        _ => like,
    }
}

/// The formats of a run that is shown, as it stands in the mirror.
pub(super) fn formats_of(mirror: &Mirror, item: u32, at: Cursor) -> Formats {
    match mirror.node(at.seq).items.get(item as usize) {
        Some(Item::Text(run)) => run.formats.clone(),
        _ => Formats::default(),
    }
}

pub(super) fn pieces_in(view: &View, piece: PieceId) -> impl Iterator<Item = PieceId> + '_ {
    view.piece(piece).kids.iter().filter_map(|kid| match kid {
        Kid::Piece(kid) => Some(*kid),
        _ => None,
    })
}
