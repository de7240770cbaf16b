package org.pikv4j.cache.routing;

import java.util.List;
import org.pikv4j.cache.storage.PageSignals;
import org.pikv4j.extension.Extension;

/**
 * Chooses the pages that queries read. Attention weights always come from the true softmax over what is read; what is not
 * read is lost for that query, so an engine has no router unless it is given one. Called by the engine's thread alone.
 */
public interface PageRouter extends Extension {

    /**
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @param firstPosition position of the first query
     * @param pages the pages that the queries may see, by position; the last ones hold the queries' own tokens
     * @return ascending indices of the pages to read
     */
    int[] read(int layer, int kvHead, int firstPosition, List<PageSignals> pages);
}
