package org.pikv4j.cache.storage;

import org.pikv4j.extension.Extension;

/** Checks what a router or a policy answers: user code may be wrong, and a page read or freed twice is silent damage. */
public final class PageChoice {
    private PageChoice() {}

    /**
     * @param by who chose
     * @param indices the pages chosen
     * @param pages how many there were to choose from
     * @return a copy of {@code indices}, strictly ascending and within 0 ≤ index &lt; pages
     * @throws IllegalStateException if they are not
     */
    public static int[] checked(Extension by, int[] indices, int pages) {
        int[] chosen = indices.clone();
        int last = -1;
        for (int index : chosen) {
            if (index <= last || index >= pages) {
                throw new IllegalStateException("%s chose page %d after %d, of %d: indices must ascend and exist"
                        .formatted(by.name(), index, last, pages));
            }
            last = index;
        }
        return chosen;
    }
}
