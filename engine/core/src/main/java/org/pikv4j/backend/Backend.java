package org.pikv4j.backend;

import java.util.List;
import org.pikv4j.attention.AttentionWork;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SlabAllocator;
import org.pikv4j.model.Linear;
import org.pikv4j.model.SwiGlu;

/**
 * The operations of a forward pass, over all rows of a ragged batch at once. Activations are row-major float32 arrays
 * {@code (row, width)}; arrays may be longer than the rows in use. Weights and pages are read in place, in whatever type
 * they are stored; the arithmetic is float32.
 *
 * <p>Called by one thread at a time. An operation has finished when its method returns.
 */
public interface Backend extends AutoCloseable {

    /**
     * @return its name in options
     */
    String name();

    /**
     * @return name and particulars for people, for instance the vector width
     */
    String description();

    /**
     * @return number of threads that compute
     */
    int threads();

    /**
     * @return where the cache's memory comes from
     */
    SlabAllocator slabs();

    /**
     * RMSNorm of each row: x / √(mean(x²) + ε) ⊙ weight. {@code x} and {@code out} may be the same array.
     *
     * @param rows number of rows
     * @param x (rows, width), width being the length of {@code weight}
     * @param weight (width)
     * @param epsilon ε
     * @param out (rows, width)
     */
    void normalise(int rows, float[] x, float[] weight, float epsilon, float[] out);

    /**
     * Applies several linear maps to the same rows.
     *
     * @param rows number of rows
     * @param x (rows, in)
     * @param maps the maps, all with the same input width
     * @param outs one (rows, out) per map
     */
    void project(int rows, float[] x, List<Linear> maps, List<float[]> outs);

    /**
     * Rotates the first {@code 2·pairs} elements of each head, element i with element i + pairs.
     *
     * @param rows number of rows
     * @param heads heads per row
     * @param headDim width of a head
     * @param x (rows, heads, headDim), changed in place
     * @param pairs pairs per head
     * @param cos (rows, pairs)
     * @param sin (rows, pairs)
     */
    void rotate(int rows, int heads, int headDim, float[] x, int pairs, float[] cos, float[] sin);

    /**
     * Appends consecutive rows of one sequence to its pages in one layer, one table per KV head.
     *
     * @param tables the tables, by KV head
     * @param firstRow the first row
     * @param rows number of rows
     * @param keys (row, kvHeads, headDim), rotated
     * @param values (row, kvHeads, headDim)
     */
    void append(List<PageTable> tables, int firstRow, int rows, float[] keys, float[] values);

    /**
     * Computes the partials of all items of some work, and completes each.
     *
     * @param work the work
     */
    void attend(AttentionWork work);

    /**
     * out += Σ over the experts chosen for a row of weight · expert(row). An output is added up in the order of the
     * experts, so that it does not depend on the number of threads.
     *
     * @param x (rows, hidden)
     * @param assignment which rows go to which expert, with which weight
     * @param experts the experts
     * @param out (rows, hidden), added to
     */
    void experts(float[] x, ExpertAssignment assignment, List<SwiGlu> experts, float[] out);

    /**
     * Makes another one of the same kind.
     *
     * @param threads threads that compute there
     * @return a backend with threads and room of its own, which the caller closes
     */
    Backend another(int threads);

    /** Ends its threads and gives back what it holds. */
    @Override
    void close();
}
