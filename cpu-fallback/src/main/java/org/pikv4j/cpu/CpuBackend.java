package org.pikv4j.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.AttentionWork;
import org.pikv4j.attention.BoundItem;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.ExpertAssignment;
import org.pikv4j.cache.routing.Candidates;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
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
    /** Weight bytes per item where memory decides: small enough to balance, large enough to be read as long streams. */
    private static final int BLOCK_BYTES = 128 << 10;
    /** Outputs per item where arithmetic decides; a multiple of {@link Kernels#OUTPUT_STEP}. */
    private static final int BLOCK_OUTPUTS = 48;
    /** Elements below which sharing costs more than it brings. */
    private static final int SERIAL_ELEMENTS = 16 << 10;

    private final String name;
    private final Kernels kernels;
    private final WorkerTeam team;
    private final Scratch[] scratch;

    private float[] packed = {};
    private float[] inner = {};
    private int[] natural = {};
    private int[] panelStart = {};

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
        share(heads, rows * heads * headDim, task);
    }

    /** Runs items, by the team where there are so many elements that it pays. */
    private void share(int items, long elements, WorkerTeam.Task task) {
        if (elements > SERIAL_ELEMENTS) {
            team.run(items, task);
            return;
        }
        for (int item = 0; item < items; item++) {
            task.run(item, 0);
        }
    }

    @Override
    public void attend(AttentionWork work) {
        List<BoundItem> bounds = work.bounds();
        if (!bounds.isEmpty()) {
            team.run(bounds.size(), (index, worker) -> bound(bounds.get(index), scratch[worker]));
        }
        List<AttentionItem> items = work.start();
        team.run(items.size(), (index, worker) -> {
            AttentionItem item = items.get(index);
            kernels.attend(item, scratch[worker]);
            item.complete();
        });
    }

    /** A bound is the product of the query's positive and negative halves with a row of what its page keeps. */
    private void bound(BoundItem item, Scratch buffers) {
        int headDim = item.spec().headDim();
        int group = item.spec().group();
        int in = 2 * headDim;
        float[] halves = buffers.first(group * in);
        float[] x = buffers.second(group * in);
        for (int g = 0; g < group; g++) {
            for (int d = 0; d < headDim; d++) {
                float q = item.queries()[item.queryOffset() + g * headDim + d]
                        * item.spec().scale();
                halves[g * in + d] = Math.max(q, 0f);
                halves[g * in + headDim + d] = Math.min(q, 0f);
            }
            kernels.pack(halves, new int[] {g}, 0, 1, in, kernels.panelWidth(1, 0), x, g * in);
        }
        Candidates blocks = item.candidates();
        for (int from = 0, to; from < blocks.count(); from = to) {
            Page page = blocks.page(from);
            int first = blocks.start(from) / PageLayout.BOUNDED_TOKENS;
            for (to = from + 1; to < blocks.count() && blocks.pageNumber(to) == blocks.pageNumber(from); ) {
                to++;
            }
            float[] y = buffers.third(to - from);
            for (int g = 0; g < group; g++) {
                kernels.row(DType.BF16, page.bounds(), in, first, first + to - from, x, g * in, y, buffers);
                for (int b = from; b < to; b++) {
                    item.bounds()[b * group + g] = y[b - from];
                }
            }
        }
    }

    @Override
    public void project(int rows, float[] x, List<Linear> maps, List<float[]> outs) {
        int in = maps.getFirst().in();
        packed = room(packed, kernels.panelRows(rows) * in);
        int[] all = natural(rows);
        int panel = kernels.panelWidth(rows, 0);
        share(Math.ceilDiv(rows, panel), rows * in, (item, worker) -> {
            int start = item * panel;
            pack(x, all, start, Math.min(panel, rows - start), in, kernels.panelWidth(rows, start), start);
        });
        int[] blocks = new int[maps.size()];
        int[] firstItem = new int[maps.size() + 1];
        for (int m = 0; m < maps.size(); m++) {
            blocks[m] = blockOutputs(rows, maps.get(m), Kernels.OUTPUT_STEP);
            firstItem[m + 1] = firstItem[m] + Math.ceilDiv(maps.get(m).out(), blocks[m]);
        }
        team.run(firstItem[maps.size()], (item, worker) -> {
            int m = 0;
            while (firstItem[m + 1] <= item) {
                m++;
            }
            Linear map = maps.get(m);
            int from = (item - firstItem[m]) * blocks[m];
            int to = Math.min(map.out(), from + blocks[m]);
            projectBlock(map, from, to, rows, outs.get(m), scratch[worker]);
        });
    }

    private void projectBlock(Linear map, int from, int to, int rows, float[] out, Scratch buffers) {
        int room = Kernels.room(to - from);
        float[] y = buffers.first(kernels.panelRows(rows) * room);
        kernels.product(map.weight(), from, to, packed, 0, rows, y, buffers);
        boolean biased = map.bias().length > 0;
        for (int start = 0, width; start < rows; start += width) {
            width = kernels.panelWidth(rows, start);
            for (int row = start; row < Math.min(rows, start + width); row++) {
                int at = row * map.out();
                int result = start * room + row - start;
                for (int o = from; o < to; o++, result += width) {
                    out[at + o] = biased ? y[result] + map.bias()[o] : y[result];
                }
            }
        }
    }

    /** Lays rows out in {@link #packed} as the panel that begins with a row of it. */
    private void pack(float[] x, int[] rowIndex, int first, int rows, int in, int width, int panelRow) {
        kernels.pack(x, rowIndex, first, rows, in, width, packed, panelRow * in);
    }

    @Override
    public void experts(float[] x, ExpertAssignment assignment, List<SwiGlu> experts, float[] out) {
        SwiGlu any = experts.getFirst();
        int hidden = any.gate().in();
        int width = any.width();
        int[] busy = busy(assignment, experts.size());
        int most = 0;
        panelStart = panelStart.length < experts.size() ? new int[experts.size()] : panelStart;
        int panelRows = 0;
        for (int expert : busy) {
            int rows = assignment.end(expert) - assignment.start(expert);
            panelStart[expert] = panelRows;
            panelRows += kernels.panelRows(rows);
            most = Math.max(most, rows);
        }
        packed = room(packed, panelRows * hidden);
        inner = room(inner, panelRows * width);
        share(busy.length, panelRows * hidden, (item, worker) -> {
            int expert = busy[item];
            int first = assignment.start(expert);
            int rows = assignment.end(expert) - first;
            for (int start = 0, panel; start < rows; start += panel) {
                panel = kernels.panelWidth(rows, start);
                pack(
                        x,
                        assignment.slotRows(),
                        first + start,
                        Math.min(panel, rows - start),
                        hidden,
                        panel,
                        panelStart[expert] + start);
            }
        });

        int upBlock = blockOutputs(most, any.gate(), Kernels.PLACE_STEP);
        int upItems = Math.ceilDiv(width, upBlock);
        team.run(busy.length * upItems, (item, worker) -> {
            int expert = busy[item / upItems];
            int from = item % upItems * upBlock;
            int to = Math.min(width, from + upBlock);
            gateAndUp(experts.get(expert), assignment, expert, from, to, scratch[worker]);
        });

        int downBlock = blockOutputs(most, any.down(), Kernels.OUTPUT_STEP);
        team.run(Math.ceilDiv(hidden, downBlock), (item, worker) -> {
            int from = item * downBlock;
            int to = Math.min(hidden, from + downBlock);
            for (int expert : busy) {
                down(experts.get(expert), assignment, expert, from, to, scratch[worker], out);
            }
        });
    }

    /** inner[from, to) = silu(gate·x) ⊙ (up·x) for the expert's slots. */
    private void gateAndUp(SwiGlu weights, ExpertAssignment assignment, int expert, int from, int to, Scratch buffers) {
        int rows = assignment.end(expert) - assignment.start(expert);
        int room = Kernels.room(to - from);
        int length = kernels.panelRows(rows) * room;
        float[] gate = buffers.first(length);
        float[] up = buffers.second(length);
        int xOffset = panelStart[expert] * weights.gate().in();
        kernels.product(weights.gate().weight(), from, to, packed, xOffset, rows, gate, buffers);
        kernels.product(weights.up().weight(), from, to, packed, xOffset, rows, up, buffers);
        addBias(weights.gate(), from, to, rows, gate);
        addBias(weights.up(), from, to, rows, up);
        kernels.gate(gate, up, length);
        int in = weights.width();
        for (int start = 0, width; start < rows; start += width) {
            width = kernels.panelWidth(rows, start);
            int panel = (panelStart[expert] + start) * in;
            kernels.place(gate, start * room, from, to, in, width, inner, panel);
        }
    }

    /** out[row][from, to) += weight · (down·inner) for the expert's slots. */
    private void down(
            SwiGlu weights, ExpertAssignment assignment, int expert, int from, int to, Scratch buffers, float[] out) {
        int first = assignment.start(expert);
        int rows = assignment.end(expert) - first;
        int room = Kernels.room(to - from);
        int hidden = weights.down().out();
        float[] y = buffers.first(kernels.panelRows(rows) * room);
        kernels.product(
                weights.down().weight(), from, to, inner, panelStart[expert] * weights.width(), rows, y, buffers);
        addBias(weights.down(), from, to, rows, y);
        for (int start = 0, width; start < rows; start += width) {
            width = kernels.panelWidth(rows, start);
            for (int row = start; row < Math.min(rows, start + width); row++) {
                float weight = assignment.slotWeights()[first + row];
                int at = assignment.slotRows()[first + row] * hidden;
                int result = start * room + row - start;
                for (int o = from; o < to; o++, result += width) {
                    out[at + o] += weight * y[result];
                }
            }
        }
    }

    /** Adds a map's bias to outputs that stand in panels. */
    private void addBias(Linear map, int from, int to, int rows, float[] y) {
        float[] bias = map.bias();
        int room = Kernels.room(to - from);
        for (int start = 0, width; bias.length > 0 && start < rows; start += width) {
            width = kernels.panelWidth(rows, start);
            for (int o = from; o < to; o++) {
                int at = start * room + (o - from) * width;
                for (int i = at; i < at + width; i++) {
                    y[i] += bias[o];
                }
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

    /** How many outputs make an item, a multiple of a step. */
    private int blockOutputs(int rows, Linear map, int step) {
        boolean many = kernels.panelWidth(rows, 0) > 1;
        int rowBytes = map.in() * map.weight().dtype().bytes();
        int outputs = many ? BLOCK_OUTPUTS : BLOCK_BYTES / Math.max(1, rowBytes);
        return Math.max(1, Math.ceilDiv(outputs, step)) * step;
    }

    private static float[] room(float[] buffer, int length) {
        return buffer.length < length ? new float[length] : buffer;
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
    public Backend another(int threads) {
        return new CpuBackend(name, kernels, new BackendOptions(threads)); // kernels have no state
    }

    @Override
    public void close() {
        team.close();
    }
}
