package org.pikv4j.shard;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.cache.routing.NewPage;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageName;
import org.pikv4j.cache.storage.PagePlacer;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;

/** Has the full pages of one sequence placed, by what the gates of their layers chose for their tokens. */
final class SequencePlacer implements PagePlacer {
    private final Shards shards;
    private final long sequence;
    private PageNames names;

    SequencePlacer(Shards shards, long sequence) {
        this.shards = shards;
        this.sequence = sequence;
        this.names = shards.newNames();
    }

    @Override
    public PagePlacer copy() {
        return new SequencePlacer(shards, sequence);
    }

    @Override
    public void pagesFull(SequenceCache cache) {
        for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
            for (int head = 0; head < cache.tables(layer).size(); head++) {
                place(cache, layer, head);
            }
        }
    }

    /** Where a page has been placed, those before it were, as far as there was room. */
    private void place(SequenceCache cache, int layer, int head) {
        PageTable table = cache.table(layer, head);
        int first = table.size();
        for (int p = table.size() - 1;
                p >= 0 && !(table.placeable(p) && table.page(p).shard() != Page.HERE);
                p--) {
            first = p;
        }
        int refused = Integer.MAX_VALUE; // bytes that there is no room for: asking again for each page would take long
        for (int p = first; p < table.size(); p++) {
            int bytes = table.page(p).layout().pageBytes();
            if (table.placeable(p) && bytes < refused && !shards.place(cache, p, page(cache, layer, head, p))) {
                refused = bytes;
            }
        }
    }

    @Override
    public PageName name(int shard, int layer, int kvHead) {
        return names.next(shard, layer, kvHead);
    }

    @Override
    public void reformed(Page page) {
        shards.told(page);
    }

    @Override
    public void nameAnew() {
        names = shards.newNames();
    }

    @Override
    public List<Placeable> placeable(SequenceCache cache) {
        List<Placeable> pages = new ArrayList<>();
        for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
            for (int head = 0; head < cache.tables(layer).size(); head++) {
                PageTable table = cache.table(layer, head);
                for (int p = 0; p < table.size(); p++) {
                    if (table.placeable(p)) {
                        pages.add(new Placeable(p, page(cache, layer, head, p)));
                    }
                }
            }
        }
        return pages;
    }

    private NewPage page(SequenceCache cache, int layer, int head, int index) {
        PageTable table = cache.table(layer, head);
        Page page = table.page(index);
        int tokens = table.tokens(index);
        int[] votes = cache.experts().orElseThrow().votes(layer, page, tokens);
        return new NewPage(sequence, layer, head, page.position(), tokens, votes);
    }
}
