/** The engine: sessions over one model, the loop that batches their work, sampling. */
@NullMarked
package org.pikv4j.session;

import org.jspecify.annotations.NullMarked;
