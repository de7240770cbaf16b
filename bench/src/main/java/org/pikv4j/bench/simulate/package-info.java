/** The simulator: policies replayed on a recorded run, beside the clairvoyant bound. */
@NullMarked
package org.pikv4j.bench.simulate;

import org.jspecify.annotations.NullMarked;
