package org.pikv4j.cache.scheduling;

import java.util.List;
import org.pikv4j.extension.Extension;
import org.pikv4j.model.AttentionSpec;

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

    /**
     * Called once the model is known, before the policy is used.
     *
     * @param layers the attention of each of the model's layers
     * @throws org.pikv4j.error.InvalidOptionException if the policy makes no sense for them
     */
    default void check(List<AttentionSpec> layers) {}
}
