package org.pikv4j.cache.scheduling;

import org.pikv4j.extension.Extension;

/** What {@code --kv-policy} can name: an {@link EvictionPolicy}, a {@link PlacementPolicy}, or a {@link org.pikv4j.cache.routing.PageRouter}. */
public interface CachePolicy extends Extension {

    /**
     * @param options what was written behind the policy's name
     * @return the policy with these options
     * @throws org.pikv4j.error.InvalidOptionException if one of them has a value that is not possible
     */
    default CachePolicy with(PolicyOptions options) {
        return this;
    }
}
