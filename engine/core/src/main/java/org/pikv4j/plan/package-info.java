/**
 * What a model, its cache and a batch take, before anything is loaded: arithmetic over a model's shape and the layouts that the
 * cache itself uses.
 */
@NullMarked
package org.pikv4j.plan;

import org.jspecify.annotations.NullMarked;
