package org.pikv4j.cache.scheduling.policies;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.pikv4j.cache.scheduling.PlacementPolicy;
import org.pikv4j.cache.scheduling.PolicyOptions;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.TierDirectory;
import org.pikv4j.error.InvalidOptionException;

/**
 * Forgets nothing: what the budget has no room for goes to a file, and is attended to there (Sheng et al., "FlexGen:
 * High-Throughput Generative Inference of Large Language Models with a Single GPU", arXiv 2303.06865, §4).
 *
 * <p>The paper finds the shares of weights, activations and cache on GPU, CPU and disk by a linear program over a cost model
 * (§4.3): a layer takes as long as the slowest of computing and of the transfers that overlap with it. Here only the cache is
 * placed, and every page is read at each step. With b bytes of a layer on the file, a disk that reads r bytes/s and a layer
 * before it that computes for c seconds, the layer waits max(0, b/r − c). That is convex in b, and all layers are alike: for
 * given bytes in all, the sum is least where each layer has the same b, and so each head. Which pages of a head go does not
 * matter to the sum. The oldest after the sinks do: they are full first, so that each is written once and none comes back.
 *
 * <p>Sinks and window stay in memory by whole pages. The first layer of a step is read while the last one of the step before
 * computes.
 *
 * <p>Options: {@code dir}, where the file is made (the directory for temporary files), and {@code disk}, the most that it may
 * take, for each session with its forks (as much as there is).
 */
public final class FlexGen implements PlacementPolicy {
    private final TierDirectory directory;

    /**
     * @param directory where the second tier is
     */
    public FlexGen(TierDirectory directory) {
        this.directory = directory;
    }

    @Override
    public String name() {
        return "flexgen";
    }

    @Override
    public FlexGen with(PolicyOptions options) {
        String dir = options.text("dir", directory.path().toString());
        try {
            Path path = Path.of(dir);
            if (!Files.isDirectory(path) || !Files.isWritable(path)) {
                throw new InvalidOptionException(
                        "kv-policy flexgen: dir must be a directory in which files can be made, not '" + dir + "'");
            }
            return new FlexGen(new TierDirectory(path, options.bytes("disk", directory.mostBytes())));
        } catch (InvalidPathException e) {
            throw new InvalidOptionException("kv-policy flexgen: dir '" + dir + "' is no path");
        }
    }

    @Override
    public TierDirectory directory() {
        return directory;
    }

    @Override
    public int[] away(PageTable table, Protection protection, int count) {
        int newest = table.length() - protection.window();
        return IntStream.range(0, table.size())
                .filter(table::movable)
                .filter(p -> table.page(p).position() >= protection.sinks()
                        && table.page(p).end() <= newest)
                .limit(count)
                .toArray();
    }
}
