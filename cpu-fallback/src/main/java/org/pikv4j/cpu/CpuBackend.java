package org.pikv4j.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.ExpertAssignment;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.Slab;
import org.pikv4j.cache.storage.SlabAllocator;
import org.pikv4j.model.Linear;
import org.pikv4j.model.SwiGlu;
import org.pikv4j.tensor.DType;

/**
 * Shares each operation out over a {@link WorkerTeam}, in items whose cut does not depend on the number of threads, and
 * leaves the inner loops to {@link Kernels}.
 */
final class CpuBackend implements Backend {
    /** Weight bytes per item: small enough to balance, large enough that taking an item costs nothing beside it. */
    private static final int BLOCK_BYTES = 64 << 10;
    /** Outputs per item are a multiple of this, so that pieces of rows can be arranged one by one. */
    private static final int BLOCK_STEP = 32;
    /** Elements below which sharing costs more than it brings. */
    private static final int SERIAL_ELEMENTS = 16 << 10;

    private final String name;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final Scratch[] scratch;

    private float[] arranged = {};
    private float[] inner = {};
    private int[] natural = {};

    CpuBackend(String name, Kernels kernels, BackendOptions options) {
        this.name = name;
        this.kernels = kernels;
        this.team = new WorkerTeam(options.threads());
        this.scratch = new Scratch[options.threads()];
        for (int i = 0; i < scratch.length; i++) {
            scratch[i] = new Scratch();
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String description() {
        int threads = threads();
        return name + ": " + kernels.description() + ", " + threads + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public int threads() {
        return team.size();
    }

    @Override
    public SlabAllocator slabs() {
        return HostSlab::new;
    }

    /** Host memory in an arena of its own: any thread may close it. */
    private static final class HostSlab implements Slab {
        private final Arena arena = Arena.ofShared();
        private final MemorySegment bytes;

        HostSlab(long size) {
            bytes = arena.allocate(size, 64);
        }

        @Override
        public MemorySegment bytes() {
            return bytes;
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    @Override
    public void normalise(int rows, float[] x, float[] weight, float epsilon, float[] out) {
        int width = weight.length;
        forRows(rows, width, row -> {
            int at = row * width;
            float factor = (float) (1.0 / Math.sqrt(kernels.dot(x, at, x, at, width) / width + epsilon));
            for (int i = 0; i < width; i++) {
                out[at + i] = weight[i] * (x[at + i] * factor);
            }
        });
    }

    @Override
    public void rotate(int rows, int heads, int headDim, float[] x, int pairs, float[] cos, float[] sin) {
        forRows(rows, heads * headDim, row -> {
            for (int head = 0; head < heads; head++) {
                int low = (row * heads + head) * headDim;
                int high = low + pairs;
                for (int i = 0; i < pairs; i++) {
                    float a = x[low + i];
                    float b = x[high + i];
                    float c = cos[row * pairs + i];
                    float s = sin[row * pairs + i];
                    x[low + i] = a * c - b * s;
                    x[high + i] = b * c + a * s;
                }
            }
        });
    }

    private interface RowTask {
        void run(int row);
    }

    private void forRows(int rows, int width, RowTask task) {
        if ((long) rows * width <= SERIAL_ELEMENTS) {
            for (int row = 0; row < rows; row++) {
                task.run(row);
            }
            return;
        }
        int perItem = Math.max(1, SERIAL_ELEMENTS / 4 / width);
        team.run(Math.ceilDiv(rows, perItem), (item, worker) -> {
            int end = Math.min(rows, (item + 1) * perItem);
            for (int row = item * perItem; row < end; row++) {
                task.run(row);
            }
        });
    }

    @Override
    public void append(List<PageTable> tables, int firstRow, int rows, float[] keys, float[] values) {
        int heads = tables.size();
        int headDim = tables.getFirst().layout().headDim();
        WorkerTeam.Task task = (head, worker) -> {
            PageTable table = tables.get(head);
            for (int row = firstRow; row < firstRow + rows; row++) {
                int at = (row * heads + head) * headDim;
                table.append(keys, at, values, at);
            }
        };
        if (rows * heads * headDim <= SERIAL_ELEMENTS) {
            for (int head = 0; head < heads; head++) {
                task.run(head, 0);
            }
        } else {
            team.run(heads, task);
        }
    }

    @Override
    public void attend(AttentionPlan plan) {
        List<AttentionItem> items = plan.start();
        team.run(items.size(), (index, worker) -> {
            AttentionItem item = items.get(index);
            kernels.attend(item, scratch[worker]);
            item.complete();
        });
    }

    @Override
    public void project(int rows, float[] x, List<Linear> maps, List<float[]> outs) {
        // Maps whose weights have the same type read the rows in the same order, and go in one job.
        for (int first = 0, last; first < maps.size(); first = last) {
            DType dtype = maps.get(first).weight().dtype();
            last = first + 1;
            while (last < maps.size() && maps.get(last).weight().dtype() == dtype) {
                last++;
            }
            projectAlike(rows, x, maps.subList(first, last), outs.subList(first, last));
        }
    }

    private void projectAlike(int rows, float[] x, List<Linear> maps, List<float[]> outs) {
        int in = maps.getFirst().in();
        DType dtype = maps.getFirst().weight().dtype();
        float[] input = arrange(dtype, rows, in, x);
        int perItem = blockRows(in, dtype);
        int[] firstItem = new int[maps.size() + 1];
        for (int m = 0; m < maps.size(); m++) {
            firstItem[m + 1] = firstItem[m] + Math.ceilDiv(maps.get(m).out(), perItem);
        }
        int[] all = natural(rows);
        team.run(firstItem[maps.size()], (item, worker) -> {
            int m = 0;
            while (firstItem[m + 1] <= item) {
                m++;
            }
            Linear map = maps.get(m);
            float[] out = outs.get(m);
            int width = map.out();
            int from = (item - firstItem[m]) * perItem;
            int to = Math.min(width, from + perItem);
            kernels.product(map.weight(), from, to, input, all, 0, rows, out, from, width);
            float[] bias = map.bias();
            for (int row = 0; bias.length > 0 && row < rows; row++) {
                for (int o = from; o < to; o++) {
                    out[row * width + o] += bias[o];
                }
            }
        });
    }

    @Override
    public void experts(float[] x, ExpertAssignment assignment, List<SwiGlu> experts, float[] out) {
        SwiGlu any = experts.getFirst();
        int hidden = any.gate().in();
        int width = any.width();
        int slots = assignment.slots();
        DType upType = any.gate().weight().dtype();
        DType downType = any.down().weight().dtype();
        float[] input = arrange(upType, assignment.rows(), hidden, x);
        inner = inner.length < slots * width ? new float[slots * width] : inner;
        int[] busy = busy(assignment, experts.size());

        int upRows = blockRows(hidden, upType);
        int upItems = Math.ceilDiv(width, upRows);
        team.run(busy.length * upItems, (item, worker) -> {
            int expert = busy[item / upItems];
            int from = item % upItems * upRows;
            int to = Math.min(width, from + upRows);
            gateAndUp(experts.get(expert), assignment, expert, from, to, input, scratch[worker], downType);
        });

        int downRows = blockRows(width, downType);
        int[] all = natural(slots);
        team.run(Math.ceilDiv(hidden, downRows), (item, worker) -> {
            int from = item * downRows;
            int to = Math.min(hidden, from + downRows);
            for (int expert : busy) {
                down(experts.get(expert), assignment, expert, from, to, all, scratch[worker], out);
            }
        });
    }

    /** inner[slot][from, to) = silu(gate·x) ⊙ (up·x), arranged for the product that follows. */
    private void gateAndUp(
            SwiGlu weights,
            ExpertAssignment assignment,
            int expert,
            int from,
            int to,
            float[] input,
            Scratch buffers,
            DType downType) {
        int first = assignment.start(expert);
        int rows = assignment.end(expert) - first;
        int block = to - from;
        float[] gate = buffers.first(rows * block);
        float[] up = buffers.second(rows * block);
        int[] rowOf = assignment.slotRows();
        kernels.product(weights.gate().weight(), from, to, input, rowOf, first, rows, gate, 0, block);
        kernels.product(weights.up().weight(), from, to, input, rowOf, first, rows, up, 0, block);
        for (int i = 0; i < rows * block; i++) {
            gate[i] = gate[i] / (1f + (float) Math.exp(-gate[i])) * up[i];
        }
        for (int i = 0; i < rows; i++) {
            kernels.arrange(downType, gate, i * block, block, inner, (first + i) * weights.width() + from);
        }
    }

    /** out[row][from, to) += weight · (down·inner) for the expert's slots. */
    private void down(
            SwiGlu weights,
            ExpertAssignment assignment,
            int expert,
            int from,
            int to,
            int[] all,
            Scratch buffers,
            float[] out) {
        int first = assignment.start(expert);
        int rows = assignment.end(expert) - first;
        int block = to - from;
        int hidden = weights.down().out();
        float[] result = buffers.first(rows * block);
        kernels.product(weights.down().weight(), from, to, inner, all, first, rows, result, 0, block);
        for (int i = 0; i < rows; i++) {
            float weight = assignment.slotWeights()[first + i];
            int at = assignment.slotRows()[first + i] * hidden + from;
            for (int o = 0; o < block; o++) {
                out[at + o] += weight * result[i * block + o];
            }
        }
    }

    private static int[] busy(ExpertAssignment assignment, int experts) {
        int[] busy = new int[experts];
        int count = 0;
        for (int expert = 0; expert < experts; expert++) {
            if (assignment.end(expert) > assignment.start(expert)) {
                busy[count++] = expert;
            }
        }
        return Arrays.copyOf(busy, count);
    }

    private float[] arrange(DType dtype, int rows, int width, float[] x) {
        if (!kernels.arranges(dtype)) {
            return x;
        }
        arranged = arranged.length < rows * width ? new float[rows * width] : arranged;
        float[] out = arranged;
        forRows(rows, width, row -> kernels.arrange(dtype, x, row * width, width, out, row * width));
        return out;
    }

    private static int blockRows(int in, DType dtype) {
        int rows = BLOCK_BYTES / Math.max(1, in * dtype.bytes());
        return Math.max(BLOCK_STEP, rows / BLOCK_STEP * BLOCK_STEP);
    }

    /** The row index that selects rows in their own order. */
    private int[] natural(int rows) {
        if (natural.length < rows) {
            natural = new int[rows];
            Arrays.setAll(natural, i -> i);
        }
        return natural;
    }

    @Override
    public void close() {
        team.close();
    }
}
