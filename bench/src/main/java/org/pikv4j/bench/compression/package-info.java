/** What each compressed form costs and brings: errors on real keys and values, bytes, and time. */
@NullMarked
package org.pikv4j.bench.compression;

import org.jspecify.annotations.NullMarked;
