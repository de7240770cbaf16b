/**
 * Attention as a fold of partials: any part of the cached tokens yields (o, m, l), and partials merge by log-sum-exp in any
 * grouping without loss (online softmax: Milakov and Gimelshein, arXiv 1805.02867; split and merged as in Flash-Decoding).
 */
@NullMarked
package org.pikv4j.attention;

import org.jspecify.annotations.NullMarked;
