package org.pikv4j.shard;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.pikv4j.cache.routing.NewPage;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PagePlacer;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;

/** Has the full pages of one sequence placed, by what the gates of their layers chose for their tokens. */
final class SequencePlacer implements PagePlacer {
    private static final int FIRST_ROOM = 64;

    private final Shards shards;
    private final long sequence;
    private final List<Gate> gates = new ArrayList<>(); // by layer, as far as they are known
    private int fullPages;

    /** A layer's first choices, by position. */
    private static final class Gate {
        short[] chosen = {};
        int experts;
    }

    SequencePlacer(Shards shards, long sequence) {
        this.shards = shards;
        this.sequence = sequence;
    }

    @Override
    public PagePlacer copy() {
        SequencePlacer copy = new SequencePlacer(shards, sequence);
        for (Gate gate : gates) {
            Gate other = new Gate();
            other.chosen = gate.chosen.clone();
            other.experts = gate.experts;
            copy.gates.add(other);
        }
        copy.fullPages = fullPages;
        return copy;
    }

    @Override
    public void routed(int layer, int position, int[] experts, int count) {
        while (gates.size() <= layer) {
            gates.add(new Gate());
        }
        Gate gate = gates.get(layer);
        gate.experts = count;
        int end = position + experts.length;
        if (end > gate.chosen.length) {
            gate.chosen = Arrays.copyOf(gate.chosen, Math.max(end, Math.max(FIRST_ROOM, 2 * gate.chosen.length)));
        }
        for (int i = 0; i < experts.length; i++) {
            gate.chosen[position + i] = (short) experts[i];
        }
    }

    @Override
    public void committed(SequenceCache cache) {
        int pages = cache.length() / cache.layout().layers().getFirst().open().tokens();
        if (pages == fullPages) {
            return;
        }
        fullPages = pages;
        for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
            for (int head = 0; head < cache.tables(layer).size(); head++) {
                place(cache, layer, head);
            }
        }
    }

    /** The newest first: where one has been placed, those before it were. */
    private void place(SequenceCache cache, int layer, int head) {
        PageTable table = cache.table(layer, head);
        for (int p = table.size() - 1; p >= 0; p--) {
            if (table.placeable(p)) {
                if (table.page(p).shard() != Page.HERE) {
                    return;
                }
                shards.place(cache, p, page(table, p, layer, head));
            }
        }
    }

    @Override
    public List<Placeable> placeable(SequenceCache cache) {
        List<Placeable> pages = new ArrayList<>();
        for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
            for (int head = 0; head < cache.tables(layer).size(); head++) {
                PageTable table = cache.table(layer, head);
                for (int p = 0; p < table.size(); p++) {
                    if (table.placeable(p)) {
                        pages.add(new Placeable(p, page(table, p, layer, head)));
                    }
                }
            }
        }
        return pages;
    }

    private NewPage page(PageTable table, int index, int layer, int head) {
        Page page = table.page(index);
        int tokens = table.tokens(index);
        return new NewPage(sequence, layer, head, page.position(), tokens, votes(layer, page, tokens));
    }

    private int[] votes(int layer, Page page, int tokens) {
        if (layer >= gates.size()) {
            return new int[0];
        }
        Gate gate = gates.get(layer);
        int[] votes = new int[gate.experts];
        for (int slot = 0; slot < tokens && gate.experts > 0; slot++) {
            votes[gate.chosen[page.position(slot)]]++;
        }
        return votes;
    }
}
