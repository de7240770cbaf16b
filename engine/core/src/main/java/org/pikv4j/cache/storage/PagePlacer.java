package org.pikv4j.cache.storage;

import java.util.List;
import org.pikv4j.cache.routing.NewPage;

/** Finds shards for a sequence's full pages. Called by the engine's thread alone. */
public interface PagePlacer {

    /**
     * Rows have been committed, and pages have become full.
     *
     * @param cache the sequence
     */
    void pagesFull(SequenceCache cache);

    /**
     * A page has taken another form, and is to be called on its shard what it was called before, if it has not left it.
     *
     * @param page the page
     */
    void reformed(Page page);

    /**
     * A page that can live anywhere.
     *
     * @param index its number in its table
     * @param page what it is
     */
    record Placeable(int index, NewPage page) {}

    /**
     * @param cache the sequence
     * @return all its pages that can live anywhere, wherever they do
     */
    List<Placeable> placeable(SequenceCache cache);

    /**
     * Names a page that has come to a shard: next to the one before it.
     *
     * @param shard number of the shard
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @return its name there
     */
    PageName name(int shard, int layer, int kvHead);

    /** Begins new lists of names, since all pages are about to get new ones. */
    void nameAnew();

    /**
     * @return the same for a copy of the sequence
     */
    PagePlacer copy();
}
