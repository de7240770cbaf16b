package org.pikv4j.cache.scheduling;

import java.util.List;
import org.pikv4j.cache.storage.PageSignals;
import org.pikv4j.extension.Extension;

/**
 * Chooses the pages that are given back when a sequence reaches the budget. Called by the engine's thread alone, once for
 * every layer and KV head.
 */
public interface EvictionPolicy extends Extension {

    /**
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @param pages the full pages of that head, by position; the open one is not among them
     * @param wanted how many pages should go; fewer is allowed, and may end the request with an error
     * @return ascending indices of the pages that go
     */
    int[] victims(int layer, int kvHead, List<PageSignals> pages, int wanted);
}
