package org.pikv4j.decode;

/**
 * What the gate of one layer of experts made of consecutive rows of one sequence. The array is the decoder's own: valid during
 * the call that hands it out, and not to be changed.
 *
 * @param layer index of the layer
 * @param position of the first row in its sequence
 * @param first row of the array that is the first of the span
 * @param count rows of the span
 * @param experts number of experts
 * @param probabilities the softmax over all experts: (row, experts)
 */
public record GateRows(int layer, int position, int first, int count, int experts, float[] probabilities) {}
