/** How user code adds page forms, routers and eviction policies without editing a registry. */
@NullMarked
package org.pikv4j.extension;

import org.jspecify.annotations.NullMarked;
